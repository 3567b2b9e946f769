"""Periods that people report by: a year, a quarter, a month, an ISO week, or any stretch; cut in a zone.

A period is calendar dates, and becomes instants only in a zone: a month in which the clocks are changed is an hour
longer or shorter there. Midnights follow RFC 5545, 3.3.5: where a day has two the first is meant, and where the clocks
jump over it the offset before the jump holds. Weeks are those of ISO 8601: they begin on Monday, and the first is the
one with the year's first Thursday.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

YEARS = range(1900, 9999)
"""Years that a period may be in: what begins in any of them, in any zone, has an instant."""
FORMS = "YYYY, YYYY-MM, YYYY-Qn or YYYY-Wnn"

_FORM = re.compile(r"([0-9]{4})(?:-(?:(0[1-9]|1[0-2])|Q([1-4])|W([0-5][0-9])))?")
_DAY = timedelta(days=1)


class Period(msgspec.Struct, frozen=True):
    """A stretch of the calendar.

    Attributes:
        label: how it is written, `2026-10`; of any other stretch its two ends with a slash between them.
        since: its first day, or an instant (aware) that is the same in every zone.
        until: the day after its last, or an instant; itself excluded.
    """

    label: str
    since: date
    until: date

    def window(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Its ends in a zone, as instants (UTC)."""
        return _instant(self.since, zone), _instant(self.until, zone)

    def parts(self, zone: ZoneInfo) -> list["Part"]:
        """The days, weeks, months, quarters or years that it is made of, whichever gives about a dozen, oldest first.

        The first and the last are cut to fit, so that they add up to the whole. Every zone has the same labels; where
        an end is an instant, a part at that end may be empty in one zone and not in another.
        """
        first, last = _day(self.since, -1), _day(self.until, 2)
        unit = next(each for each in _UNITS if (last - first).days <= each.most)
        edges = [unit.start(first), *_edges(unit.start(first), last, unit), last]
        whole = self.window(zone)
        found = []
        for begin, end in itertools.pairwise(edges):
            since, until = max(whole[0], _instant(begin, zone)), min(whole[1], _instant(end, zone))
            found.append(Part(unit.name(begin), since, max(since, until)))
        return found


class Part(msgspec.Struct, frozen=True):
    """A part of a period in a zone.

    Attributes:
        label: `2026-10`, `2026-W40`, `2026-10-01`, `2026-Q4` or `2026`.
        since: its start (UTC).
        until: its end, itself excluded; equal to the start where nothing of it is in the period.
    """

    label: str
    since: datetime
    until: datetime


def parse_period(text: str) -> Period:
    """Reads `2026`, `2026-10`, `2026-Q4` or `2026-W40`.

    Raises:
        ValueError: it is none of them, or that year has no such week; says so.
    """
    match = _FORM.fullmatch(text.upper())
    if match is None or int(match[1]) not in YEARS:
        raise ValueError(f"write it {FORMS}, a year from {YEARS.start} to {YEARS.stop - 1}; not {text!r}")
    year, month, quarter, week = (None if each is None else int(each) for each in match.groups())
    assert year is not None, "every form has a year"
    if week is not None:
        try:
            first = date.fromisocalendar(year, week, 1)
        except ValueError:
            raise ValueError(f"{year} has no week {week}: ISO weeks are numbered from 01 to 52 or 53") from None
        return Period(match[0], first, first + 7 * _DAY)
    if quarter is not None:
        return Period(match[0], date(year, 3 * quarter - 2, 1), _months_on(date(year, 3 * quarter - 2, 1), 3))
    if month is not None:
        return Period(match[0], date(year, month, 1), _months_on(date(year, month, 1), 1))
    return Period(match[0], date(year, 1, 1), date(year + 1, 1, 1))


def stretch(since: date, until: date) -> Period:
    """Any stretch; an end may be a day or an instant (aware).

    Raises:
        ValueError: it is empty, or outside of the years that a period may be in.
    """
    ends = (since, until)
    if any(each.year not in YEARS for each in ends):
        raise ValueError(f"years from {YEARS.start} to {YEARS.stop - 1}")
    first, last = (_instant(each, ZoneInfo("UTC")) for each in ends)
    if first >= last:
        raise ValueError("the start must be before the end")
    return Period("/".join(_written(each) for each in ends), since, until)


def _written(end: date) -> str:
    if isinstance(end, datetime):
        return end.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    return end.isoformat()


def _instant(end: date, zone: ZoneInfo) -> datetime:
    if isinstance(end, datetime):
        return end.astimezone(UTC)
    return datetime(end.year, end.month, end.day, tzinfo=zone).astimezone(UTC)


def _day(end: date, margin: int) -> date:
    """The calendar day of an end; of an instant so many days aside that it begins beyond that end in every zone.

    A zone's date is at most one day from that of UTC.
    """
    return (end.astimezone(UTC) + margin * _DAY).date() if isinstance(end, datetime) else end


def _months_on(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _of_day(day: date) -> date:
    return day


def _of_week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _of_month(day: date) -> date:
    return day.replace(day=1)


def _of_quarter(day: date) -> date:
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def _of_year(day: date) -> date:
    return date(day.year, 1, 1)


def _iso_week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


class _Unit(NamedTuple):
    """What a period may be cut by.

    Attributes:
        most: the longest period that is, days.
        longest: that far from its first day on lies the next one's first, or a day soon after it.
        start: the first day of the one that a day is in.
        name: what it is called, by its first day.
    """

    most: int
    longest: timedelta
    start: Callable[[date], date]
    name: Callable[[date], str]


_UNITS = (
    _Unit(14, _DAY, _of_day, date.isoformat),
    _Unit(92, 7 * _DAY, _of_week, _iso_week),  # a quarter at its longest: by month it would have only three parts
    _Unit(3 * 366, 31 * _DAY, _of_month, lambda day: f"{day.year}-{day.month:02d}"),
    _Unit(12 * 366, 92 * _DAY, _of_quarter, lambda day: f"{day.year}-Q{(day.month + 2) // 3}"),
    _Unit(366 * 10_000, 366 * _DAY, _of_year, lambda day: f"{day.year}"),
)


def _edges(first: date, last: date, unit: _Unit) -> Iterator[date]:
    """The days strictly between two on which a unit begins; the first begins one."""
    day = unit.start(first + unit.longest)
    while day < last:
        yield day
        day = unit.start(day + unit.longest)
