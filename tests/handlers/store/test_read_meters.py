"""Meters and readings as they are read back: the last one, and those that go the wrong way."""

from typing import Any

import pytest

from handlers.events import Event, Json
from handlers.rules.printing import printed
from handlers.store import migrate
from handlers.store.engine import Database
from handlers.store.read_meters import kept_meters, kept_readings
from handlers.store.read_records import Chosen
from tests import folding


@pytest.fixture
def database(empty_database: Database) -> Database:
    migrate.upgrade(empty_database)
    return empty_database


def reading(key: str, minute: int, value: str | None, **more: Json) -> Event:
    """A reading of meter M; where told of it late, `at` says when."""
    at = more.pop("at", minute)
    assert isinstance(at, int)
    fields: dict[str, Json] = {"meter_ref": {"key": "M", "label": None}, "read_at": _moment(minute), **more}
    return folding.event("meter_reading.recorded", key, fields | ({"value": value} if value else {}), at=at)


def reset(minute: int, value: str | None = None) -> Event:
    return folding.event("meter.reset", "M", {"value": value} if value else {}, at=minute)


def _moment(minute: int) -> str:
    return f"2026-03-01T12:{minute:02d}:00Z"


def meter(database: Database, *events: Event) -> dict[str, Any]:
    folding.apply(database, [[event] for event in events])
    [kept] = kept_meters(database, Chosen())
    return printed(kept)


def lower(database: Database, *events: Event) -> list[tuple[str, str]]:
    """(reading, the one before it) of each that goes the wrong way; a meter and its readings say the same."""
    said = [(each["reading"], each["previous"]) for each in meter(database, *events)["anomalies"]]
    chosen = Chosen("c", filters={"meter": "M"})
    of_readings = [each for kept in kept_readings(database, chosen) for each in kept.anomalies]
    assert [(each["reading"], each["previous"]) for each in of_readings if isinstance(each, dict)] == said
    return said


def test_a_lower_reading_on_a_counter_is_an_anomaly_and_kept(database: Database) -> None:
    facts = (reading("R-1", 1, "100"), reading("R-2", 2, "90.0"), reading("R-3", 3, "95"))
    assert lower(database, *facts) == [("R-2", "100")]
    assert meter(database)["last_reading"] == {
        "key": "R-3",
        "read_at": _moment(3),
        "value": "95",
        "value_text": None,
        "unit": None,
    }


def test_readings_are_ordered_by_when_they_were_read_and_not_told(database: Database) -> None:
    assert lower(database, reading("R-1", 9, "100", at=1), reading("R-2", 2, "90", at=30)) == []
    assert lower(database, reading("R-3", 5, "95", at=31), reading("R-4", 6, "93", at=20)) == [("R-4", "95")]


def test_a_correction_of_a_reading_settles_it(database: Database) -> None:
    assert lower(database, reading("R-1", 1, "100"), reading("R-2", 2, "9")) == [("R-2", "100")]
    assert lower(database, reading("R-2", 2, "109", at=9)) == []


@pytest.mark.parametrize("restart", [{"rollover": True}, {"meter_replaced": True}])
def test_a_rollover_or_a_new_meter_starts_again(database: Database, restart: dict[str, Json]) -> None:
    facts = (reading("R-1", 1, "100"), reading("R-2", 2, "1", **restart), reading("R-3", 3, "0.5"))
    assert lower(database, *facts) == [("R-3", "1")]


def test_a_reset_starts_again_at_its_value_where_it_has_one(database: Database) -> None:
    assert lower(database, reading("R-1", 1, "100"), reset(2), reading("R-2", 2, "1")) == []
    assert meter(database)["last_reset_at"] == _moment(2)
    assert lower(database, reset(3, "0.5"), reading("R-3", 4, "0.4")) == [("R-3", "0.5")]


@pytest.mark.parametrize(
    "odd", [{"reversed": True}, {"kind": "delta"}, {"value_text": "RED", "kind": "characteristic"}]
)
def test_what_is_no_position_of_a_counter_is_not_compared(database: Database, odd: dict[str, Json]) -> None:
    facts = (reading("R-1", 1, "100"), reading("R-2", 2, "5", **odd), reading("R-3", 3, "101"))
    assert lower(database, *facts) == []


def test_a_deleted_reading_is_not_compared_and_not_the_last(database: Database) -> None:
    gone = folding.event("meter_reading.deleted", "R-2", at=5)
    assert lower(database, reading("R-1", 1, "100"), reading("R-2", 2, "500"), reading("R-3", 3, "101"), gone) == []
    assert lower(database, folding.event("meter_reading.restored", "R-2", at=6)) == [("R-3", "500")]


def test_a_gauge_may_fall_and_what_counts_down_may_not_rise(database: Database) -> None:
    gauge = folding.event("meter.updated", "M", {"is_counter": False}, at=9)
    assert lower(database, reading("R-1", 1, "100"), reading("R-2", 2, "90"), gauge) == []
    down = folding.event("meter.updated", "M", {"is_counter": True, "counts_down": True}, at=10)
    assert lower(database, down, reading("R-3", 3, "91")) == [("R-3", "90")]


def test_a_meter_is_what_its_readings_say_until_it_says_so_itself(database: Database) -> None:
    told: dict[str, Json] = {"meter_name": "Hours", "unit": "h", "asset_ref": {"key": "PUMP-1", "label": None}}
    said = meter(database, reading("R-1", 1, "1", **told))
    assert (said["name"], said["unit"], said["asset_ref"]["key"]) == ("Hours", "h", "PUMP-1")
    said = meter(database, folding.event("meter.updated", "M", {"name": "Run time"}))
    assert (said["name"], said["unit"]) == ("Run time", "h")
    [row] = folding.state(database)["meters"]
    assert (row["name"], row["asset_key"]) == ("Run time", "PUMP-1")


def test_versions_order_one_readings_facts_and_time_those_of_different_ones(database: Database) -> None:
    def told(key: str, at: int, version: int, unit: str) -> Event:
        fields: dict[str, Json] = {"meter_ref": {"key": "M", "label": None}, "unit": unit}
        return folding.event("meter_reading.recorded", key, fields, at=at, version=version)

    assert meter(database, told("R-1", 1, 9, "h"), told("R-2", 2, 1, "km"))["unit"] == "km"


def test_a_reading_stands_in_the_history_of_its_asset(database: Database) -> None:
    folding.apply(database, [[reading("R-1", 1, "1", unit="h", asset_ref={"key": "PUMP-1", "label": None})]])
    [line] = folding.state(database)["asset_history"]
    assert (line["asset_key"], line["subject_key"]) == ("PUMP-1", "R-1")
    assert line["detail"] == {"value": "1", "unit": "h", "read_at": _moment(1)}


def test_a_reading_that_does_not_say_when_was_read_when_it_was_told(database: Database) -> None:
    folding.apply(database, [[folding.event("meter_reading.recorded", "R-1", {"value": "1"}, at=7)]])
    [kept] = kept_readings(database, Chosen())
    assert printed(kept)["read_at"] == _moment(7)
