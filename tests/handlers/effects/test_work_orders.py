"""What events do to work orders, seen in the rows that come out."""

from pathlib import Path
from typing import Any

import pytest

from handlers.events import Event, Json
from handlers.rules.registers import Record
from handlers.store import records
from handlers.store.engine import Database
from tests import folding


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return folding.sqlite(tmp_path)


def status(word: str) -> Json:
    return {"value": word, "source_code": None, "source_label": None}


def asset(key: str) -> Json:
    return {"key": key, "label": None}


def created(at: int = 0, **fields: Json) -> Event:
    return folding.event("work_order.created", "WO-1", {"status": status("approved"), **fields}, at=at)


def changed(verb: str, at: int, version: int | None = None, **fields: Json) -> Event:
    return folding.event(f"work_order.{verb}", "WO-1", fields, at=at, version=version)


def completed(at: int, **fields: Json) -> Event:
    return folding.event("work_order.completed", "WO-1", {"status": status("completed"), **fields}, at=at)


def order(database: Database, *events: Event) -> dict[str, Any]:
    """The order's row after events that came in one by one, with what it says of itself as `said`."""
    folding.apply(database, [[event] for event in events])
    [row] = folding.state(database)["work_orders"]
    return {**row, "said": records.read(row["fields"], row["registers"]).visible()}


def test_completed_at_is_the_time_of_the_fact_unless_one_is_given(database: Database) -> None:
    assert order(database, created(), completed(5))["said"]["completed_at"] == "2026-03-01T12:05:00Z"


def test_a_completed_at_that_is_given_wins_over_the_time_of_the_fact(database: Database) -> None:
    row = order(database, created(), completed(5, completed_at="2026-03-01T12:03:00Z"))
    assert row["said"]["completed_at"] == "2026-03-01T12:03:00Z"
    assert row["completed_at"].minute == 3


@pytest.mark.parametrize("word", ["requested", "approved", "scheduled", "in_progress", "on_hold"])
def test_going_back_to_work_clears_both_completed_at(database: Database, word: str) -> None:
    given = "2026-03-01T12:03:00Z"
    row = order(database, created(), completed(5, completed_at=given), changed("updated", 9, status=status(word)))
    assert "completed_at" not in row["said"]


def test_a_null_clears_and_an_absent_field_touches_nothing(database: Database) -> None:
    row = order(database, created(title="Seal", description="Leaks"), changed("updated", 1, title=None))
    assert row["said"]["description"] == "Leaks"
    assert "title" not in row["said"]


def test_a_version_orders_before_the_time_does(database: Database) -> None:
    row = order(database, changed("updated", 9, version=1, title="old"), changed("updated", 1, version=2, title="new"))
    assert row["title"] == "new"


def test_deletion_is_a_register_and_facts_fold_on_underneath(database: Database) -> None:
    row = order(database, created(), changed("deleted", 5), changed("updated", 6, title="Seal"))
    assert row["is_deleted"]
    assert row["said"]["title"] == "Seal"
    row = order(database, changed("restored", 7))
    assert not row["is_deleted"]


def test_a_full_record_clears_what_its_mapper_lists_and_keeps_what_it_does_not(database: Database) -> None:
    full = folding.event(
        "work_order.updated", "WO-1", {"title": "New"}, at=5, full_fields=("title", "description"), custom={"x": "2"}
    )
    before = folding.event(
        "work_order.updated", "WO-1", {"description": "Old", "priority": status("high")}, at=1, custom={"y": "1"}
    )
    late = folding.event("work_order.updated", "WO-1", {"description": "Late"}, at=2, custom={"z": "1"})
    row = order(database, before, full, late)
    assert set(row["said"]) == {"title", "priority", "custom_fields", "is_deleted"}
    assert row["said"]["custom_fields"] == {"x": "2"}


def test_an_illegal_move_is_applied_and_marked(database: Database) -> None:
    row = order(database, created(), changed("cancelled", 1, status=status("cancelled")), completed(2))
    assert row["status"] == "completed"
    assert [(each["code"], each["from"], each["to"]) for each in row["anomalies"]] == [
        ("illegal_transition", "cancelled", "completed")
    ]


def test_an_anomaly_goes_when_the_fact_that_was_missing_comes(database: Database) -> None:
    closed = changed("status_changed", 9, status=status("closed"))
    assert order(database, created(), closed)["anomalies"] != []
    assert order(database, completed(5))["anomalies"] == []


def test_a_doubt_stands_as_long_as_the_value_that_it_is_about(database: Database) -> None:
    doubt = {"code": "status_unmapped", "path": "$.data.status", "detail": "no word of ours"}
    doubtful = folding.event("work_order.updated", "WO-1", {"status": status("unknown")}, at=5, warnings=(doubt,))
    folding.apply(database, [[created()], [doubtful]])
    assert kept(database).warnings() == [doubt]
    folding.apply(database, [[changed("updated", 6, title="Seal")]])
    assert kept(database).warnings() == [doubt]
    assert "warnings.status" not in kept(database).visible()
    folding.apply(database, [[changed("updated", 7, status=status("approved"))]])
    assert kept(database).warnings() == []


