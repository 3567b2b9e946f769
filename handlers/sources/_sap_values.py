"""How SAP writes values: numbers with zeros before them, dates as milliseconds, times apart from their dates."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from handlers.model.reading import found
from handlers.model.times import instant, instant_text, usual_instant
from handlers.sources._converters import EXACT, local_date, moment, reference, text
from handlers.sources._mapping import UNTOLD, Field
from handlers.sources._node import Node

NULLS: Final = ("9999-12-31", "/Date(2534022144", "/Date(2534023007")
"""How an open end begins: the last day, as v4 writes it, and its midnight and last second as v2 does."""

SECONDS: Final[Mapping[str, int]] = {"H": 3600, "HR": 3600, "STD": 3600, "MIN": 60, "S": 1, "SEC": 1}  # I beyond H
"""By unit. A DAY is as long as the work calendar says, which nobody sends."""

MILLISECONDS_A_DAY: Final = 86_400_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY: Final = EPOCH.toordinal()

_TICKS = re.compile(r"/Date\((-?[0-9]{1,18})(?:[+-][0-9]{1,4})?\)/", re.ASCII)
_CLOCK = re.compile(
    r"PT(?:([0-9]{1,2})H)?(?:([0-9]{1,2})M)?(?:([0-9]{1,2})(?:\.[0-9]+)?S)?"
    r"|([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?",
    re.ASCII,
)
_CLOCK_EXPECTED = "a time of day such as PT15H51M04S or 15:51:04"
_HOURS, _SIXTY = 24, 60
_WITH_OFFSET = len("2017-04-12T19:00:00-05:00")


def is_null(value: Any) -> bool:
    """SAP's nulls beside JSON's: an empty text, an open end. Zeros are only where a number of an object stands."""
    return value == "" or (isinstance(value, str) and value[0] in "9/" and value.startswith(NULLS))


def canonical(number: str | None) -> str | None:
    """A number without the zeros that SAP stores before one of digits only (ALPHA); all zeros is none.

    Where zeros mean something (operations, plants, company codes, functional locations, terms), it is not asked.
    """
    if number is None or not (number.isascii() and number.isdigit()):
        return number
    return number.lstrip("0") or None


def key_of(node: Node, name: str) -> str:
    """The number of an object, which must be there."""
    number = canonical(node.key(name))
    if number is None:
        raise node.error("missing_field", name, "string", "a number that is not all zeros")
    return number


def number_of(node: Node, name: str) -> str | None:
    """The number of an object."""
    return canonical(node.text(name))


def alpha(value: Any, node: Node, field: Field) -> str | None:
    """Likewise, for a table."""
    return canonical(text(value, node, field))


def put_ref(node: Node, data: dict[str, Any], target: str, name: str, label: str | None = None) -> None:
    """Tells a reference to an object by its number, where the record has the member."""
    if name in node:
        data[target] = reference(number_of(node, name), label)


def calendar_date(value: Any, node: Node, field: Field) -> str:
    """An Edm.DateTime or Edm.Date: the calendar date, whatever the zone.

    One that is midnight in UTC, in whatever offset it was written since, is the date of that midnight
    (`2017-04-12T19:00:00-05:00` is the 13th); else the date as it is written counts.
    """
    if not isinstance(value, str):
        raise node.wrong_type(field.name, "a date such as /Date(1492041600000)/")
    ticks = _TICKS.fullmatch(value)
    if ticks is not None:
        try:
            return date.fromordinal(EPOCH_DAY + int(ticks[1]) // MILLISECONDS_A_DAY).isoformat()
        except (ValueError, OverflowError):
            raise node.error("out_of_range", field.name, "string", "a date within years 1 to 9999") from None
    written = usual_instant(value) if len(value) == _WITH_OFFSET and "T" in value else None
    if written is not None and not (written.hour or written.minute or written.second):
        return written.date().isoformat()
    return local_date(value, node, field)


def stamp(value: Any, node: Node, field: Field) -> Any:
    """An Edm.DateTimeOffset: a true instant, whose offset is only how it was shown; v4's is RFC 3339."""
    if not isinstance(value, str):
        raise node.wrong_type(field.name, "a time such as /Date(1492098664000+0000)/")
    ticks = _TICKS.fullmatch(value)
    return moment(value, node, field) if ticks is None else _instant(ticks[1], node, field.name)


def _instant(ticks: str, node: Node, name: str) -> str:
    try:
        return instant_text(EPOCH + timedelta(milliseconds=int(ticks)))
    except OverflowError:
        raise node.error("out_of_range", name, "string", "a time within years 1 to 9999, UTC") from None


