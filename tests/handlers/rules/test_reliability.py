"""Reliability beyond the contract's figures: means over failures of which something is known, gaps, bounds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.calendars import Calendar, Shift
from handlers.rules.downtime import Span
from handlers.rules.figures import figures
from handlers.rules.reliability import Reliability, pool_reliability, reliability
from handlers.rules.repairs import Repair
from tests.handlers.rules.sweep import LAST, TIMES, at, span_lists, untimed

ORIGIN = datetime(2024, 3, 1, tzinfo=UTC)
H = 3600.0
HOUR = timedelta(hours=1)
ALWAYS = Calendar("always", "UTC", (Shift(datetime.min.time(), datetime.min.time(), frozenset(range(7))),))


def hour(hours: float) -> datetime:
    return ORIGIN + hours * HOUR


def stop(start: float, end: float | None, ref: str = "") -> Span:
    return Span(hour(start), None if end is None else hour(end), ref=ref)


def work(start: float, end: float, ref: str = "") -> Span:
    return Span(hour(start), hour(end), planned=True, failure=False, ref=ref)


def of_day(*spans: Span, calendar: Calendar | None = None, **repairs: Repair) -> Reliability:
    told = {ref: (each,) for ref, each in repairs.items()}
    return reliability(spans, hour(0), hour(24), hour(48), repairs=told, calendar=calendar)


def test_a_failure_split_in_detection_delay_repair_and_return() -> None:
    """`iec-a-b-c-d`: 1 h until it is noticed, 5 h of waiting, 2 h of work, half an hour until the function is back."""
    told = of_day(stop(2, 10.5, "W"), W=Repair("W", detected_at=hour(3), react=5 * HOUR, active=2 * HOUR)).row()
    assert told["mttr_restore_s"] == told["mttr_s"] == 8.5 * H
    assert told["mttr_repair_s"] == 7.5 * H
    assert told["mttd_s"] == 1 * H
    assert told["mttr_active_s"] == 2 * H
    assert told["mtta_s"] == 5 * H


def test_a_stop_that_lasts_when_the_window_begins_is_no_gap_between_failures() -> None:
    assert of_day(stop(-5, 4), stop(10, 12), stop(20, 21)).row()["mtbr_s"] == (6 + 8) / 2 * H
    assert of_day(stop(-5, -4), stop(10, 12)).row()["mtbr_s"] == 10 * H
    assert of_day(work(-5, 4), stop(10, 12)).row()["mtbr_s"] == 10 * H


def test_what_nobody_said_is_null_and_never_nought() -> None:
    told = of_day(stop(2, 4, "W"), W=Repair("W")).row()
    for name in ("mttr_repair", "mttr_active", "mttd", "mtta"):
        assert (told[f"{name}_s"], told[f"{name}_known"]) == (None, 0)
    assert told["availability_inherent"] is None


def test_means_are_over_the_failures_that_are_known() -> None:
    spans = (stop(2, 4, "A"), stop(6, 9, "B"), stop(12, 13, "C"))
    told = of_day(*spans, A=Repair("A", active=HOUR), C=Repair("C", active=HOUR / 2)).row()
    assert (told["failures_effective"], told["mttr_active_known"], told["mttr_active_s"]) == (3, 2, 0.75 * H)
    assert told["availability_inherent"] == 6 / (6 + 0.75)


def test_two_stops_of_one_order_tell_of_it_once() -> None:
    repairs = {"A": (Repair("W", active=HOUR),), "B": (Repair("W", active=HOUR), Repair("X", active=HOUR))}
    told = reliability([stop(2, 4, "A"), stop(3, 5, "B")], hour(0), hour(24), hour(24), repairs=repairs)
    assert (told.active.total, told.active.count) == (2 * HOUR, 1)


def test_detection_before_the_stop_leaves_the_whole_stop_as_repair() -> None:
    told = of_day(stop(4, 6, "W"), W=Repair("W", detected_at=hour(3))).row()
    assert (told["mttd_s"], told["mttr_repair_s"]) == (0, 2 * H)


def test_three_availabilities_are_three_numbers() -> None:
    told = of_day(work(8, 12), stop(10, 15)).row()
    assert told["availability"] == 17 / 24
    assert told["availability_unplanned"] == 21 / 24
    assert told["availability_restoration"] == 17 / 20


def test_mean_down_time_is_of_every_outage_and_planned_ones_are_some() -> None:
    told = of_day(work(2, 5), stop(8, 9)).row()
    assert (told["outages"], told["mdt_s"], told["mttr_restore_s"]) == (2, 2 * H, 1 * H)


def test_the_first_gap_begins_with_required_time() -> None:
    told = reliability([stop(2, 4), stop(9, 10)], hour(0), hour(24), hour(24), repairs={}, in_service=hour(1))
    assert (told.gaps.total, told.gaps.count) == (6 * HOUR, 2)


def test_unplanned_down_time_of_unknown_plan_is_told_apart() -> None:
    told = of_day(Span(hour(2), hour(5), planned=None), stop(7, 8)).row()
    assert (told["unplanned_downtime_s"], told["planned_unknown_downtime_s"]) == (4 * H, 3 * H)


def test_with_a_calendar_no_ratio_mixes_repair_in_elapsed_time() -> None:
    told = of_day(stop(2, 4, "W"), calendar=ALWAYS, W=Repair("W", active=HOUR))
    assert told.availability_inherent is None
    assert told.row()["mttr_active_s"] == H


def test_without_required_time_every_figure_is_null_or_nothing() -> None:
    told = reliability([stop(2, 4)], hour(5), hour(5), hour(9), repairs={}).row()
    nulls = {name for name, value in told.items() if value is None}
    assert {"availability_restoration", "failure_rate_per_h", "mtbf_lower_s", "mtbr_s", "mdt_s"} <= nulls


@untimed
@given(span_lists(), TIMES, TIMES, TIMES)
def test_it_holds_the_figures_of_the_contract_unchanged(spans: list[Span], since: int, until: int, as_of: int) -> None:
    told = reliability(spans, at(since), at(until), at(as_of), repairs={})
    assert told.figures == figures(spans, at(since), at(until), at(as_of))
    for name in ("availability", "availability_unplanned", "availability_restoration"):
        value = told.row()[name]
        assert value is None or 0 <= float(value) <= 1


@untimed
@given(span_lists(), TIMES, st.randoms(use_true_random=False))
def test_the_order_of_spans_changes_nothing(spans: list[Span], as_of: int, random: Random) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)

    def told(spans: Sequence[Span]) -> Reliability:
        return reliability(spans, at(0), at(LAST + 1), at(as_of), repairs={})

    assert told(shuffled) == told(spans)


@untimed
@given(st.lists(span_lists(4), min_size=1, max_size=4), TIMES)
def test_pooling_one_by_one_is_pooling_all(fleets: list[list[Span]], as_of: int) -> None:
    parts = [reliability(spans, at(0), at(LAST + 1), at(as_of), repairs={}) for spans in fleets]
    one = parts[0]
    for each in parts[1:]:
        one = pool_reliability((one, each))
    assert one == pool_reliability(parts)
    assert one.row()["outages"] == pytest.approx(sum(each.outages for each in parts))
