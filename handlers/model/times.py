"""Dates and instants: RFC 3339 in, UTC out, cut to the microsecond."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from handlers.model.reading import Context

_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:)([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))?"
)
"""RFC 3339, 5.6 `date-time` with its notes on lower case and the blank, and the offset left out perhaps."""

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LEAP_SECOND = "60"
_MICROSECOND_DIGITS = 6
_USUAL_TAILS = ("Z", "")
_MARKS = ("T::", " ::")
_UTC_LENGTH = len("2026-03-01T08:00:00Z")
_DATE_LENGTH = len("2026-03-01")
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = _EPOCH.replace(tzinfo=None)
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
    usual = _usual(value)
    try:
        if usual is None:
            return _unusual(value, path, context)
        return _in_zone(usual, path, context) if usual.tzinfo is None else usual.astimezone(UTC)
    except OverflowError:
        raise context.error("out_of_range", path, "string", "a time within years 1 to 9999, UTC") from None


def _unusual(value: Any, path: str, context: Context) -> datetime:
    """Reads it by the letter of RFC 3339."""
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
    if utc is not None:
        moment = local.replace(tzinfo=UTC)
    elif sign is not None:
        offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
        moment = (local - offset if sign == "+" else local + offset).replace(tzinfo=UTC)
    else:
        moment = _in_zone(local, path, context)
    return _after_leap_second(moment, path, context) if leap else moment


def usual_instant(value: Any) -> datetime | None:
    """Reads a moment that states its offset in the ways in which nearly all are written; None for any other value."""
    usual = _usual(value)
    try:
        return None if usual is None or usual.tzinfo is None else usual.astimezone(UTC)
    except OverflowError:
        return None


def _usual(value: Any) -> datetime | None:
    """Reads a moment as nearly all are written, by Python's own reader; naive where it states no offset.

    That takes more than RFC 3339 has (weeks, commas, offsets without colon), so the marks between the digits are looked
    at first.
    """
    if not isinstance(value, str) or value[10:17:3] not in _MARKS or value[5] == "W":
        return None
    tail = value[19:]
    if tail not in _USUAL_TAILS and not _has_usual_tail(value, tail):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _has_usual_tail(value: str, tail: str) -> bool:
    decimals = tail.removesuffix("Z")
    if value[-3] == ":" and value[-6] in "+-" and value[-2] in "012345":
        decimals = tail[:-6]
    return not decimals or (decimals[0] == "." and decimals[1:].isdigit() and decimals.isascii())


def instant_text(moment: datetime) -> str:
    """A moment as it is kept: `2026-03-01T08:00:00Z`, six decimals where it has any. Takes an aware UTC datetime."""
    return str(msgspec.to_builtins(moment))  # a tenth of isoformat's time


def read_instant(value: Any, path: str, context: Context) -> str:
    """Reads an instant into its kept text; raises as `instant` does."""
    if isinstance(value, str) and len(value) == _UTC_LENGTH and value[10] == "T" and _usual(value) is not None:
        return value
    return instant_text(instant(value, path, context))


def read_date(value: Any, path: str, context: Context) -> str:
    """Reads a date, `YYYY-MM-DD`, never shifted by a zone.

    Raises:
        PermanentError: `wrong_type`, `malformed_value`, `out_of_range` (year 0).
    """
    if not isinstance(value, str):
        raise context.wrong_type(path, value, _EXPECTED_DATE)
    if len(value) == _DATE_LENGTH and value[4:8:3] == "--" and _is_day(value):
        return value
    if not _DATE.fullmatch(value):
        raise context.error("malformed_value", path, "string", _EXPECTED_DATE)
    _check_year(value, path, context)
    if not _is_day(value):
        raise context.error("malformed_value", path, "string", _EXPECTED_DATE)
    return value


def _is_day(value: str) -> bool:
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def read_instant_or_date(value: Any, path: str, context: Context) -> str:
    """Reads an instant, or a date where no more is known: the date stays one, which is how its precision shows.

    Raises:
        PermanentError: as `instant` or `read_date` does.
    """
    if isinstance(value, str) and len(value) == _DATE_LENGTH and _DATE.fullmatch(value):
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
    offset = zone.utcoffset(local)
    is_inside = MINYEAR < local.year < MAXYEAR
    if offset is not None and is_inside and zone.utcoffset(local - _DAY) == zone.utcoffset(local + _DAY):
        # No clock is changed near by: none was ever put back within two days of having been put forward.
        return _EPOCH + (local - _LOCAL_EPOCH - offset)  # a tenth of what `replace` takes
    first = local.replace(tzinfo=zone)
    first_offset, second_offset = first.utcoffset(), first.replace(fold=1).utcoffset()
    if first_offset != second_offset:
        context.warn("time_ambiguous", path, f"clocks were changed at this hour in {context.time_zone}")
    return first.astimezone(UTC)


def _after_leap_second(moment: datetime, path: str, context: Context) -> datetime:
    if (moment.hour, moment.minute) != (23, 59):
        raise context.error("malformed_value", path, "string", _EXPECTED_INSTANT)
    return moment + timedelta(seconds=1)
