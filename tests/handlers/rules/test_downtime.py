import itertools
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.downtime import Segment, Span, anomaly, outages, reported_failures, timeline
from tests.handlers.rules.sweep import LAST, TIMES, at, down_seconds, span_lists, sweep, untimed


def clock(hour: float, day: int = 1) -> datetime:
    return datetime(2026, 3, day, tzinfo=UTC) + timedelta(hours=hour)


END = clock(0, day=31)


def stop(start: float, end: float | None, ref: str = "") -> Span:
    return Span(clock(start), None if end is None else clock(end), planned=False, failure=True, ref=ref)


def work(start: float, end: float | None, ref: str = "") -> Span:
    return Span(clock(start), None if end is None else clock(end), planned=True, failure=False, ref=ref)


def dated(first_day: int, end_day: int, ref: str = "") -> Span:
    return Span(clock(0, first_day), clock(0, end_day), planned=False, failure=True, day_precision=True, ref=ref)


def owners(*spans: Span) -> list[tuple[float, float, str]]:
    origin = clock(0)
    hour = timedelta(hours=1)
    return [
        ((each.started_at - origin) / hour, (each.ended_at - origin) / hour, each.ref) for each in timeline(spans, END)
    ]


def effective(*spans: Span) -> list[datetime]:
    return [each.started_at for each in outages(spans, END) if each.effective]


# Ownership


def test_the_first_started_owns_until_its_end() -> None:
    assert owners(work(8, 12, "P"), stop(10, 15, "F")) == [(8, 12, "P"), (12, 15, "F")]


def test_planned_work_begun_inside_an_outage_owns_only_what_comes_after_it() -> None:
    assert owners(stop(8, 12, "F"), work(10, 16, "P")) == [(8, 12, "F"), (12, 16, "P")]


def test_on_equal_start_unplanned_wins() -> None:
    assert owners(work(8, 12, "P"), stop(8, 10, "F")) == [(8, 10, "F"), (10, 12, "P")]


def test_on_equal_start_unknown_counts_as_unplanned_and_the_segment_says_so() -> None:
    unknown = Span(clock(8), clock(10), planned=None, failure=False, ref="U")
    assert timeline([work(8, 12, "P"), unknown], END) == [
        Segment(clock(8), clock(10), planned=None, failure=False, ref="U", open=False),
        Segment(clock(10), clock(12), planned=True, failure=False, ref="P", open=False),
    ]


def test_a_second_span_that_outlasts_the_first_owns_before_a_third_that_started_later() -> None:
    assert owners(stop(8, 10, "A"), stop(9, 14, "B"), stop(9.5, 16, "C")) == [
        (8, 10, "A"),
        (10, 14, "B"),
        (14, 16, "C"),
    ]


@pytest.mark.parametrize(
    ("owner", "other"),
    [
        pytest.param(stop(8, 12, "Z"), stop(8, 10, "A"), id="the longer"),
        pytest.param(stop(8, 10, "A"), stop(8, 10, "Z"), id="the lower ref"),
        pytest.param(Span(clock(8), clock(10)), Span(clock(8), clock(10), planned=None), id="the one that knows"),
        pytest.param(Span(clock(8), END), Span(clock(8), None), id="the one that ended"),
    ],
)
def test_of_spans_with_equal_start_and_class_one_owns_whatever_their_order(owner: Span, other: Span) -> None:
    assert timeline([owner, other], END) == timeline([other, owner], END) == timeline([owner], END)


def test_an_open_span_ends_at_the_horizon_and_its_segment_says_so() -> None:
    assert timeline([stop(8, None, "F")], clock(11)) == [
        Segment(clock(8), clock(11), planned=False, failure=True, ref="F", open=True)
    ]


def test_a_span_that_ends_after_the_horizon_is_cut_there_like_an_open_one() -> None:
    assert timeline([stop(8, 20, "F")], clock(11)) == timeline([stop(8, None, "F")], clock(11))


def test_a_span_that_ends_exactly_at_the_horizon_is_not_open() -> None:
    assert [each.open for each in timeline([stop(8, 11)], clock(11))] == [False]


@pytest.mark.parametrize("end", [11, 12, None])
def test_a_span_that_starts_at_the_horizon_is_not_seen(end: float | None) -> None:
    assert timeline([stop(11, end)], clock(11)) == []


# Impossible spans