def local_time(node: Node, day_name: str, clock_name: str) -> str | None:
    """A date and the time beside it, which name no zone; None without a date, whatever the time says.

    A date without a time is its midnight, as SAP's initial time is; 24:00 is the next one.
    """
    day = node.get(day_name)
    if day is None:
        return None
    written = calendar_date(day, node, Field("", name=day_name))
    clock = node.get(clock_name)
    if clock is None:
        return f"{written}T00:00:00"
    match = _CLOCK.fullmatch(clock) if isinstance(clock, str) else None
    if match is None:
        raise node.error("malformed_value", clock_name, found(clock), _CLOCK_EXPECTED)
    hour, minute, second = (int(match[at] or match[at + 3] or 0) for at in (1, 2, 3))
    if minute >= _SIXTY or second >= _SIXTY or hour > _HOURS or (hour == _HOURS and minute + second):
        raise node.error("malformed_value", clock_name, "string", _CLOCK_EXPECTED)
    if hour < _HOURS:
        return f"{written}T{hour:02}:{minute:02}:{second:02}"
    try:
        return f"{date.fromisoformat(written) + timedelta(days=1)}T00:00:00"
    except (ValueError, OverflowError):
        raise node.error("out_of_range", day_name, "string", "a date within years 1 to 9999") from None


class Clock:
    """Reads a record's times, each from its timestamp, else from a date and a time in the record's zone.

    Args:
        custom: where a time is kept that cannot be told, as no zone is known.
        zone_is_told: the record itself names the zone, so that nothing is assumed.
    """

    def __init__(self, custom: dict[str, Any], *, zone_is_told: bool = False) -> None:
        self._custom = custom
        self._zone_is_told = zone_is_told

    def tell(self, node: Node, data: dict[str, Any], target: str, *names: str) -> None:
        """Puts a time, where the record has one of its members.

        Args:
            node: the record, or a row of it.
            data: takes the time, and null where the members are null.
            target: our field.
            names: of the timestamp (may be empty), the date, the time of day.
        """
        told = self.read(node, target, *names)
        if told is not UNTOLD and (told is not None or any(name in node for name in names[:2])):
            data[target] = told

    def read(self, node: Node, target: str, twin: str, day: str, clock: str) -> Any:
        """Such a time as the model reads it; None for null; UNTOLD where the zone is missing."""
        value = node.get(twin) if twin else None
        if value is not None:
            told = stamp(value, node, Field(target, name=twin))
            if told is UNTOLD:
                self._custom[twin] = value
            return told
        local = local_time(node, day, clock)
        if local is None or (self._zone_is_told and node.given.context.time_zone is not None):
            return local
        told = moment(local, node, Field(target, name=day))
        if told is UNTOLD:
            self._custom.update({day: node.get(day), clock: node.get(clock)})
        return told


def changed_at(node: Node) -> datetime | None:
    """When a record became as it is told: its place in the order of facts. None where it does not say, as often.

    Raises:
        PermanentError: `missing_time_zone` where it names a date and a time, and nobody their zone.
    """
    name, value = "LastChangeDateTime", node.get("LastChangeDateTime")
    if value is None:
        name = "LastChangeDate"
        value = local_time(node, name, "LastChangeTime") if node.get("LastChangeTime") is not None else None
        return None if value is None else at_zone(node, name, value)
    ticks = _TICKS.fullmatch(value) if isinstance(value, str) else None
    return at_zone(node, name, _instant(ticks[1], node, name) if ticks else value)


def at_zone(node: Node, name: str, written: Any) -> datetime:
    """A time as an instant; one without an offset is of the record's zone."""
    return usual_instant(written) or instant(written, node.within(name), node.given.context)


def later(begun: datetime, seconds: int) -> str | None:
    """So many seconds after a moment, in kept form; None beyond the calendar."""
    try:
        return instant_text((begun + timedelta(seconds=seconds)).astimezone(UTC))
    except OverflowError:
        return None


def seconds(node: Node, name: str, unit_name: str, target: str) -> int | None:
    """A quantity of time in seconds; None without one, and, with a warning, where its unit has no fixed length."""
    quantity, unit = node.number(name), node.text(unit_name)
    if quantity is None:
        return None
    factor = SECONDS.get((unit or "").upper())
    if factor is not None:
        return int(EXACT.multiply(quantity, EXACT.create_decimal(factor)).to_integral_value())
    if quantity:
        node.given.warn("unit_unknown", target, f"{name} is in {(unit or 'no unit')[:8]}, which has no fixed length")
        return None
    return 0