def kept(database: Database) -> Record:
    [row] = folding.state(database)["work_orders"]
    return records.read(row["fields"], row["registers"])


def spells(database: Database, *events: Event) -> list[tuple[int, int | None, bool]]:
    """The order's spans as (start, end, void) in minutes after noon."""
    folding.apply(database, [[event] for event in events])
    return [
        (
            int((row["started_at"] - folding.NOON).total_seconds() / 60),
            None if row["ended_at"] is None else int((row["ended_at"] - folding.NOON).total_seconds() / 60),
            row["is_void"],
        )
        for row in folding.state(database)["downtime"]
    ]


def test_a_spell_runs_from_the_first_fact_with_both_to_the_one_where_either_fails(database: Database) -> None:
    down = created(asset_down=True, asset_ref=asset("PUMP-1"))
    assert spells(database, down, completed(60)) == [(0, 60, False)]


def test_no_status_no_spell(database: Database) -> None:
    assert spells(database, changed("updated", 0, asset_down=True)) == []


def test_waiting_for_parts_is_down_time_and_closing_never_extends_it(database: Database) -> None:
    on_hold = changed("status_changed", 5, status=status("on_hold"))
    closed = changed("status_changed", 90, status=status("closed"))
    assert spells(database, created(asset_down=True), on_hold, completed(60), closed) == [(0, 60, False)]


def test_a_spell_ends_at_the_completed_at_that_the_ending_fact_gives(database: Database) -> None:
    end = completed(60, completed_at="2026-03-01T12:40:00Z")
    assert spells(database, created(asset_down=True), end) == [(0, 40, False)]


def test_a_reopened_order_has_a_second_spell_and_one_failure(database: Database) -> None:
    reopened = changed("reopened", 120, status=status("in_progress"))
    down = created(asset_down=True, asset_ref=asset("PUMP-1"))
    assert spells(database, down, completed(60), reopened, completed(150)) == [(0, 60, False), (120, 150, False)]
    figures = folding.asset_figures(database, folding.NOON, folding.NOON.replace(hour=18))["PUMP-1"]
    assert (figures.failures_reported, figures.failures_effective) == (1, 1)
    assert figures.unplanned_downtime.total_seconds() == 90 * 60


def test_cancelling_voids_a_spell_in_which_no_work_had_begun(database: Database) -> None:
    cancelled = changed("cancelled", 60, status=status("cancelled"))
    assert spells(database, created(asset_down=True), cancelled) == [(0, 60, True)]


def test_cancelling_ends_a_spell_in_which_work_had_begun(database: Database) -> None:
    begun = changed("status_changed", 10, status=status("in_progress"))
    cancelled = changed("cancelled", 60, status=status("cancelled"))
    assert spells(database, created(asset_down=True), begun, cancelled) == [(0, 60, False)]


def test_a_deleted_orders_spells_are_void_until_it_is_restored(database: Database) -> None:
    assert spells(database, created(asset_down=True), changed("deleted", 9)) == [(0, None, True)]
    assert spells(database, changed("restored", 10)) == [(0, None, False)]


def test_malfunction_times_replace_the_first_start_and_the_last_ended_end(database: Database) -> None:
    told = changed(
        "updated", 200, malfunction_start_at="2026-03-01T11:50:00Z", malfunction_end_at="2026-03-01T14:20:00Z"
    )
    reopened = changed("reopened", 120, status=status("in_progress"))
    facts = (created(asset_down=True), completed(60), reopened, completed(150), told)
    assert spells(database, *facts) == [(-10, 60, False), (120, 140, False)]


@pytest.mark.parametrize("kind", ["preventive", "inspection", "calibration"])
def test_planned_types_stop_the_asset_only_once_work_begins_and_fail_nothing(database: Database, kind: str) -> None:
    begun = changed("status_changed", 10, status=status("in_progress"))
    assert spells(database, created(asset_down=True, type=kind), begun, completed(60)) == [(10, 60, False)]
    [row] = folding.state(database)["downtime"]
    assert (row["planned"], row["failure"]) == (True, False)


def test_spells_follow_the_order_to_another_asset(database: Database) -> None:
    down = created(asset_down=True, asset_ref=asset("PUMP-1"))
    spells(database, down, changed("updated", 5, asset_ref=asset("PUMP-2")))
    assert [row["asset_key"] for row in folding.state(database)["downtime"]] == ["PUMP-2"]


def test_begun_work_that_was_cancelled_though_hours_are_booked_is_marked_whenever_they_come(database: Database) -> None:
    begun = changed("status_changed", 5, status=status("in_progress"))
    cancelled = changed("cancelled", 10, status=status("cancelled"))
    assert order(database, created(), cancelled, begun)["anomalies"] == []
    [anomaly] = order(database, changed("updated", 7, actual_labor=3600))["anomalies"]
    assert anomaly == {
        "code": "illegal_transition",
        "from": "in_progress",
        "to": "cancelled",
        "at": "2026-03-01T12:10:00Z",
        "because": "actuals",
    }
    assert order(database, changed("updated", 8, actual_labor=0))["anomalies"] == []
