"""Operating calendars: when an asset is to be available, as weekly shifts or by recurrence rule, in a time zone.

A shift belongs to the day on which it begins, and a holiday takes away the shifts that begin on it. Local times become
instants by RFC 5545, 3.3.5: of an hour that clocks repeat the first is meant, and in one that they skip the offset
before it holds. So a night shift of eight hours lasts nine, or seven, when clocks change in it.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

import msgspec

from handlers.rules.recurrence import Rule, days, instant

Stretch: TypeAlias = tuple[datetime, datetime]
"""Half-open, UTC."""

DAY: Final = timedelta(days=1)
_CHUNK: Final = timedelta(days=32)
"""So much is expanded at once where only the next operating time is asked for."""


class Shift(msgspec.Struct, frozen=True):
    """Hours of certain days.

    Attributes:
        start: local.
        end: local; at or before the start it is the next day's, so equal ones are a whole day.
        weekdays: 0 is Monday, 6 Sunday; none where a rule names the days.
        rule: the days by recurrence rule (RFC 5545); None where the weekdays do.
        anchor: the day from which the rule counts (DTSTART).
    """

    start: time
    end: time
    weekdays: frozenset[int] = frozenset()
    rule: Rule | None = None
    anchor: date = date.min


class Calendar(msgspec.Struct, frozen=True):
    """When something operates.

    Attributes:
        name: as the file calls it.
        zone: IANA name of the zone that its times are in.
        shifts: its hours; where they overlap they count once.
        holidays: days on which no shift begins.
    """

    name: str
    zone: str
    shifts: tuple[Shift, ...]
    holidays: frozenset[date] = frozenset()


def operating(calendar: Calendar, since: datetime, until: datetime) -> tuple[Stretch, ...]:
    """The operating time in a window: stretches that neither overlap nor touch, oldest first.

    Args:
        calendar: whose.
        since: start of the window (UTC).
        until: its end, itself excluded.
    """
    return _expanded(calendar, since, until) if since < until else ()


def operates(calendar: Calendar, since: datetime, until: datetime) -> bool:
    """Whether any operating time lies in a window; of an empty one, whether that instant is operating time."""
    if since == until:
        return bool(operating(calendar, since, since + timedelta.resolution))
    while since < until:
        end = min(since + _CHUNK, until)
        if _expanded(calendar, since, end):
            return True
        since = end
    return False


@lru_cache(maxsize=256)
def _expanded(calendar: Calendar, since: datetime, until: datetime) -> tuple[Stretch, ...]:
    """Cached, for the assets of a site ask for the same window one after the other."""
    zone = ZoneInfo(calendar.zone)
    # A shift of the evening before may still run; a day more, since a window near midnight may lie in either day.
    first, last = since.astimezone(zone).date() - 2 * DAY, until.astimezone(zone).date()
    told = (
        (instant(day, shift.start, zone), instant(day if shift.start < shift.end else day + DAY, shift.end, zone))
        for shift in calendar.shifts
        for day in _days(shift, first, last, zone)
        if day not in calendar.holidays
    )
    clipped = ((max(start, since), min(end, until)) for start, end in told)
    return tuple(_merged(sorted(each for each in clipped if each[0] < each[1])))


def _days(shift: Shift, first: date, last: date, zone: ZoneInfo) -> Iterator[date]:
    """The days of a stretch on which a shift begins."""
    if shift.rule is not None:
        yield from (day for day in days(shift.rule, shift.anchor, last, zone) if day >= first)
        return
    day = first
    while day <= last:
        if day.weekday() in shift.weekdays:
            yield day
        day += DAY


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Sorted stretches, those that overlap or touch put together."""
    found: list[Stretch] = []
    for start, end in stretches:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
