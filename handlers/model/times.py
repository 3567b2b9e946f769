"""Dates and instants: RFC 3339 in, UTC out, cut to the microsecond."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from handlers.model.reading import Context

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:)([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?"
)
"""RFC 3339, 5.6 `date-time` with its notes on lower case and the blank, and the offset left out perhaps."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEAP_SECOND = "60"
_OFFSET_LENGTH, _MILLISECONDS_LENGTH = 6, 5
_SHORTEST = 20
_USUAL_LENGTHS = frozenset({_SHORTEST, 24, 25})
_MICROSECOND_DIGITS = 6
_EXPECTED_INSTANT = "an RFC 3339 time such as 2026-03-01T08:00:00Z"
_EXPECTED_DATE = "a date such as 2026-03-01"


def instant(value: Any, path: str, context: Context) -> datetime:
    """Reads a moment.

    A time without an offset is of the context's zone. Where clocks were put back the first of the two moments is
    meant, and where they were put forward the offset before the gap holds (RFC 5545, 3.3.5), both with a warning.
    Digits beyond the microsecond are cut. A leap second is the second that follows it, as in POSIX time.

    Returns:
        An aware UTC datetime.

    Raises:
        PermanentError: `wrong_type`, `malformed_value`, `out_of_range` (before year 1 or after 9999, in UTC),
            `missing_time_zone`, `unknown_time_zone`.
    """
    usual = usual_instant(value)
    if usual is not None:
        return usual
    if not isinstance(value, str):
        raise context.wrong_type(path, value, _EXPECTED_INSTANT)
    match = _INSTANT.fullmatch(value)
    if match is None:
        raise context.error("malformed_value", path, "string", _EXPECTED_INSTANT)
    day, minute, second, fraction, utc, sign, offset_hours, offset_minutes = match.groups()
    leap = second == _LEAP_SECOND
    local = _local(day, f"{minute}{'59' if leap else second}", path, context)
    if fraction is not None and not leap:
        local = local.replace(microsecond=int(fraction[:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0")))
    try:
        if utc is not None:
            moment = local.replace(tzinfo=UTC)
        elif sign is not None:
            offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
            moment = (local - offset if sign == "+" else local + offset).replace(tzinfo=UTC)
        else:
            moment = _in_zone(local, path, context)
        return _after_leap_second(moment, path, context) if leap else moment
    except OverflowError:
        raise context.error("out_of_range", path, "string", "a time within years 1 to 9999, UTC") from None


def usual_instant(value: Any) -> datetime | None:
    """Reads a moment in one of the three ways in which nearly all are written; None for any other value.

    They are `2026-03-01T08:00:00Z`, with three decimals, and with an offset. Python's own reader takes more than
    RFC 3339 has, so the marks between the digits are looked at first.
    """
    if not isinstance(value, str) or len(value) not in _USUAL_LENGTHS or not value.isascii():
        return None
    if value[10] != "T" or value[5] not in "01" or value[13] != ":" or value[16] != ":" or value[17] == "6":
        return None
    tail = value[19:]
    if tail[0] in "+-":
        is_usual = len(tail) == _OFFSET_LENGTH and tail[3] == ":" and tail[4] in "012345"
    else:
        is_usual = tail == "Z" or (tail[0] == "." and tail[-1] == "Z" and len(tail) == _MILLISECONDS_LENGTH)
    if not is_usual:
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def instant_text(moment: datetime) -> str:
    """A moment as it is kept: `2026-03-01T08:00:00Z`, six decimals where it has any. Takes an aware UTC datetime."""
    return f"{moment.isoformat()[:-6]}Z"


def read_instant(value: Any, path: str, context: Context) -> str:
    """Reads an instant into its kept text; raises as `instant` does."""
    usual = usual_instant(value)
    if usual is not None and value[-1] == "Z":
        return f"{value[:19]}Z" if len(value) == _SHORTEST or value[20:23] == "000" else f"{value[:23]}000Z"
    return instant_text(instant(value, path, context))


def read_date(value: Any, path: str, context: Context) -> str:
    """Reads a date, `YYYY-MM-DD`, never shifted by a zone.

    Raises:
        PermanentError: `wrong_type`, `malformed_value`, `out_of_range` (year 0).
    """
    if not isinstance(value, str):
        raise context.wrong_type(path, value, _EXPECTED_DATE)
    if not _DATE.fullmatch(value):
        raise context.error("malformed_value", path, "string", _EXPECTED_DATE)
    _check_year(value, path, context)
    try:
        date.fromisoformat(value)
    except ValueError:
        raise context.error("malformed_value", path, "string", _EXPECTED_DATE) from None
    return value


def read_instant_or_date(value: Any, path: str, context: Context) -> str:
    """Reads an instant, or a date where no more is known: the date stays one, which is how its precision shows.

    Raises:
        PermanentError: as `instant` or `read_date` does.
    """
    if isinstance(value, str) and _DATE.fullmatch(value):
        return read_date(value, path, context)
    return read_instant(value, path, context)


def _local(day: str, clock: str, path: str, context: Context) -> datetime:
    _check_year(day, path, context)
    try:
        return datetime.fromisoformat(f"{day}T{clock}")
    except ValueError:
        raise context.error("malformed_value", path, "string", _EXPECTED_INSTANT) from None


def _check_year(day: str, path: str, context: Context) -> None:
    if day.startswith("0000"):
        raise context.error("out_of_range", path, "string", "a year from 1 to 9999")


def _in_zone(local: datetime, path: str, context: Context) -> datetime:
    if context.time_zone is None:
        expected = "a time with an offset, or a time_zone set for the connection"
        raise context.error("missing_time_zone", path, "string", expected)
    try:
        zone = ZoneInfo(context.time_zone)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; a folder's name gives an OSError
        raise context.error("unknown_time_zone", path, "string", "an IANA time zone set for the connection") from None
    first = local.replace(tzinfo=zone)
    first_offset, second_offset = first.utcoffset(), first.replace(fold=1).utcoffset()
    if first_offset != second_offset:
        context.warn("time_ambiguous", path, f"clocks were changed at this hour in {context.time_zone}")
    return first.astimezone(UTC)


def _after_leap_second(moment: datetime, path: str, context: Context) -> datetime:
    if (moment.hour, moment.minute) != (23, 59):
        raise context.error("malformed_value", path, "string", _EXPECTED_INSTANT)
    return moment + timedelta(seconds=1)
