"""Which days a rule names, and which moment a local time is: published examples, and both changes of clocks."""

import json
import warnings
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.recurrence import Every, Rule, days, end_of_day, instant, on_grid, rule_problem

KPI = json.loads((Path(__file__).parents[2] / "samples" / "kpi-examples.json").read_text())
EXAMPLES = {each["id"]: each for each in KPI["examples"]}
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")
LATE = date(2030, 1, 1)


def told(found: Iterable[date], count: int) -> list[str]:
    return [day.isoformat() for day, _ in zip(found, range(count), strict=False)]


def test_a_month_that_is_too_short_is_skipped_by_a_rule_and_clamped_by_an_interval() -> None:
    example = EXAMPLES["month-end"]
    start, count = date.fromisoformat(example["input"]["start"]), example["input"]["n"]
    expected = example["expected"]

    assert told(days(Rule("FREQ=MONTHLY"), start, LATE), count) == expected["rrule_skips"]
    assert told(days(Every(1, "month"), start, LATE), count) == expected["anchored_clamp"]
    assert told(days(Rule("FREQ=MONTHLY;BYMONTHDAY=-1"), start, LATE), count) == expected["bymonthday_minus_1"]
    assert told(days(Every(1, "month"), start, LATE), count) != expected["add_month_iterated_drifts"]


def test_february_has_no_thirtieth() -> None:
    example = EXAMPLES["rfc5545-15-30"]
    found = days(Rule(example["input"]["rule"]), date.fromisoformat(example["input"]["dtstart"]), date(2007, 2, 28))

    assert [day.isoformat() for day in found if day.month == 2] == example["expected"]["february_2007"]


def test_the_31st_comes_seven_times_a_year() -> None:
    assert len(list(days(Rule("FREQ=MONTHLY;BYMONTHDAY=31"), date(2026, 1, 1), date(2026, 12, 31)))) == 7


def test_a_local_time_that_comes_twice_is_the_first() -> None:
    example = EXAMPLES["rfc5545-dst-ambiguous"]
    local = datetime.fromisoformat(example["input"]["local"])

    found = instant(local.date(), local.time(), ZoneInfo(example["input"]["tz"]))

    assert found == datetime.fromisoformat(example["expected"]["utc"])


def test_a_local_time_that_never_comes_has_the_offset_from_before_the_gap() -> None:
    """02:30 on 29 March 2026 in Berlin: +01:00 held before, so it is 01:30 UTC, 03:30 on the clock there."""
    assert instant(date(2026, 3, 29), time(2, 30), BERLIN) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_a_day_on_which_clocks_change_is_an_hour_shorter_or_longer() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)

    assert end_of_day(spring, BERLIN) - instant(spring, time(), BERLIN) == timedelta(hours=23)
    assert end_of_day(autumn, BERLIN) - instant(autumn, time(), BERLIN) == timedelta(hours=25)


def test_a_daily_plan_keeps_its_local_hour_across_the_change() -> None:
    moments = [instant(day, time(6), NEW_YORK) for day in days(Every(1, "day"), date(2026, 3, 7), date(2026, 3, 9))]

    assert [each.hour for each in moments] == [11, 10, 10]


def test_every_other_week_counts_from_its_monday() -> None:
    """29 February 2024 is a Thursday: with weeks from Monday the Monday of its own week has passed."""
    found = days(Rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=MO"), date(2024, 2, 29), date(2024, 3, 20))

    assert told(found, 9) == ["2024-02-29", "2024-03-11", "2024-03-14"]


def test_an_end_told_in_utc_is_a_local_day() -> None:
    """03:00 UTC on the third is still the second in New York."""
    found = list(days(Rule("FREQ=DAILY;UNTIL=20260103T030000Z"), date(2026, 1, 1), LATE, NEW_YORK))

    assert found == [date(2026, 1, 1), date(2026, 1, 2)]


def test_a_rule_may_end_by_a_count() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert told(days(Rule("FREQ=WEEKLY;COUNT=2"), date(2026, 1, 1), LATE), 9) == ["2026-01-01", "2026-01-08"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no FREQ"),
        ("every month", "'EVERY MONTH'"),
        ("FREQ=HOURLY", "no FREQ of DAILY"),
        ("FREQ=DAILY;BYHOUR=7", "`time` the time of day"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=99999", "INTERVAL"),
        ("FREQ=MONTHLY;BYMONTHDAY=x", "is no RRULE"),
        ("FREQ=MONTHLY;BYDAY=XX", "is no RRULE"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "names no day at all"),
        ("FREQ=DAILY;UNTIL=never", "is no RRULE"),
        ("FREQ=DAILY;" * 60, "is longer than"),
    ],
)
def test_what_is_no_rule_of_days_is_told_why(text: str, why: str) -> None:
    assert why in str(rule_problem(text))


@pytest.mark.parametrize(
    "text",
    ["FREQ=MONTHLY;BYMONTHDAY=-1", "freq=weekly;byday=mo", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "FREQ=DAILY;COUNT=3"],
)
def test_a_good_rule_has_no_problem(text: str) -> None:
    assert rule_problem(text) is None


@given(
    st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    st.integers(1, 40),
    st.sampled_from(["day", "week", "month", "year"]),
    st.integers(0, 60),
)
def test_an_interval_counts_from_its_anchor_and_never_drifts(anchor: date, count: int, unit: str, times: int) -> None:
    every = Every(count, unit)  # type: ignore[arg-type]  # drawn from the words there are

    found = every.after(anchor, times)

    assert on_grid(every, anchor, found)
    if unit in {"month", "year"}:
        assert found.day == anchor.day or (found + timedelta(days=1)).day == 1
