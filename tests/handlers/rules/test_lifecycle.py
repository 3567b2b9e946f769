import itertools
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.events import Action
from handlers.rules.lifecycle import DELETED, NEXT, REOPENED, Move, illegal_moves, transitions
from tests.handlers.rules.sweep import untimed

KPI = json.loads((Path(__file__).parents[2] / "samples" / "kpi-examples.json").read_text())
START = datetime(2026, 3, 1, 8, tzinfo=UTC)
DELETE = (None, Action.DELETED)
RESTORE = (None, Action.RESTORED)
REOPEN = ("in_progress", Action.REOPENED)
Step = str | None | tuple[str | None, str]


def life(*steps: Step) -> list[Move]:
    """Moves an hour apart: a status, None for a fact that states none, or a pair of status and action."""
    pairs = [step if isinstance(step, tuple) else (step, None) for step in steps]
    return [
        Move(at=START + timedelta(hours=each), value=value, action=action) for each, (value, action) in enumerate(pairs)
    ]


def illegal(*steps: Step) -> list[tuple[str, str]]:
    return [(each["from"], each["to"]) for each in illegal_moves(life(*steps))]


def test_a_whole_regular_life_has_no_anomaly() -> None:
    steps = ("requested", "approved", "scheduled", "in_progress", "on_hold", "in_progress", "completed", "closed")
    assert illegal(*steps, REOPEN, "completed", "closed") == []


def test_an_illegal_move_is_told_with_where_from_where_to_and_when() -> None:
    assert illegal_moves(life("requested", "completed")) == [
        {"code": "illegal_transition", "from": "requested", "to": "completed", "at": "2026-03-01T09:00:00Z"}
    ]


TABLE = {
    "requested": "approved cancelled",
    "approved": "scheduled in_progress on_hold completed cancelled",
    "scheduled": "approved in_progress on_hold completed cancelled",
    "in_progress": "approved scheduled on_hold completed cancelled",
    "on_hold": "approved scheduled in_progress completed cancelled",
    "completed": "closed",
    "closed": "",
    "cancelled": "",
}
"""Written again from the published table, without the reopening column."""


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(TABLE, 2)))
def test_every_pair_of_statuses_is_judged_by_the_table(before: str, after: str) -> None:
    assert illegal(before, after) == ([] if after in TABLE[before].split() else [(before, after)])


@pytest.mark.parametrize("before", TABLE)
def test_only_what_was_completed_or_closed_is_reopened_regularly(before: str) -> None:
    assert illegal(before, REOPEN) == ([] if before in {"completed", "closed"} else [(before, "reopened")])


@pytest.mark.parametrize("after", TABLE)
def test_a_reopened_order_goes_on_or_is_completed(after: str) -> None:
    regular = after in {"in_progress", "on_hold", "completed"}
    assert illegal("completed", REOPEN, after) == ([] if regular else [("reopened", after)])


def test_a_reopened_order_that_stated_in_progress_again_is_in_progress() -> None:
    assert illegal("completed", REOPEN, "in_progress", "cancelled") == []


def test_a_reopening_without_a_status_is_one_all_the_same() -> None:
    assert illegal("completed", (None, Action.REOPENED), "completed") == []


def test_completed_work_that_is_merely_in_progress_again_was_never_reopened() -> None:
    assert illegal("completed", "in_progress") == [("completed", "in_progress")]


def test_a_quick_report_is_regular_and_a_request_completed_is_a_jump() -> None:
    assert illegal("approved", "completed") == []
    assert illegal("requested", "completed") == [("requested", "completed")]


@pytest.mark.parametrize("status", TABLE)
def test_a_repeat_of_a_status_is_an_update(status: str) -> None:
    assert illegal(status, status, None, status) == []


def test_facts_without_status_are_no_moves() -> None:
    assert illegal("requested", None, "approved", None, "in_progress") == []


@pytest.mark.parametrize("status", [*TABLE, REOPEN])
def test_the_first_state_seen_is_never_judged(status: Step) -> None:
    assert illegal(None, status) == []


@pytest.mark.parametrize("status", TABLE)
def test_a_status_outside_the_table_is_not_judged_on_either_side(status: str) -> None:
    assert illegal(status, "unknown", status) == []


@pytest.mark.parametrize("after", [status for status in TABLE if status != "cancelled"])
def test_whatever_follows_cancelling_is_applied_and_marked_once(after: str) -> None:
    assert illegal("approved", "cancelled", after, after) == [("cancelled", after)]


@pytest.mark.parametrize("status", TABLE)
def test_deleting_is_regular_from_anywhere(status: str) -> None:
    assert illegal(status, DELETE, DELETE) == []


def test_a_move_of_a_deleted_order_is_marked_and_the_next_judged_by_where_it_led() -> None:
    assert illegal("in_progress", DELETE, "completed", "closed") == [("deleted", "completed")]
    assert illegal("in_progress", DELETE, REOPEN, "completed") == [("deleted", "reopened")]


