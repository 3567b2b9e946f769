"""Meters and readings as they are read back: the last one, and those that go the wrong way."""

from typing import Any

import pytest

from handlers.events import Event, Json
from handlers.rules.printing import printed
from handlers.store.engine import Database
from handlers.store.read_meters import kept_meters, kept_readings
from handlers.store.read_records import Chosen
from tests import folding


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


def test_the_kind_of_a_reading_does_not_hide_that_it_is_one(database: Database) -> None:
    folding.apply(database, [[reading("R-1", 1, "100", kind="delta")]])
    [told] = [printed(kept) for kept in kept_readings(database, Chosen())]
    assert (told["kind"], told["reading_kind"]) == ("meter_reading", "delta")


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
    # Nor does it hide, from the one behind it, the one before it.
    assert lower(database, reading("R-4", 3, "99")) == [("R-4", "101")]
    assert lower(database, reading("R-5", 4, "1", **odd), reading("R-6", 5, "98")) == [("R-4", "101"), ("R-6", "99")]


def test_a_deleted_reading_is_not_compared_and_not_the_last(database: Database) -> None:
    gone = folding.event("meter_reading.deleted", "R-2", at=5)
    assert lower(database, reading("R-1", 1, "100"), reading("R-2", 2, "500"), reading("R-3", 3, "101"), gone) == []
    assert lower(database, reading("R-4", 2, "99", at=4)) == [("R-4", "100")]
    settled = folding.event("meter_reading.deleted", "R-4", at=5)
    assert lower(database, settled) == []
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


def _day(number: int, value: str, **more: Json) -> Event:
    return reading(f"R-{number}", 0, value, **{"read_at": f"2026-03-{number:02d}T00:00:00Z", **more})


def test_usage_goes_on_over_every_epoch_and_says_what_the_average_is_of(database: Database) -> None:
    """990 to 998; over the end at 1000 to 3; a new meter at 50 and on to 54; a reset to 0 and on to 2: 8+5+4+2."""
    rim = folding.event("meter.updated", "M", {"is_counter": True, "rollover_at": "1000"}, at=1)
    told = [
        _day(1, "990"),
        _day(3, "998"),
        _day(5, "3", rollover=True),
        _day(6, "50", meter_replaced=True),
        _day(9, "54"),
        folding.event("meter.reset", "M", {"value": "0", "read_at": "2026-03-10T00:00:00Z"}, at=2),
        _day(20, "2"),
    ]
    said = meter(database, rim, *reversed(told))
    assert (said["epochs"], said["epoch_started_at"]) == (4, "2026-03-10T00:00:00Z")
    assert said["usage"] == {
        "counted": "19",
        "per_day": "1",
        "rule": "readings of the 365 days up to the last",
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-03-20T00:00:00Z",
        "readings": 7,
    }
    corrected = reading("R-9", 0, "55", read_at="2026-03-09T00:00:00Z", at=9)
    assert meter(database, corrected)["usage"]["counted"] == "20"


def test_what_counts_down_is_used_up_and_a_gauge_counts_nothing(database: Database) -> None:
    down = folding.event("meter.updated", "M", {"is_counter": True, "counts_down": True}, at=1)
    assert meter(database, down, _day(1, "100"), _day(3, "97"))["usage"]["per_day"] == "1.5"
    said = meter(database, folding.event("meter.updated", "M", {"is_counter": False}, at=2))
    assert (said["epochs"], said["usage"]) == (1, None)


def test_a_single_reading_has_no_average_and_a_wrong_one_none_of_the_usage(database: Database) -> None:
    assert meter(database, reading("R-0", 0, None, value_text="RED"))["usage"] is None
    assert meter(database, _day(1, "5"))["usage"]["per_day"] is None
    assert meter(database, _day(2, "1"), _day(3, "7"))["usage"]["counted"] == "2"
