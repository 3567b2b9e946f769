"""Operating time: shifts, rules and holidays in a zone, across changes of its clocks; and figures made of it."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.calendars import Calendar, Shift, operates, operating
from handlers.rules.downtime import Span
from handlers.rules.figures import NONE, Figures, figures, pool
from handlers.rules.recurrence import Rule
from tests.handlers.rules.sweep import untimed

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = frozenset(range(5))
HOUR = timedelta(hours=1)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def local(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=BERLIN).astimezone(UTC)


def shift(start: int, end: int, weekdays: frozenset[int] = WORKDAYS) -> Shift:
    return Shift(time(start), time(end % 24), weekdays)


def hours(calendar: Calendar, since: datetime, until: datetime) -> float:
    return sum((end - start for start, end in operating(calendar, since, until)), NONE) / HOUR


def of(*shifts: Shift, holidays: frozenset[date] = frozenset()) -> Calendar:
    return Calendar("plant", "Europe/Berlin", shifts, holidays)


def test_a_week_of_day_shifts_in_local_time() -> None:
    found = operating(of(shift(8, 17)), local(2026, 3, 23), local(2026, 3, 30))
    assert found[0] == (local(2026, 3, 23, 8), local(2026, 3, 23, 17))
    assert len(found) == 5


def test_shifts_that_touch_or_overlap_count_once() -> None:
    two = of(shift(6, 14), shift(14, 22), shift(13, 15))
    assert operating(two, local(2026, 3, 23), local(2026, 3, 24)) == ((local(2026, 3, 23, 6), local(2026, 3, 23, 22)),)


@pytest.mark.parametrize(
    ("evening", "lasts"), [((2026, 3, 28), 7), ((2026, 10, 24), 9), ((2026, 6, 6), 8)], ids=["spring", "autumn", "june"]
)
def test_a_night_shift_is_as_long_as_the_clocks_make_it(evening: tuple[int, int, int], lasts: int) -> None:
    night = of(shift(22, 6, frozenset({5})))
    start = local(*evening, 12)
    assert hours(night, start, start + timedelta(hours=24)) == lasts


def test_a_shift_belongs_to_the_day_on_which_it_begins() -> None:
    night = of(shift(22, 6, frozenset({4})), holidays=frozenset({date(2026, 3, 28)}))
    assert hours(night, local(2026, 3, 27), local(2026, 3, 30)) == 8
    none = of(shift(22, 6, frozenset({4})), holidays=frozenset({date(2026, 3, 27)}))
    assert hours(none, local(2026, 3, 27), local(2026, 3, 30)) == 0


def test_a_window_that_begins_in_the_night_holds_the_rest_of_the_shift() -> None:
    night = of(shift(22, 6, frozenset({4})))
    assert hours(night, local(2026, 6, 6), local(2026, 6, 7)) == 6


def test_equal_ends_are_a_whole_day_of_23_or_25_hours_too() -> None:
    always = of(shift(0, 24, frozenset(range(7))))
    assert hours(always, local(2026, 3, 1), local(2026, 4, 1)) == 31 * 24 - 1
    assert hours(always, local(2026, 10, 1), local(2026, 11, 1)) == 31 * 24 + 1


def test_a_rule_names_days_from_its_anchor_on() -> None:
    fortnightly = of(
        Shift(time(6), time(14), rule=Rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA"), anchor=date(2026, 1, 3)),
        holidays=frozenset({date(2026, 1, 31)}),
    )
    found = operating(fortnightly, local(2026, 1, 1), local(2026, 3, 1))
    assert [start.astimezone(BERLIN).day for start, _ in found] == [3, 17, 14, 28]


def test_whether_anything_operates_is_found_however_far_away() -> None:
    new_year = of(Shift(time(6), time(7), rule=Rule("FREQ=YEARLY"), anchor=date(2026, 1, 1)))
    assert operates(new_year, local(2026, 1, 2), local(2027, 1, 1, 7))
    assert not operates(new_year, local(2026, 1, 2), local(2027, 1, 1, 6))
    assert operates(new_year, local(2026, 1, 1, 6), local(2026, 1, 1, 6))
    assert not operates(new_year, local(2026, 1, 1, 7), local(2026, 1, 1, 7))


# Figures by calendar


def stop(start: datetime, end: datetime | None, *, planned: bool = False) -> Span:
    return Span(start, end, planned=planned, failure=not planned)


def test_of_ten_hours_down_half_are_in_an_eight_to_five_week() -> None:
    """`week-component-2` of `reference/kpi.md` 2: availability 40/45."""
    monday = local(2026, 3, 23, 14)
    down = [stop(monday, monday + 6 * HOUR), stop(local(2026, 3, 24, 15), local(2026, 3, 24, 19))]
    found = figures(down, local(2026, 3, 23), local(2026, 3, 30, 1), FAR, calendar=of(shift(8, 17)))
    assert (found.required, found.downtime) == (45 * HOUR, 5 * HOUR)
    assert found.availability == 40 / 45


def test_who_owns_an_hour_is_decided_before_the_calendar_cuts() -> None:
    """The failure begins at night and owns the morning that planned work, begun later, holds as well."""
    day = local(2026, 3, 23)
    spans = [stop(day + 5 * HOUR, day + 10 * HOUR), stop(day + 6 * HOUR, day + 12 * HOUR, planned=True)]
    found = figures(spans, day, day + 24 * HOUR, FAR, calendar=of(shift(8, 17)))
    assert (found.unplanned_downtime, found.planned_downtime) == (2 * HOUR, 2 * HOUR)
    assert found.failures_effective == 1


def test_a_failure_at_night_that_is_mended_before_the_shift_is_reported_and_not_effective() -> None:
    day = local(2026, 3, 23)
    found = figures([stop(day + HOUR, day + 3 * HOUR)], day, day + 24 * HOUR, FAR, calendar=of(shift(8, 17)))
    assert (found.failures_reported, found.failures_effective, found.availability) == (1, 0, 1.0)


def test_a_failure_of_friday_night_counts_in_the_week_in_which_it_began() -> None:
    friday, monday = local(2026, 3, 27, 20), local(2026, 3, 30)
    spans = [stop(friday, monday + 9 * HOUR)]
    calendar = of(shift(8, 17))
    week = figures(spans, local(2026, 3, 23), monday, FAR, calendar=calendar)
    after = figures(spans, monday, monday + 5 * 24 * HOUR, FAR, calendar=calendar)
    assert (week.failures_effective, week.downtime) == (1, NONE)
    assert (after.failures_effective, after.downtime) == (0, HOUR)


def test_without_operating_time_nothing_is_required() -> None:
    sunday = local(2026, 3, 29)
    found = figures([stop(sunday, None)], sunday, sunday + 23 * HOUR, FAR, calendar=of(shift(8, 17)))
    assert (found.required, found.availability, found.mtbf_s) == (NONE, None, None)


YEAR = datetime(2024, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(-40 * 24 * 60, 400 * 24 * 60).map(lambda minutes: YEAR + timedelta(minutes=minutes))
SPANS = st.lists(st.builds(Span, MOMENTS, st.one_of(MOMENTS, st.none()), st.booleans(), st.booleans()), max_size=8)
LATER = st.one_of(st.just(FAR), MOMENTS)
"""Up to when something is known: mostly all of it."""
WEEKDAYS = st.sampled_from((WORKDAYS, frozenset(range(7)), frozenset({0}), frozenset({2, 6})))
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from((0, 30)))
CALENDARS = st.builds(
    Calendar,
    st.just("drawn"),
    st.sampled_from(("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")),
    st.lists(st.builds(Shift, CLOCKS, CLOCKS, WEEKDAYS), min_size=1, max_size=3).map(tuple),
    st.frozensets(st.dates(date(2024, 1, 1), date(2024, 12, 31)), max_size=5),
)


def summed(parts: list[Figures]) -> tuple[timedelta, timedelta, timedelta, int, int]:
    total = pool(parts)
    return (
        total.required,
        total.planned_downtime,
        total.unplanned_downtime,
        total.failures_reported,
        total.failures_effective,
    )


@untimed
@given(SPANS, CALENDARS, LATER, st.sampled_from(("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")))
def test_months_of_operating_time_add_up_to_the_year_across_changes_of_clocks(
    spans: list[Span], calendar: Calendar, as_of: datetime, site: str
) -> None:
    zone = ZoneInfo(site)
    marks = [datetime(2024 + month // 12, month % 12 + 1, 1, tzinfo=zone).astimezone(UTC) for month in range(13)]
    months = [figures(spans, *ends, as_of, calendar=calendar) for ends in itertools.pairwise(marks)]
    assert summed(months) == summed([figures(spans, marks[0], marks[-1], as_of, calendar=calendar)])


@untimed
@given(SPANS, CALENDARS, MOMENTS, MOMENTS, LATER)
def test_operating_time_is_a_part_of_all_time_and_availability_within_0_and_1(
    spans: list[Span], calendar: Calendar, since: datetime, until: datetime, as_of: datetime
) -> None:
    found, whole = (figures(spans, since, until, as_of, calendar=each) for each in (calendar, None))
    assert NONE <= found.downtime <= found.required <= whole.required
    assert found.downtime <= whole.downtime
    assert found.failures_effective <= whole.failures_effective
    assert found.availability is None or 0 <= found.availability <= (found.availability_unplanned or 0) <= 1


@untimed
@given(CALENDARS, MOMENTS, st.integers(0, 40 * 24 * 60))
def test_stretches_are_in_the_window_sorted_and_apart(calendar: Calendar, since: datetime, minutes: int) -> None:
    until = since + timedelta(minutes=minutes)
    found = operating(calendar, since, until)
    assert all(since <= start < end <= until for start, end in found)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))
    assert operates(calendar, since, until) == bool(found) or minutes == 0
