"""How Finance & Supply Chain Management writes values: nulls, keys, states, times, prices per so many."""

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from handlers.model.reading import found
from handlers.rules.times import parse_instant
from handlers.sources._converters import EXACT, epoch_milliseconds, joined, local_date, reference
from handlers.sources._mapping import Field
from handlers.sources._node import Node

NO_DAY: Final = "1900-01-01"
NO_TICKS: Final = "/Date(-2208988800000)/"
_TIMES_OF_NO_DAY: Final = frozenset({"", "T00:00:00Z", "T12:00:00Z", "T00:00:00"})
"""Dates come at noon, times at midnight."""

MOST_DIGITS: Final = 40
"""Of a price of one: a quotient with more has no end, or is no price."""

_BEGINNINGS: Final = frozenset({"", "/", "1"})
"""Of those nulls: nearly all values have another."""

_TICKS = re.compile(r"/Date\((-?[0-9]{1,18})\)/", re.ASCII)
_BLANKS = re.compile(r"[\s_-]+")


def is_null(value: Any) -> bool:
    """Its nulls beside JSON's, since no member is ever absent: an empty text, the first day of 1900."""
    if not isinstance(value, str) or value[:1] not in _BEGINNINGS:
        return False
    return not value or value == NO_TICKS or (value.startswith(NO_DAY) and value[len(NO_DAY) :] in _TIMES_OF_NO_DAY)


def company_of(node: Node, name: str = "dataAreaId") -> str:
    """The legal entity in lower case: records write `usmf`, events `USMF`."""
    return node.key(name).lower()


def link(node: Node, name: str, company: str, label: str | None = None) -> dict[str, Any] | None:
    """A reference to what the legal entity calls by a number, whose zeros, blanks and case count."""
    number = node.text(name)
    return None if number is None else reference(joined(company, number), label)


def put_link(node: Node, data: dict[str, Any], target: str, name: str, company: str) -> None:
    """Tells such a reference, where the record has the member."""
    if name in node:
        data[target] = link(node, name, company)


def put_first(node: Node, data: dict[str, Any], target: str, *names: str) -> None:
    """Tells the calendar date of the first of several members that has one."""
    given = [name for name in names if name in node]
    if given:
        name = next((each for each in given if node.get(each) is not None), None)
        data[target] = None if name is None else local_date(node.get(name), node, Field(target, name=name))


def state(table: Mapping[str, str], code: str) -> str | None:
    """A state that the customer has typed in, by the usual names: case, blanks, `_` and `-` do not count."""
    return table.get(_BLANKS.sub("", code).lower())


def number_text(value: Any, node: Node, field: Field) -> str:
    """A line's number as text: a decimal there, and `1.0` is line 1."""
    number = node.decimal(field.name, value)
    return format(number.normalize(EXACT) if number else Decimal(0), "f")


def event_time(node: Node) -> datetime | None:
    """When a business event happened; None for 1900, which is what it says when nobody has filled it."""
    written = node.get("EventTimeIso8601")
    if written is not None:
        return node.instant("EventTimeIso8601")
    ticks = node.get("EventTime")
    if ticks is None:
        return None
    match = _TICKS.fullmatch(ticks) if isinstance(ticks, str) else None
    if match is None:
        raise node.error("malformed_value", "EventTime", found(ticks), "a time such as /Date(1772150400000)/")
    return parse_instant(epoch_milliseconds(int(match[1]), node, Field("", name="EventTime")))


def price_each(node: Node) -> Decimal | None:
    """A price for so many, as the price of one; None where that is no exact number."""
    price, basis = node.number("PurchasePrice"), node.number("PurchasePriceQuantity")
    if price is None or not basis:
        return None
    each = EXACT.divide(price, basis)
    return each if len(each.as_tuple().digits) <= MOST_DIGITS else None
