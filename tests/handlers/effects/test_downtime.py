"""Down time told as intervals and as a status stream, and when which of it counts."""

from pathlib import Path
from typing import Any

import pytest

from handlers.events import Event, Json
from handlers.store.engine import Database
from tests import folding

PUMP: Json = {"key": "PUMP-1", "label": None}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return folding.sqlite(tmp_path)


def told(verb: str, at: int, **fields: Json) -> Event:
    return folding.event(f"downtime.{verb}", "D-1", fields, at=at)


def status(word: str, at: int) -> Event:
    return folding.event("asset.status_changed", "PUMP-1", {"status": {"value": word}}, at=at)


def spans(database: Database, *events: Event) -> list[dict[str, Any]]:
    folding.apply(database, [[event] for event in events])
    return folding.state(database)["downtime"]


def minutes(database: Database, *events: Event) -> list[tuple[int | None, int | None]]:
    return [
        (
            None if row["started_at"] is None else int((row["started_at"] - folding.NOON).total_seconds() / 60),
            None if row["ended_at"] is None else int((row["ended_at"] - folding.NOON).total_seconds() / 60),
        )
        for row in spans(database, *events)
    ]


def test_starts_and_ends_default_to_the_times_of_their_facts(database: Database) -> None:
    assert minutes(database, told("started", 5, asset_ref=PUMP), told("ended", 30)) == [(5, 30)]


def test_a_correction_moves_both_and_a_late_start_never_clears_an_end(database: Database) -> None:
    corrected = told("corrected", 60, started_at="2026-03-01T11:59:00Z", ended_at="2026-03-01T12:20:00Z")
    assert minutes(database, corrected, told("ended", 30), told("started", 5)) == [(-1, 20)]


@pytest.mark.parametrize(
    ("fields", "planned", "failure"),
    [
        ({}, False, True),
        ({"planned": False}, False, True),
        ({"planned": True}, True, False),
        ({"planned": None}, None, True),
        ({"planned": True, "failure": True}, True, True),
        ({"failure": False}, False, False),
        ({"cause": "equipment"}, False, True),
        ({"cause": "external"}, False, False),
        ({"cause": "operational"}, False, False),
        ({"cause": "external", "failure": True}, False, True),
    ],
)
def test_what_was_never_stated_reads_as_the_contract_says(
    database: Database, fields: dict[str, Json], planned: object, failure: object
) -> None:
    [row] = spans(database, told("started", 0, **fields))
    assert (row["planned"], row["failure"]) == (planned, failure)


def test_only_a_restore_lifts_a_void(database: Database) -> None:
    [row] = spans(database, told("started", 0), told("voided", 5), told("ended", 9), told("started", 10))
    assert row["is_void"]
    [row] = spans(database, told("restored", 20))
    assert not row["is_void"]


def test_what_cannot_be_is_an_anomaly_and_kept(database: Database) -> None:
    [row] = spans(database, told("ended", 9))
    assert [each["code"] for each in row["anomalies"]] == ["end_without_start"]
    [row] = spans(database, told("started", 20))
    assert [each["code"] for each in row["anomalies"]] == ["end_before_start"]
    [row] = spans(database, told("corrected", 30, planned=None, started_at="2026-03-01T12:00:00Z"))
    assert [each["code"] for each in row["anomalies"]] == ["planned_unknown"]


def test_a_plain_date_is_its_first_midnight_and_marked(database: Database) -> None:
    [row] = spans(database, told("started", 0, started_at="2026-02-28"))
    assert row["started_at"].isoformat() == "2026-02-28T00:00:00+00:00"
    assert row["day_precision"]


def test_a_status_stream_is_down_from_edge_to_edge_whatever_order_it_came_in(database: Database) -> None:
    stream = [status("operating", 30), status("down", 0), status("maintenance", 10), status("standby", 20)]
    assert minutes(database, *stream) == [(0, 10), (10, 20)]
    assert [row["planned"] for row in spans(database)] == [False, True]


def test_a_late_edge_ends_only_the_span_before_it(database: Database) -> None:
    assert minutes(database, status("down", 0), status("down", 40)) == [(0, 40), (40, None)]
    assert minutes(database, status("operating", 20)) == [(0, 20), (40, None)]


def test_a_plain_update_of_an_assets_status_makes_no_down_time(database: Database) -> None:
    updated = folding.event("asset.updated", "PUMP-1", {"status": {"value": "down"}}, at=0)
    assert spans(database, updated) == []
    [row] = folding.state(database)["assets"]
    assert row["status"] == "down"
