"""Whatever a history is and however it was worked on: state is what the archive comes to, and can be had from it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.events import Delivery
from handlers.store.engine import Database
from tests import folding
from tests.sizes import size
from tests.worker import rebuilding
from tests.worker.letters import NOW, Yard
from worker import rebuild_bulk

SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large)
TYPES = (
    "work_order.created",
    "work_order.updated",
    "work_order.completed",
    "work_order.deleted",
    "asset.status_changed",
    "downtime.started",
    "downtime.ended",
    "vendor.updated",
    "meter_reading.recorded",
    "meter.updated",
    "meter.reset",
    "nobody.handles_this",
)
minutes = st.integers(0, 5)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """An event of the unified source; now and then one that cannot be read."""
    type_ = draw(st.sampled_from(TYPES))
    kind = type_.partition(".")[0]
    data: dict[str, Any] = {"key": f"{kind[:1]}-{draw(st.integers(1, 2))}"}  # of a reading as of a meter
    if kind == "work_order":
        data |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "title": st.sampled_from(("seal", "bearing", None)),
                    "status": st.sampled_from(("approved", "in_progress", "closed")),
                    "asset_key": st.sampled_from(("PUMP-1", "PUMP-2")),
                    "asset_down": st.booleans(),
                },
            )
        )
    elif kind == "downtime":
        data["asset_key"] = draw(st.sampled_from(("PUMP-1", "PUMP-2")))
    elif kind.startswith("meter"):
        data |= draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "meter_key": st.sampled_from(("m-1", "m-2")),
                    "asset_key": st.sampled_from(("PUMP-1", "PUMP-2")),
                    "value": st.integers(1, 3),
                    "unit": st.sampled_from(("h", "km")),
                    "name": st.sampled_from(("hours", "way", None)),
                },
            )
        )
    elif kind == "asset":
        data["status"] = draw(st.sampled_from(("up", "down", "standby")))
    told: dict[str, Any] = {"type": type_, "occurred_at": f"2026-03-01T08:0{draw(minutes)}:00Z", "data": data}
    told |= draw(st.sampled_from(({}, {"id": "evt-1"}, {"id": "evt-2"}, {"version": 2}, {"version": 3})))
    if draw(st.integers(0, 6)) == 0:
        told["occurred_at"] = "last Tuesday"
    return told


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Delivery], list[list[Delivery]]]:
    """Deliveries in order of arrival, some bodies twice; and in what order and in what batches they are worked on."""
    bodies = draw(st.lists(st.one_of(facts(), st.lists(facts(), max_size=3)), min_size=2, max_size=7))
    bodies += draw(st.lists(st.sampled_from(bodies), max_size=3))
    came = [
        Delivery(
            f"d{number:03d}",
            "plant",
            NOW + timedelta(minutes=number),
            orjson.dumps(body),
            draw(st.sampled_from(({}, {"webhook-id": "m-1"}, {"webhook-id": "m-2"}))),
        )
        for number, body in enumerate(draw(st.permutations(bodies)))
    ]
    worked = draw(st.permutations(came))
    cut = draw(st.integers(1, len(worked)))
    return came, [each for each in (list(worked[:cut]), list(worked[cut:])) if each]


@pytest.fixture
def databases(database: Database, tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """One that is asked, and another on SQLite to compare with."""
    (tmp_path / "other").mkdir()
    other = folding.sqlite(tmp_path / "other")
    yield database, other
    other.close()


def _yards(databases: tuple[Database, Database], folder: Path, minutes_on: int) -> tuple[Yard, Yard]:
    for each in databases:
        folding.empty(each)
    pair = Yard(databases[0], folder), Yard(databases[1], folder / "other")
    for yard in pair:
        yard.now = NOW + timedelta(minutes=minutes_on)
    return pair


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few bytes that hardly any two subjects are folded together."""
    monkeypatch.setattr(rebuild_bulk, "SHARD_BYTES", 20)


def _examples(database: Database) -> int:
    return size(20, 600) if database.dialect == "sqlite" else size(4, 100)


def test_an_archive_read_anew_gives_the_state_that_stands_and_gives_it_back_when_it_is_lost(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    @settings(max_examples=_examples(databases[0]), deadline=None, suppress_health_check=SLOW)
    @given(told=histories())
    def run(told: tuple[list[Delivery], list[list[Delivery]]]) -> None:
        came, batches = told
        yard, _ = _yards(databases, tmp_path, len(came))
        for batch in batches:
            yard.process(*batch)
        rebuilding.assert_given_back(yard)

    run()


def test_without_what_is_distrusted_state_is_that_of_the_set_without_it(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    @settings(max_examples=_examples(databases[0]), deadline=None, suppress_health_check=SLOW)
    @given(told=histories(), since=st.integers(0, 8))
    def run(told: tuple[list[Delivery], list[list[Delivery]]], since: int) -> None:
        came, batches = told
        start = NOW + timedelta(minutes=since)
        yard, other = _yards(databases, tmp_path, len(came))
        for batch in batches:
            yard.process(*batch)
            other.process(*(each for each in batch if each.received_at < start))

        reached, _ = rebuilding.distrust(yard, start)

        assert reached.deliveries == sum(each.received_at >= start for each in came)
        assert rebuilding.everything(yard) == rebuilding.everything(other)
        assert rebuilding.check(yard).findings == []
        again, rebuilt = rebuilding.distrust(yard, start)
        assert (again.deliveries, again.events, again.letters, rebuilt.rows, rebuilt.events) == (0, 0, 0, {}, {})

    run()
