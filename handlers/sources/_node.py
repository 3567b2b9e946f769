"""A JSON object on its way through a mapper: its members by name, each with its type checked and its path known."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from handlers.errors import PermanentError
from handlers.events import Delivery, MappingOptions
from handlers.model.numbers import number_from_text, number_text
from handlers.model.reading import MAX_PATH, Context, found, member
from handlers.model.scalars import is_surely_key, read_key
from handlers.model.times import instant, usual_instant
from handlers.sources._envelopes import Around, Made

IsNull = Callable[[Any], bool]
"""Tells a source's null from a value: its sentinels, never another source's."""


class Given(msgspec.Struct, eq=False):
    """What a mapper knows beside the element itself; one for each element.

    Attributes:
        context: warnings, and where the element stands.
        within: the envelope that the element was taken from, such as `value` or `d/results`; empty for a bare one.
        currency: ISO 4217 code of the element's amounts, where a mapper has found it.
        prefix: cut off the names of the element's members.
        is_null: the source's null beside JSON's; None where it has no other.
    """

    context: Context
    _delivery: Delivery
    within: str = ""
    _around: Around | None = None
    is_null: IsNull | None = None
    currency: str | None = None
    prefix: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the delivery, names in lower case."""
        return self._delivery.headers

    @property
    def received_at(self) -> datetime:
        """When the delivery came: an order of facts that only `order = "arrival"` may use."""
        return self._delivery.received_at

    @property
    def options(self) -> MappingOptions:
        """What the connection tells its source."""
        return self.context.options

    def beside(self, name: str) -> Any:
        """A member of the envelope that stands beside the elements, such as `@odata.context`; None without it."""
        return None if self._around is None else self._around.get(name)

    def around(self, make: Callable[[Around], Made]) -> Made | None:
        """What a function makes of the envelope, once for all its elements; None where there is no envelope."""
        return None if self._around is None else self._around.once(make)

    def warn(self, code: str, field: str, detail: str) -> None:
        """Records that something was doubtful about a field of ours; it stands as long as that field's value."""
        self.context.warn(code, f"data.{field}" if field else "data", detail)


class Node(msgspec.Struct, eq=False):
    """A JSON object with its place in the element.

    A member that is absent, null or one of the source's sentinels reads as None. A member of another JSON type than
    the one asked for is a `PermanentError` with its path.

    Attributes:
        values: its members.
        path: within the element; empty for the element itself.
        given: what else the mapper knows.
        prefix: cut off the names of members, and part of their paths (`spi:`).
    """

    values: Mapping[str, Any]
    given: Given
    path: str = ""
    prefix: str = ""

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str) -> Any:
        """A member as it is; None for the source's null."""
        value = self.values.get(name)
        if value is None:
            return None
        is_null = self.given.is_null
        return None if is_null is not None and is_null(value) else value

    def text(self, name: str) -> str | None:
        """A text; an integer serves as its digits; an empty text is None."""
        value = self.values.get(name)
        if value is None or value == "" or ((is_null := self.given.is_null) is not None and is_null(value)):
            return None
        if isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return number_text(value)
        raise self.wrong_type(name, "a string")

    def key(self, name: str) -> str:
        """A text that must be there, of the length that a key may have."""
        text = self.text(name)
        if text is None:
            raise self.error("missing_field", name, "null" if name in self.values else "nothing", "a value")
        return text if is_surely_key(text) else read_key(text, self.within(name), self.given.context)

    def number(self, name: str) -> Decimal | None:
        """An exact number, from a JSON number or its text."""
        value = self.get(name)
        return None if value is None else self.decimal(name, value)

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self.get(name)
        if value is None or isinstance(value, bool):
            return value
        raise self.wrong_type(name, "true or false")

    def instant(self, name: str) -> datetime | None:
        """A moment, for the order of facts; one without an offset is of the connection's zone.

        Raises:
            PermanentError: as `handlers.model.times.instant` does; a zone that nobody set is `missing_time_zone`.
        """
        value = self.get(name)
        if value is None or value == "":
            return None
        return usual_instant(value) or instant(value, self.within(name), self.given.context)

    def first(self, *names: str) -> Any:
        """The first of several members that is there."""
        return next((value for value in map(self.get, names) if value is not None), None)

    def node(self, name: str) -> "Node | None":
        """An object."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.wrong_type(name, "an object")
        return Node(value, self.given, self.within(name))

    def nodes(self, name: str) -> "list[Node]":
        """An array of objects; without one there are none."""
        value = self.get(name)
        return [] if value is None else self.nodes_of(name, value)

    def nodes_of(self, name: str, value: Any) -> "list[Node]":
        """Likewise, of a member's value at hand."""
        if not isinstance(value, list):
            raise self.wrong_type(name, "an array")
        nodes = [Node(each, self.given, f"{self.within(name)}[{index}]") for index, each in enumerate(value)]
        for each in nodes:
            if not isinstance(each.values, dict):
                raise self.given.context.wrong_type(each.path, each.values, "an object")
        return nodes

    def decimal(self, name: str, value: Any) -> Decimal:
        """An exact number, of a member's value at hand."""
        if isinstance(value, str):
            read = number_from_text(value)
            if read is None:
                raise self.error("malformed_value", name, "string", "a number")
        elif isinstance(value, Decimal):
            read = value
        elif isinstance(value, int) and not isinstance(value, bool):
            read = Decimal(value)
        else:
            raise self.wrong_type(name, "a number")
        if number_text(read) is None:
            raise self.error("out_of_range", name, "number", "a finite number of at most 60 digits")
        return read

    def without(self, prefix: str) -> "Node":
        """The same object under shorter names: those that begin with the prefix lose it."""
        self.given.prefix = prefix
        cut = {name.removeprefix(prefix): value for name, value in self.values.items()}
        return Node(cut, self.given, self.path, prefix)

    def within(self, name: str) -> str:
        """A member's path within the element."""
        place = member(self.path, self.prefix + name)
        return place if self.path else place.removeprefix(".")

    def error(self, code: str, name: str, value_type: str, expected: str) -> PermanentError:
        """Builds the refusal of a member, or of the object itself where no name is given."""
        return self.given.context.error(code, self.within(name) if name else self.path, value_type, expected)

    def wrong_type(self, name: str, expected: str) -> PermanentError:
        """Builds the refusal of a member whose JSON type is not the one expected."""
        return self.error("wrong_type", name, found(self.values.get(name)), expected)


def at(error: PermanentError, path: str) -> PermanentError:
    """The same refusal at another path."""
    path = path[:MAX_PATH]
    message = f"{path}: {error.found} where {error.expected} is expected"
    return PermanentError(
        error.code, message, path=path, found=error.found, expected=error.expected, retry_at=error.retry_at
    )
