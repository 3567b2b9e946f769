"""Periods are calendar dates, cut where the days begin."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.rules.period import Period, parse_period, stretch

BERLIN, NEW_YORK, HAVANA, BEIRUT = map(ZoneInfo, ("Europe/Berlin", "America/New_York", "America/Havana", "Asia/Beirut"))
HOUR = timedelta(hours=1)


def _hours(period: Period, zone: ZoneInfo) -> float:
    since, until = period.window(zone)
    return (until - since) / HOUR


@pytest.mark.parametrize(
    ("text", "zone", "hours"),
    [
        ("2026-03", BERLIN, 31 * 24 - 1),
        ("2026-10", BERLIN, 31 * 24 + 1),
        ("2026-10", NEW_YORK, 31 * 24),
        ("2026-11", NEW_YORK, 30 * 24 + 1),
        ("2026-W13", BERLIN, 7 * 24 - 1),
        ("2026-Q1", BERLIN, 90 * 24 - 1),
        ("2026", BERLIN, 365 * 24),
        ("2024", BERLIN, 366 * 24),
    ],
)
def test_a_period_with_a_change_of_clocks_is_an_hour_longer_or_shorter(text: str, zone: ZoneInfo, hours: int) -> None:
    assert _hours(parse_period(text), zone) == hours


def test_a_period_begins_at_the_midnight_of_its_zone() -> None:
    assert parse_period("2026-10").window(BERLIN) == (
        datetime(2026, 9, 30, 22, tzinfo=UTC),
        datetime(2026, 10, 31, 23, tzinfo=UTC),
    )


def test_of_two_midnights_the_first_counts_and_of_none_the_offset_before_the_jump() -> None:
    """Havana put the clocks back at 01:00 to 00:00 on 1 November 2020; Beirut's jump at 00:00 on 29 March 2020."""
    assert stretch(date(2020, 11, 1), date(2020, 11, 2)).window(HAVANA)[0] == datetime(2020, 11, 1, 4, tzinfo=UTC)
    assert stretch(date(2020, 3, 29), date(2020, 3, 30)).window(BEIRUT)[0] == datetime(2020, 3, 28, 22, tzinfo=UTC)


def test_weeks_are_those_of_iso_8601() -> None:
    assert parse_period("2026-W01").since == date(2025, 12, 29)
    assert parse_period("2026-w53").until == date(2027, 1, 4)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2025-W53", "2025 has no week 53"),
        ("2026-W00", "has no week 0"),
        ("2026-13", "write it YYYY"),
        ("2026-Q5", "write it YYYY"),
        ("26-10", "write it YYYY"),
        ("2026-10-01", "write it YYYY"),
        ("1899", "a year from 1900"),
        ("9999", "a year from 1900"),
        ("\N{ARABIC-INDIC DIGIT TWO}026", "write it YYYY"),
    ],
)
def test_what_is_no_period_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_period(text)


@pytest.mark.parametrize(
    ("text", "first", "count"),
    [("2026", "2026-01", 12), ("2026-Q4", "2026-W40", 14), ("2026-10", "2026-W40", 5), ("2026-W40", "2026-09-28", 7)],
)
def test_a_period_has_about_a_dozen_parts_or_as_many_as_it_can(text: str, first: str, count: int) -> None:
    parts = parse_period(text).parts(BERLIN)

    assert (parts[0].label, len(parts)) == (first, count)


def test_long_stretches_are_cut_by_quarters_and_years() -> None:
    decade = stretch(date(2010, 1, 1), date(2020, 1, 1)).parts(BERLIN)
    century = stretch(date(1925, 1, 1), date(2025, 1, 1)).parts(BERLIN)

    assert (decade[1].label, len(decade)) == ("2010-Q2", 40)
    assert (century[1].label, len(century)) == ("1926", 100)


def test_an_instant_that_is_the_next_day_in_the_zone_is_in_a_part() -> None:
    whole = stretch(date(2026, 1, 1), datetime(2026, 1, 1, 23, 30, tzinfo=UTC))

    parts = {part.label: (part.until - part.since) / HOUR for part in whole.parts(BERLIN)}

    assert {label: hours for label, hours in parts.items() if hours} == {"2026-01-01": 24, "2026-01-02": 0.5}


ENDS = st.one_of(
    st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  # zone beside it
)


@given(ENDS, ENDS, st.sampled_from(["Europe/Berlin", "America/Havana", "Asia/Kathmandu", "Pacific/Apia", "UTC"]))
def test_the_parts_of_a_stretch_are_the_whole_of_it_in_every_zone(since: date, until: date, zone: str) -> None:
    try:
        whole = stretch(since, until)
    except ValueError:
        return
    place = ZoneInfo(zone)
    start, end = whole.window(place)

    parts = whole.parts(place)

    if start < end:  # where its two ends are a day and an instant it may be empty in a zone
        assert sum((part.until - part.since for part in parts), timedelta()) == end - start
        filled = [part for part in parts if part.since < part.until]
        assert [part.until for part in filled[:-1]] == [part.since for part in filled[1:]]
        assert (filled[0].since, filled[-1].until) == (start, end)
    assert [part.label for part in parts] == [part.label for part in whole.parts(ZoneInfo("UTC"))]
    assert len({part.label for part in parts}) == len(parts)