def test_a_span_that_ends_before_it_starts_is_left_out_and_told() -> None:
    backwards = stop(12, 8, "D-1")
    assert timeline([backwards], END) == []
    assert anomaly(backwards) == "end_before_start"


def test_a_span_without_start_is_left_out_and_told() -> None:
    headless = Span(None, clock(8), ref="D-1")
    assert timeline([headless], END) == []
    assert anomaly(headless) == "end_without_start"


def test_a_span_of_which_nothing_is_known_is_left_out_and_is_no_anomaly() -> None:
    assert timeline([Span(None, None)], END) == []
    assert anomaly(Span(None, None)) is None


def test_a_span_that_ends_before_it_starts_stays_impossible_where_the_horizon_hides_its_end() -> None:
    assert timeline([stop(9, 8)], clock(8.5)) == []
    assert reported_failures([stop(9, 8)], END) == []


# Effective outages


def test_a_failure_that_runs_past_planned_work_is_effective_once_where_the_whole_outage_starts() -> None:
    assert effective(work(8, 12), stop(10, 15)) == [clock(8)]


def test_a_failure_wholly_inside_planned_work_is_reported_and_not_effective() -> None:
    spans = [work(8, 12), stop(9, 11)]
    assert effective(*spans) == []
    assert reported_failures(spans, END) == [clock(9)]


def test_a_failure_that_ends_with_the_planned_work_around_it_is_not_effective() -> None:
    assert effective(work(8, 12), stop(9, 12)) == []


def test_a_failure_wholly_inside_a_stop_that_is_none_is_not_effective() -> None:
    outside_cause = Span(clock(8), clock(12), planned=False, failure=False)
    assert effective(outside_cause, stop(9, 11)) == []


def test_of_two_unplanned_spans_with_equal_start_the_failure_is_not_hidden() -> None:
    outside_cause = Span(clock(8), clock(12), planned=False, failure=False)
    assert effective(outside_cause, stop(8, 10)) == [clock(8)]


def test_touching_failures_are_one_outage() -> None:
    assert effective(stop(8, 10), stop(10, 11)) == [clock(8)]


def test_failures_joined_by_planned_work_between_them_are_one_outage() -> None:
    assert effective(stop(8, 9), work(9, 12), stop(12, 13)) == [clock(8)]


def test_failures_a_microsecond_apart_are_two_outages() -> None:
    late = Span(clock(10) + timedelta(microseconds=1), clock(11))
    assert effective(stop(8, 10), late) == [clock(8), clock(10) + timedelta(microseconds=1)]


def test_the_outage_of_touching_spans_keeps_hours_with_their_class() -> None:
    assert [each.planned for each in timeline([stop(8, 10), work(10, 12)], END)] == [False, True]


def test_a_failure_that_the_horizon_cuts_back_inside_planned_work_is_not_yet_effective() -> None:
    """As of 11:00 nobody knows that the failure will outlast the work; as of 13:00 it is known, and restated."""
    spans = [work(8, 12), stop(10, 15)]
    assert [each.effective for each in outages(spans, clock(11))] == [False]
    assert [each.effective for each in outages(spans, clock(13))] == [True]


# Zero length


def test_a_failure_of_zero_length_is_an_effective_event_of_no_hours() -> None:
    assert owners(stop(12, 12, "Z")) == [(12, 12, "Z")]
    assert effective(stop(12, 12)) == [clock(12)]


@pytest.mark.parametrize("hour", [9, 11.5])
def test_a_failure_of_zero_length_inside_planned_work_owns_nothing(hour: float) -> None:
    assert owners(work(8, 12, "P"), stop(hour, hour, "Z")) == [(8, 12, "P")]
    assert effective(work(8, 12), stop(hour, hour)) == []


def test_a_failure_of_zero_length_as_planned_work_ends_touches_it_and_is_effective() -> None:
    assert effective(work(8, 12), stop(12, 12)) == [clock(8)]


def test_a_failure_of_zero_length_as_planned_work_starts_comes_first_and_is_effective() -> None:
    assert effective(work(8, 12), stop(8, 8)) == [clock(8)]


def test_two_failures_of_zero_length_at_one_instant_are_one_outage() -> None:
    assert effective(stop(12, 12, "A"), stop(12, 12, "B")) == [clock(12)]
    assert owners(stop(12, 12, "A"), stop(12, 12, "B")) == [(12, 12, "A")]


# Day precision