def test_an_update_that_repeats_the_status_of_a_deleted_order_is_no_move() -> None:
    assert illegal("in_progress", DELETE, "in_progress", None) == []


def test_a_deletion_may_state_a_status_which_a_repeat_does_not_move() -> None:
    assert illegal("in_progress", ("closed", Action.DELETED), "closed") == []


def test_restoring_is_regular_and_life_goes_on_where_it_was() -> None:
    assert illegal("in_progress", DELETE, RESTORE, "completed") == []
    assert illegal("requested", DELETE, RESTORE, "completed") == [("requested", "completed")]


def test_restoring_to_a_stated_status_is_regular_from_deleted_and_from_cancelled() -> None:
    assert illegal("requested", DELETE, ("in_progress", Action.RESTORED), "completed") == []
    assert illegal("cancelled", ("approved", Action.RESTORED), "in_progress") == []


def test_restoring_a_cancelled_order_without_a_status_leaves_it_cancelled() -> None:
    assert illegal("cancelled", RESTORE, "approved") == [("cancelled", "approved")]


def test_restoring_what_was_reopened_before_it_was_deleted_leaves_it_in_progress() -> None:
    assert illegal("completed", (None, Action.REOPENED), DELETE, RESTORE, "in_progress", "cancelled") == []


def test_the_table_leads_nowhere_that_it_does_not_know() -> None:
    assert set().union(*NEXT.values()) <= set(NEXT)
    assert set(NEXT) == {*TABLE, REOPENED, DELETED}


def cancelled(*steps: Step) -> list[dict[str, str]]:
    return illegal_moves(life(*steps), actuals=True)


@pytest.mark.parametrize("begun", ["in_progress", "on_hold"])
def test_begun_work_is_cancelled_regularly_only_as_long_as_nothing_is_booked(begun: str) -> None:
    assert illegal("approved", begun, "cancelled") == []
    [told] = cancelled("approved", begun, "cancelled")
    assert (told["from"], told["to"], told["because"]) == (begun, "cancelled", "actuals")
    assert [each["because"] for each in cancelled(begun, "cancelled", DELETE)] == ["actuals"]
    assert [each["because"] for each in cancelled(begun, "cancelled", DELETE, RESTORE, "cancelled")] == ["actuals"]


def test_what_is_booked_says_nothing_of_a_cancelling_that_was_taken_back_or_came_before_any_work() -> None:
    assert [each["to"] for each in cancelled("in_progress", "cancelled", "approved")] == ["approved"]
    assert cancelled("in_progress", "cancelled", ("in_progress", Action.RESTORED), "completed") == []
    assert cancelled("approved", "cancelled") == []


def test_a_jump_over_completion_has_only_its_own_mark() -> None:
    assert [("because" in each) for each in cancelled("in_progress", "completed", "cancelled")] == [False]


def test_transitions_leave_out_what_moves_nothing_and_remember_the_fact() -> None:
    found = transitions(life("approved", "approved", None, "in_progress", DELETE, RESTORE))
    pairs = [(each.before, each.after) for each in found]
    assert pairs == [
        (None, "approved"),
        ("approved", "in_progress"),
        ("in_progress", "deleted"),
        ("deleted", "in_progress"),
    ]
    assert [each.move.at.hour for each in found] == [8, 11, 12, 13]


MAXIMO = {
    "WAPPR": "requested",
    "APPR": "approved",
    "WSCH": "scheduled",
    "WMATL": "on_hold",
    "WPCOND": "on_hold",
    "INPRG": "in_progress",
    "COMP": "completed",
    "CAN": "cancelled",
    "CLOSE": "closed",
}
NOT_FOLLOWED = {
    "closed": "ours goes through completed: work that is filed without being done is a jump to be seen",
    "requested": "ours takes no approval back: what was approved and is asked for again is a jump",
}
"""Where moves lead that Maximo allows and our table does not, and why; what is only asked for is approved first."""


def test_maximos_allowed_moves_are_regular_save_those_that_are_listed() -> None:
    [example] = [each for each in KPI["examples"] if each["id"] == "maximo-transitions"]
    odd = set()
    for before, allowed in example["expected"].items():
        for after in allowed:
            one, other = MAXIMO[before], MAXIMO[after]
            if illegal(one, other):
                odd.add((one, other))
    asked_for = {pair for pair in odd if pair[0] == "requested"}
    assert asked_for == {("requested", each) for each in ("in_progress", "on_hold", "completed", "closed")}
    assert {after for _, after in odd - asked_for} == set(NOT_FOLLOWED)


STEPS = st.one_of(st.none(), st.sampled_from([*TABLE, "unknown", DELETE, RESTORE, REOPEN]))


@untimed
@given(st.lists(STEPS, max_size=20))
def test_nothing_is_ever_refused_and_marks_come_in_the_order_of_moves(steps: Iterable[Step]) -> None:
    moves = life(*steps)
    marks = [each["at"] for each in illegal_moves(moves)]
    assert marks == sorted(set(marks))
    assert len(marks) < max(len(moves), 1)
