"""What a table does with a value: units to ours, dates to dates, codes to words. Each is a `_mapping.Convert`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context as DecimalContext
from decimal import Decimal
from typing import Any, Final

from handlers.model.numbers import MAX_DIGITS, MAX_EXPONENT
from handlers.model.reading import found
from handlers.model.times import instant_text
from handlers.rules.times import parse_instant
from handlers.sources._mapping import UNTOLD, Convert, Field
from handlers.sources._node import Node

SECONDS_AN_HOUR: Final = 3600
SECONDS_A_MINUTE: Final = 60
MICROSECONDS_A_SECOND: Final = 1_000_000
MICROSECONDS_A_MILLISECOND: Final = 1_000
DECIMALS_OF_CENTS: Final = 2
CENTS: Final = 10**DECIMALS_OF_CENTS
SURELY_EXACT: Final = 2**62
"""Whole numbers below it need no check of their digits; most are."""
EXACT: Final = DecimalContext(prec=2 * (MAX_DIGITS + MAX_EXPONENT))
"""Room for the product of any two numbers that are kept: nothing is ever rounded unseen."""

ZULU: Final = ("Z", "z")
SIGNS: Final = ("+", "-")
OFFSET_LENGTH: Final = len("+00:00")

_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ].*)?", re.DOTALL)
_MIDNIGHT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]00:00:00(?:\.0*)?(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?")
_OFFSET_WITHOUT_COLON = re.compile(r"(.*[0-9][+-][0-9]{2})([0-9]{2})")
_OFFSET = re.compile(r"[+-][0-9]{2}:[0-9]{2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(value: Any, node: Node, field: Field) -> str | None:
    """A text, of a text or a number; an empty one is null. For members that some versions send as numbers."""
    if isinstance(value, str):
        return value or None
    if type(value) is int and abs(value) < SURELY_EXACT:
        return str(value)
    return format(node.decimal(field.name, value), "f")


def amount(value: Any, node: Node, _: Field) -> dict[str, Any] | Any:
    """Money in main units, in the currency that the mapper has found; else the model takes the connection's."""
    return value if node.given.currency is None else {"amount": value, "currency": node.given.currency}


def cents(value: Any, node: Node, field: Field) -> dict[str, Any] | Any:
    """Money in hundredths, likewise."""
    if type(value) is int and 0 <= value < SURELY_EXACT:
        return amount(f"{value // CENTS}.{value % CENTS:02}", node, field)
    return amount(EXACT.scaleb(node.decimal(field.name, value), -DECIMALS_OF_CENTS), node, field)


def hours(value: Any, node: Node, field: Field) -> int:
    """Hours, in seconds; a part of a second is rounded to the nearest, half to even."""
    return _seconds(value, SECONDS_AN_HOUR, node, field)


def minutes(value: Any, node: Node, field: Field) -> int:
    """Minutes, in seconds; likewise."""
    return _seconds(value, SECONDS_A_MINUTE, node, field)


