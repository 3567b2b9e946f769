"""Times of orders, lateness, and what is booked, each from the facts alone."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.events import Event, Json
from handlers.rules.actuals import actual_labor, estimated_labor, has_actuals
from handlers.rules.facts import fact, fold_all
from handlers.rules.lateness import due_end, lateness
from handlers.rules.registers import Record
from handlers.rules.trail import step
from handlers.rules.work_figures import Window, WorkFigures, pool_work, work_figures
from handlers.rules.work_times import WorkTimes, work_times
from tests import folding
from tests.handlers.rules.sweep import untimed

KPI = json.loads((Path(__file__).parents[2] / "samples" / "kpi-examples.json").read_text())
NOW = folding.NOON + timedelta(minutes=100)
Told = tuple[int, str | None]
VERBS = ("reopened", "deleted", "restored", "cancelled", "completed")


def told(minute: int, said: str | None, /, **fields: Json) -> Event:
    """A fact at a minute: a status, or one of the verbs that imply one."""
    implied = {"reopened": "in_progress"}.get(said or "", said)
    if said is not None and said not in {"deleted", "restored"}:
        fields = {"status": {"value": implied}, **fields}
    return folding.event(
        f"work_order.{said if said in VERBS else 'updated'}", "WO-1", fields, at=minute, id_=f"{minute:03d}"
    )


def order(*events: Event) -> Record:
    """The record of facts that came in any order."""
    held = {("c", "WO-1"): Record()}
    shuffled = [fact(each) for each in events]
    Random(len(events)).shuffle(shuffled)
    fold_all(shuffled, held, step)
    return held["c", "WO-1"]


def minutes(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds() / 60


def times(*life: Told, **fields: Json) -> tuple[float | None, ...]:
    """React, repair, in progress and on hold, in minutes; `fields` are stated by the first fact."""
    events = [told(*each, **(fields if place == 0 else {})) for place, each in enumerate(life)]
    found = work_times(order(*events), NOW)
    return tuple(map(minutes, (found.react, found.repair, found.in_progress, found.on_hold)))


def test_a_whole_life() -> None:
    life: tuple[Told, ...] = ((0, "requested"), (5, "approved"), (10, "in_progress"), (20, "on_hold"))
    assert times(*life, (50, "in_progress"), (60, "completed"), (70, "closed")) == (10, 50, 20, 30)
    assert times(*life) == (10, None, 10, 80)


def test_a_quick_report_reacted_when_it_was_done_and_nobody_knows_how_long_it_took() -> None:
    assert times((0, "approved"), (30, "completed")) == (30, None, 0, 0)
    began: Json = "2026-03-01T12:20:00Z"
    assert times((0, "approved"), (30, "completed"), actual_start_at=began) == (20, 10, 0, 0)


def test_an_order_first_seen_when_it_was_done_tells_nothing_of_before() -> None:
    assert times((0, "completed"), (5, "closed")) == (None, None, None, None)
    assert times((0, None)) == (None, None, None, None)


def test_a_report_is_stated_or_the_first_fact_of_an_order_not_begun() -> None:
    assert times((10, "in_progress"), (20, "completed")) == (None, 10, 10, 0)
    assert times((10, "in_progress"), requested_at="2026-03-01T12:04:00Z")[0] == 6
    assert times((10, "in_progress"), requested_at="2026-03-01")[0] is None
    assert times((10, "in_progress"), requested_at="2026-03-01T12:11:00Z")[0] is None


def test_the_hours_between_completion_and_reopening_are_none_of_the_repair() -> None:
    reopened: tuple[Told, ...] = ((0, "approved"), (10, "in_progress"), (20, "completed"), (60, "reopened"))
    assert times(*reopened)[1] is None
    assert times(*reopened, (65, "completed"))[1] == 15


def test_work_that_was_not_begun_after_all_starts_anew_and_a_deletion_interrupts_nothing() -> None:
    assert times((0, "in_progress"), (10, "approved"), (20, "in_progress"), (30, "completed"))[1:3] == (10, 20)
    assert times((0, "in_progress"), (10, "deleted"), (20, "restored"), (30, "completed"))[1:3] == (30, 20)


def test_a_completion_is_when_the_work_ended_and_contradictions_tell_nothing() -> None:
    ended = told(30, "completed", completed_at="2026-03-01T12:25:00Z")
    before = told(30, "completed", completed_at="2026-03-01T12:05:00Z")
    begun = (told(0, "approved"), told(10, "in_progress"))
    assert minutes(work_times(order(*begun, ended), NOW).repair) == 15
    assert work_times(order(*begun, before), NOW).repair is None


@pytest.mark.parametrize(
    ("life", "count"),
    [
        (((0, "completed"), (1, "reopened"), (2, "completed"), (3, "reopened")), 2),
        (((0, "completed"), (1, "in_progress")), 1),
        (((0, "closed"), (1, "approved")), 1),
        (((0, "in_progress"), (1, "reopened")), 1),
        (((0, "completed"), (1, "reopened"), (2, "in_progress")), 1),
        (((0, "completed"), (1, "closed"), (2, "closed")), 0),
        (((0, "cancelled"), (1, "in_progress")), 0),
        (((0, "completed"), (1, "deleted"), (2, "restored")), 0),
    ],
)
def test_rework_is_finished_work_that_began_again(life: tuple[Told, ...], count: int) -> None:
    found = work_times(order(*(told(*each) for each in life)), NOW)
    assert (found.reopened, found.row()["rework"]) == (count, count > 0)


STEPS = st.lists(
    st.tuples(st.integers(0, 99), st.sampled_from((None, "requested", "approved", "on_hold", "closed", *VERBS))),
    max_size=8,
    unique_by=lambda each: each[0],
)


@untimed
@given(STEPS)
def test_no_time_is_negative_or_longer_than_the_order_is_old(life: list[Told]) -> None:
    found = work_times(order(*(told(*each) for each in life)), NOW)
    lengths = [each for each in (found.react, found.repair, found.in_progress, found.on_hold) if each is not None]
    assert all(timedelta() <= each <= timedelta(minutes=100) for each in lengths)
    assert found == WorkTimes() or found.since is not None


# Lateness

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"due_at": "2026-03-05T10:00:00Z", "due_date": "2026-03-01"}, "2026-03-05T10:00:00+00:00"),
        ({"due_date": "2026-03-28"}, "2026-03-28T23:00:00+00:00"),
        ({"due_date": "2026-03-29"}, "2026-03-29T22:00:00+00:00"),
        ({"due_date": "9999-12-31"}, None),
        ({}, None),
    ],
)
def test_a_due_day_ends_at_the_local_midnight(fields: dict[str, Json], end: str | None) -> None:
    found = due_end(fields, BERLIN)
    assert (None if found is None else found.isoformat()) == end


def test_late_is_from_the_moment_on_and_only_while_unfinished() -> None:
    due: dict[str, Json] = {"due_at": "2026-03-01T12:00:00Z", "status": {"value": "on_hold"}}
    second = timedelta(seconds=1)
    assert lateness(due, UTC, folding.NOON - second) == {"overdue": False, "overdue_by": None}
    assert lateness(due, UTC, folding.NOON) == {"overdue": True, "overdue_by": 0}
    assert lateness({**due, "is_deleted": True}, UTC, NOW)["overdue"] is False
    for status, late in (("closed", False), ("cancelled", False), ("requested", True), ("unknown", None)):
        assert lateness({**due, "status": {"value": status}}, UTC, NOW)["overdue"] is late


# What is booked


@pytest.mark.parametrize(
    ("fields", "booked"),
    [
        ({}, False),
        ({"actual_labor": 0, "actual_start_at": "2026-03-01T12:00:00Z", "labor": [], "parts": None}, False),
        ({"actual_labor": 60}, True),
        ({"actual_duration": 60}, True),
        ({"labor": [{"seconds": 0}, {"seconds": 5}]}, True),
        ({"labor": [{"cost": {"amount": "2.50", "currency": None}}]}, True),
        ({"parts": [{"planned_qty": {"value": "1"}}, {"used_qty": {"value": "0.5", "unit": None}}]}, True),
        ({"parts": [{"used_qty": {"value": "0"}}]}, False),
        ({"costs": {"material": {"planned": {"amount": "9"}, "actual": {"amount": "0"}}}}, False),
        ({"costs": {"total": {"actual": {"amount": "0.01", "currency": "EUR"}}}}, True),
    ],
)
def test_time_material_and_money_are_actuals_and_plans_are_none(fields: dict[str, Json], booked: bool) -> None:  # noqa: FBT001  # a case's expected value
    assert has_actuals(fields) is booked


def test_hours_are_stated_or_summed_or_the_duration() -> None:
    lines: Json = [{"seconds": 60}, {"person": {"key": "7"}}, {"seconds": 30}]
    assert actual_labor({"actual_labor": 5, "labor": lines}) == 5
    assert actual_labor({"labor": lines, "actual_duration": 7}) == 90
    assert actual_labor({"labor": [{}], "actual_duration": 7}) == 7
    assert actual_labor({}) is None
    assert estimated_labor({"estimated_labor": 5, "estimated_duration": 9}) == 5
    assert estimated_labor({"estimated_duration": 9}) == 9


# Figures of work

MARCH = Window(folding.NOON, folding.NOON + timedelta(days=31), folding.NOON + timedelta(days=40))


def work(hours: float, type_: str, at: int = 10) -> WorkFigures:
    done = told(at, "completed", type=type_, actual_labor=int(hours * 3600))
    return work_figures(order(told(0, "approved"), done), MARCH, UTC)


def test_the_published_planned_maintenance_percentage() -> None:
    [example] = [each for each in KPI["examples"] if each["id"] == "pmp-500-400"]
    planned, total = example["input"]["planned_h"], example["input"]["total_h"]
    row = pool_work([work(planned, "preventive"), work(total - planned, "corrective")]).row()
    assert row["planned_maintenance_ratio"] == example["expected"]["pmp_pct"] / 100


def test_of_no_work_every_ratio_is_null() -> None:
    row = pool_work([]).row(0)
    ratios = ("planned_maintenance_ratio", "corrective_ratio", "rework_ratio", "schedule_compliance")
    assert [row[name] for name in (*ratios, "ready_backlog_weeks")] == [None] * 5


def test_parts_of_a_window_add_up_to_it() -> None:
    events = (told(0, "approved", type="corrective", actual_labor=60), told(10, "completed"))
    held = order(*events)
    edges = [folding.NOON, folding.NOON + timedelta(minutes=10), datetime(2026, 4, 1, tzinfo=UTC)]
    parts = [work_figures(held, Window(*each, MARCH.now), UTC).finished for each in itertools.pairwise(edges)]
    assert parts == [0, 1]
    assert work_figures(order(*events, told(20, "deleted")), MARCH, UTC) == WorkFigures()


def test_a_request_is_no_work_beside_the_order_that_it_became() -> None:
    asked = [order(told(0, "approved", record_kind=kind, estimated_labor=3600)) for kind in ("request", "order")]
    ready = [work_figures(each, MARCH, UTC).ready_work for each in asked]
    assert ready == [0, 3600]