def test_dated_spans_never_merge_by_touching() -> None:
    assert effective(dated(2, 3), dated(3, 4)) == [clock(0, 2), clock(0, 3)]


def test_a_dated_span_does_not_merge_with_an_exact_one_by_touching_on_either_side() -> None:
    exact = Span(clock(0, 3), clock(0, 4))
    assert effective(dated(2, 3), exact, dated(4, 5)) == [clock(0, 2), clock(0, 3), clock(0, 4)]


def test_dated_spans_merge_by_overlapping() -> None:
    assert effective(dated(2, 4), dated(3, 5)) == [clock(0, 2)]
    assert effective(dated(2, 3), dated(2, 3)) == [clock(0, 2)]


def test_exact_spans_touch_although_a_dated_one_ends_at_the_same_midnight() -> None:
    exact = Span(clock(20, 2), clock(0, 3))
    assert effective(dated(2, 3), exact, Span(clock(0, 3), clock(5, 3))) == [clock(0, 2)]


def test_an_exact_span_does_not_touch_a_dated_one_that_outlasts_exact_ones() -> None:
    night, morning = Span(clock(20, 1), clock(10, 2)), Span(clock(0, 3), clock(5, 3))
    assert effective(night, dated(2, 3), morning) == [clock(20, 1), clock(0, 3)]


# Spells


def test_the_spells_of_one_record_are_one_failure() -> None:
    spans = [stop(8, 10, "W-1"), stop(14, 17, "W-1")]
    assert effective(*spans) == [clock(8)]
    assert reported_failures(spans, END) == [clock(8)]


def test_a_reopened_failure_whose_first_spell_was_hidden_is_effective_in_the_spell_that_was_not() -> None:
    assert effective(work(7, 12), stop(8, 10, "W-1"), stop(14, 17, "W-1"), stop(20, 21, "W-1")) == [clock(14)]


def test_another_failure_that_outlasts_a_later_spell_still_counts() -> None:
    assert effective(stop(8, 10, "W-1"), stop(14, 17, "W-1"), stop(16, 18, "W-2")) == [clock(8), clock(14)]


def test_spans_without_a_record_are_each_their_own_failure() -> None:
    assert reported_failures([stop(8, 10), stop(8, 10)], END) == [clock(8), clock(8)]
    assert effective(stop(8, 10), stop(12, 13)) == [clock(8), clock(12)]


def test_reported_failures_come_oldest_first_with_or_without_a_record() -> None:
    assert reported_failures([stop(12, 13, "W-1"), stop(8, 10)], END) == [clock(8), clock(12)]


# Against the sweep


@untimed
@given(span_lists(), TIMES)
def test_outages_are_those_of_the_sweep(spans: list[Span], horizon: int) -> None:
    swept = sweep(spans, 0, LAST + 1, horizon)
    assert sum(each.effective for each in outages(spans, at(horizon))) == swept.effective
    assert len(reported_failures(spans, at(horizon))) == swept.reported


@untimed
@given(span_lists(), TIMES)
def test_the_timeline_holds_every_down_second_exactly_once(spans: list[Span], horizon: int) -> None:
    held = [
        second
        for segment in timeline(spans, at(horizon))
        for second in range(round((segment.started_at - at(0)).total_seconds()), LAST + 1)
        if at(second) < segment.ended_at
    ]
    assert held == sorted(down_seconds(spans, horizon))


@untimed
@given(span_lists(), TIMES, st.randoms(use_true_random=False))
def test_the_order_of_spans_changes_nothing(spans: list[Span], horizon: int, random: Random) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)
    assert outages(shuffled, at(horizon)) == outages(spans, at(horizon))
    assert reported_failures(shuffled, at(horizon)) == reported_failures(spans, at(horizon))


@untimed
@given(span_lists(), TIMES)
def test_a_span_told_twice_changes_no_outage(spans: list[Span], horizon: int) -> None:
    assert outages([*spans, *spans], at(horizon)) == outages(spans, at(horizon))


@untimed
@given(span_lists(), TIMES)
def test_outages_neither_overlap_nor_stand_unsorted(spans: list[Span], horizon: int) -> None:
    found = outages(spans, at(horizon))
    assert all(one.ended_at <= other.started_at for one, other in itertools.pairwise(found))
    assert all(each.segments[0].started_at == each.started_at for each in found)
    assert all(each.segments[-1].ended_at == each.ended_at for each in found)