def local_date(value: Any, node: Node, field: Field) -> str:
    """The calendar date of a date or a time as it is written: no zone shifts it."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        code = "malformed_value" if isinstance(value, str) else "wrong_type"
        raise node.error(code, field.name, found(value), "a date such as 2026-03-01")
    return match[1]


def moment(value: Any, node: Node, field: Field) -> Any:
    """A time that may lack an offset: it is then of the connection's zone or its site's, with a warning.

    Where clocks change, the rule is that of `handlers.model.times.instant`. Without a zone the field is not told: the
    source's text is kept, with a warning, and a rebuild reads it once the connection has a `time_zone`.
    """
    if not isinstance(value, str) or value[-1:] in ZULU:
        return value
    if value[-3:-2] == ":" and _OFFSET.fullmatch(value[-OFFSET_LENGTH:]):
        return value
    if value[-5:-4] in SIGNS:
        offset = _OFFSET_WITHOUT_COLON.fullmatch(value)
        if offset is not None and ":" in value:
            return f"{offset[1]}:{offset[2]}"
    zone = node.given.context.time_zone
    if zone is None:
        detail = f"{field.name} names no zone, and the connection has no time_zone: it is kept as it is, unread"
        node.given.warn("time_zone_missing", field.target, detail)
        return UNTOLD
    node.given.warn("tz_assumed", field.target, f"{field.name} names no zone; {zone} was taken")
    return value


def moment_or_date(value: Any, node: Node, field: Field) -> Any:
    """A time; one at midnight as it is written is how a source sends a date, and stays one."""
    if isinstance(value, str) and _MIDNIGHT.fullmatch(value):
        return local_date(value, node, field)
    return moment(value, node, field)


def epoch_seconds(value: Any, node: Node, field: Field) -> str:
    """Seconds since 1970, UTC, as an instant."""
    return _since_epoch(value, MICROSECONDS_A_SECOND, node, field)


def epoch_milliseconds(value: Any, node: Node, field: Field) -> str:
    """Milliseconds since 1970, UTC, as an instant."""
    return _since_epoch(value, MICROSECONDS_A_MILLISECOND, node, field)


def moment_or_milliseconds(value: Any, node: Node, field: Field) -> Any:
    """A time, written either way: by its JSON type a number is milliseconds since 1970."""
    return moment(value, node, field) if isinstance(value, str) else epoch_milliseconds(value, node, field)


def instant_or_milliseconds(node: Node, name: str) -> datetime | None:
    """Likewise, for the order of facts; see `Node.instant`."""
    value = node.get(name)
    if value is None or isinstance(value, str):
        return node.instant(name)
    return parse_instant(epoch_milliseconds(value, node, Field("", name=name)))


def date_or_milliseconds(value: Any, node: Node, field: Field) -> str:
    """Likewise a date; of milliseconds it is the one in UTC."""
    text_ = value if isinstance(value, str) else epoch_milliseconds(value, node, field)
    return local_date(text_, node, field)


def flags(true: frozenset[Any], false: frozenset[Any]) -> Convert:
    """True and false in a source's own words, such as `Yes` and `No`; JSON's own serve too."""

    def convert(value: Any, node: Node, field: Field) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str | int):
            if value in true:
                return True
            if value in false:
                return False
        raise node.error("malformed_value", field.name, found(value), "true or false")

    return convert


def words(table: Mapping[str, str]) -> Convert:
    """One of our words by a source's code; one that is not in the table goes on as it is, so that the model warns."""

    def convert(value: Any, node: Node, field: Field) -> Any:
        code = value if isinstance(value, str) else text(value, node, field)
        return table.get(code or "", code)

    return convert


def coded(table: Mapping[str, str]) -> Convert:
    """A status or a priority whose code alone is sent; see `word`."""

    def convert(value: Any, node: Node, field: Field) -> dict[str, Any]:
        return word(table, value if isinstance(value, str) else text(value, node, field))

    return convert


def word(table: Mapping[str, str], code: str | None, **more: Any) -> dict[str, Any]:
    """A status or a priority in the form that the model reads; the connection's own map is the model's to apply.

    Args:
        table: our words by the source's codes. A code that is not in it is `unknown` with a warning.
        code: the source's.
        more: further members, such as `source_label` or `reason`.
    """
    return {"value": table.get(code or ""), "source_code": code, **more}


def joined(*parts: str | None) -> str:
    """The canonical text of a key of several parts: `BEDFORD/1208`; a slash inside a part is `%2F`."""
    return "/".join([(part or "").replace("%", "%25").replace("/", "%2F") for part in parts])


def reference(key: str | None, label: str | None = None) -> dict[str, Any] | None:
    """A reference; None where there is no key."""
    return None if key is None else {"key": key, "label": label}


def _seconds(value: Any, unit: int, node: Node, field: Field) -> int:
    if type(value) is int and abs(value) < SURELY_EXACT:
        return value * unit
    return int(EXACT.multiply(node.decimal(field.name, value), Decimal(unit)).to_integral_value())


def _since_epoch(value: Any, unit: int, node: Node, field: Field) -> str:
    whole = value if type(value) is int and abs(value) < SURELY_EXACT else None
    microseconds = EXACT.multiply(node.decimal(field.name, value), Decimal(unit)) if whole is None else whole * unit
    try:
        return instant_text(_EPOCH + timedelta(microseconds=int(microseconds)))
    except OverflowError:
        raise node.error("out_of_range", field.name, "number", "a time within years 1 to 9999, UTC") from None
