"""The console's short memory: what a beat reads, and what becomes of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from handlers.errors import TransientError
from handlers.store.read_letter_groups import Group
from handlers.store.read_pace import Pace, pace
from tests.worker.cli.plant import NOW, Plant, event
from worker.acts import new_id
from worker.console import counts
from worker.console.counts import Counts
from worker.console.pulse import BEATS, CAUSES_EVERY, Beat, Pulse, Sources
from worker.console.views import vitals
from worker.queue import LaneState

GROUP = Group("f", 1, 1, "missing_field", "m", NOW, NOW)


class Installation:
    """What a pulse reads, as a test says it."""

    def __init__(self) -> None:
        self.now = NOW
        self.counted: Counts | None = None
        self.lanes: Sequence[LaneState] | None = (LaneState("live", 3, 2, timedelta(seconds=4)),)
        self.letters: Mapping[str, int] = {"missing_field": 4}
        self.asked: list[str] = []
        self.pulse = Pulse(
            Sources(self._lanes, self._stored, lambda: self.counted, self._paced, self._causes), self._clock
        )

    def beat(self, after: float = 5) -> Beat:
        self.now += timedelta(seconds=after)
        self.pulse.beat()
        found = self.pulse.last()
        assert found is not None
        return found

    def _clock(self) -> datetime:
        return self.now

    def _lanes(self) -> Sequence[LaneState]:
        if self.lanes is None:
            raise TransientError("broker_unavailable", "away")
        return self.lanes

    def _stored(self) -> tuple[int, Mapping[str, int]]:
        return 7, self.letters

    def _paced(self, since: datetime, until: datetime) -> Pace:
        self.asked.append("pace")
        assert until - since == timedelta(seconds=5)
        return Pace(2.0, 3.0, [0.1, 0.2, 9.0])

    def _causes(self) -> Sequence[Group]:
        self.asked.append("causes")
        return [GROUP]


def told(accepted: float, lags: tuple[tuple[float, float], ...] = ()) -> Counts:
    return Counts(accepted, accepted / 10, accepted * 2, accepted / 5, lags, ())


def test_a_beat_is_the_difference_of_what_was_counted_by_the_seconds_between() -> None:
    house = Installation()
    house.counted = told(100, ((0.1, 10), (1.0, 10), (float("inf"), 10)))
    first = house.beat()
    assert (first.accepted, first.high) == (None, None)
    house.counted = told(150, ((0.1, 30), (1.0, 50), (float("inf"), 50)))
    beat = house.beat()
    assert (beat.accepted, beat.refused, beat.processed, beat.buried) == (10, 1, 20, 2)
    assert beat.median == pytest.approx(0.1)
    assert beat.high == pytest.approx(0.91)
    assert (beat.oldest, beat.waiting, beat.retrying, beat.open) == (4, 5, 7, 4)
    house.counted = told(20)
    assert house.beat().accepted is None  # a process began anew


def test_where_no_counters_are_shared_the_database_tells_the_pace() -> None:
    house = Installation()
    assert house.beat().accepted is None
    beat = house.beat()
    assert (beat.accepted, beat.processed, beat.refused, beat.median, beat.high) == (2, 3, None, 0.2, 9)


def test_what_is_away_is_left_out_of_a_beat() -> None:
    house = Installation()
    house.lanes = None
    beat = house.beat()
    assert (beat.lanes, beat.oldest, beat.waiting, beat.open) == (None, None, None, 4)


def test_causes_are_read_seldom_and_not_at_all_while_none_is_open() -> None:
    house = Installation()
    for _ in range(2 * CAUSES_EVERY):
        assert list(house.beat().causes or ()) == [GROUP]
    assert house.asked.count("causes") in {2, 3}
    house.letters = {}
    assert house.beat().causes == ()


def test_half_an_hour_is_remembered() -> None:
    house = Installation()
    for _ in range(BEATS + 3):
        house.beat()
    assert len(house.pulse.beats()) == BEATS
    shown = vitals.vitals(house.pulse.beats())
    assert {each.title: each.figure for each in shown}["Open dead letters"] == "4"
    assert all(len(each.values) == vitals.SHOWN for each in shown)
    assert "the last 15 minutes: now 3.0/s, at most 3.0/s" in shown[1].label
    assert not vitals.is_stale(house.pulse.beats(), house.now)
    assert vitals.is_stale(house.pulse.beats(), house.now + timedelta(minutes=1))
    assert vitals.vitals([])[0].figure == "\N{EM DASH}"


def test_the_pulse_beats_at_once_and_stops() -> None:
    house = Installation()
    with house.pulse.beating():
        while not house.pulse.beats():
            pass
    assert house.pulse.beats()[0].retrying == 7


def test_counts_are_summed_over_connections_types_and_processes() -> None:
    registry = CollectorRegistry()
    received = Counter("maintenworks_webhooks_received", "", ["connection", "outcome"], registry=registry)
    ended = Counter("maintenworks_events_processed", "", ["connection", "type", "outcome"], registry=registry)
    lag = Histogram("maintenworks_event_end_to_end_seconds", "", buckets=(0.1, 1), registry=registry)
    last = Gauge("maintenworks_schedule_last_success_timestamp_seconds", "", ["schedule"], registry=registry)
    period = Gauge("maintenworks_schedule_period_seconds", "", ["schedule"], registry=registry)
    for connection in ("a", "b"):
        received.labels(connection, "accepted").inc(3)
        received.labels(connection, "wrong_signature").inc()
        ended.labels(connection, "x", "applied").inc(2)
        ended.labels(connection, "other", "dead_letter").inc()
    lag.observe(0.5)
    last.labels("due_rows").set(9)
    period.labels("due_rows").set(1)
    found = counts.added_up(registry.collect())
    assert found[:4] == (6, 2, 4, 2)
    assert found.lags == [(0.1, 0), (1.0, 1), (float("inf"), 1)]
    assert found.schedules == [("due_rows", 9, 1, 0)]
    assert counts.shared() is None
    assert counts.own().lags
    assert counts.quantile(0.5, found, found) is None


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    found = Plant(tmp_path, f"sqlite:///{tmp_path / 'm.db'}")
    yield found
    found.database.close()


def test_the_database_tells_what_came_and_ended_just_now(plant: Plant) -> None:
    """Deliveries with ids as receivers give them; those of a minute before are not counted as having come."""
    ids = [new_id(NOW - timedelta(seconds=30)), *(new_id(NOW) for _ in range(4))]
    plant._ids = (each for each in ids)
    plant.send(*(event("asset.created", f"A-{n}", "08:00") for n in range(5)))
    found = pace(plant.database, NOW - timedelta(seconds=5), NOW + timedelta(seconds=5))
    assert (found.came, found.ended, found.lags) == (0.5, 0.5, [0.0] * 5)
    assert pace(plant.database, NOW + timedelta(minutes=5), NOW + timedelta(minutes=6)).lags == []
