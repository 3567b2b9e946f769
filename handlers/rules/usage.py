"""What a meter has counted in all, across resets, replacements and rollovers, and how fast it counts."""

import bisect
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

AVERAGE_OVER = timedelta(days=365)
"""The readings that an average is made of: those of the year before the last."""
DAY = timedelta(days=1)


class Reading(msgspec.Struct, frozen=True):
    """A reading as it stands among those of its meter, or a reset.

    Attributes:
        read_at: when (UTC).
        value: what it shows; None of a reset that names no value.
        is_reset: the meter counts anew from `value`, or from zero.
        replaced: it is the first of a new meter: what it shows was not counted by the old one.
        rolled_over: it passed its end since the one before.
        rollover_at: where the end is; None where nobody said.
    """

    read_at: datetime
    value: Decimal | None
    is_reset: bool = False
    replaced: bool = False
    rolled_over: bool = False
    rollover_at: Decimal | None = None


class Total(msgspec.Struct, frozen=True):
    """How much a meter has counted by a moment; equal to what it shows as long as it was never reset."""

    read_at: datetime
    value: Decimal


def totals(readings: Iterable[Reading]) -> list[Total]:
    """The totals of a counter, oldest first, never falling; a reading behind the one before is left out.

    Args:
        readings: of one meter, sorted by time; a reset before a reading of the same moment.
    """
    found: list[Total] = []
    offset, last, shown = Decimal(0), None, Decimal(0)
    for each in readings:
        value = each.value
        if each.is_reset or each.replaced:
            offset = Decimal(0) if last is None else last - (value or Decimal(0))
        elif each.rolled_over and last is not None:
            offset += each.rollover_at if each.rollover_at is not None else shown
        if value is None:
            shown = Decimal(0)
            continue
        now = offset + value
        if last is not None and now < last:
            continue
        shown, last = value, now
        found.append(Total(each.read_at, now))
    return found


def average(counted: Sequence[Total]) -> Decimal | None:
    """Units a day over the readings of the year before the last; None of fewer than two, or of no time between."""
    if not counted:
        return None
    last = counted[-1]
    first = counted[bisect.bisect_left(counted, last.read_at - AVERAGE_OVER, key=lambda each: each.read_at)]
    span = last.read_at - first.read_at
    if span <= timedelta(0):
        return None
    return (last.value - first.value) * (DAY // timedelta(microseconds=1)) / (span // timedelta(microseconds=1))


def at(counted: Sequence[Total], moment: datetime) -> Decimal | None:
    """The total that was last read at a moment; None before the first reading."""
    behind = bisect.bisect_right(counted, moment, key=lambda each: each.read_at)
    return counted[behind - 1].value if behind else None


def reached(counted: Sequence[Total], value: Decimal) -> datetime | None:
    """When a total was first read that is a value or more: an edge, whatever is read afterwards."""
    place = bisect.bisect_left(counted, value, key=lambda each: each.value)
    return counted[place].read_at if place < len(counted) else None


def passed(counted: Sequence[Total], value: Decimal) -> datetime | None:
    """When a total was first read that is more than a value."""
    place = bisect.bisect_right(counted, value, key=lambda each: each.value)
    return counted[place].read_at if place < len(counted) else None
