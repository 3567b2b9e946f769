"""The table of a mapper: a source's names, and what each becomes; applied by one loop."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from handlers.model.reading import member
from handlers.sources._node import Node

UNTOLD: Final = object()
"""What a converter gives for a value that it must not turn into ours: the field is not told, the value kept as it is
under its source's name."""

Convert: TypeAlias = "Callable[[Any, Node, Field], Any]"
"""Turns a value that is not null into what our field's model reads; may refuse it, or warn through the node."""

Finish: TypeAlias = Callable[[Node, dict[str, Any]], None]
"""Completes what a table has made of an object: keys of several parts, units beside quantities."""


class Field(NamedTuple):
    """What becomes of one of a source's members.

    Attributes:
        target: our field, dots for one inside (`failure.class`); empty where a mapper reads the member by itself.
        convert: None where the model reads the value as it is.
        table: of the objects inside, where there are some.
        name: the source's; the table fills it in.
        taken: a mapper's own code reads the member; the table only knows whose path it is.
    """

    target: str
    convert: "Convert | None" = None
    table: "Table | None" = None
    name: str = ""
    taken: bool = False


_Step: TypeAlias = "tuple[str, Convert | None, Field | None, tuple[str, ...]]"
"""A field as a table applies it, a plain tuple because those unpack quickest: the last name of the target; what
converts the value; the field, if the table tells it; the names before the last."""


def used(target: str = "") -> Field:
    """A member that the mapper's own code reads for a field of ours, or that is of no use to anybody."""
    return Field(target, taken=True)


class Stated(msgspec.Struct, frozen=True):
    """What a table makes of an object.

    Attributes:
        data: by our names, as the model reads them; None clears.
        custom: members that the table does not list, under their own names.
    """

    data: dict[str, Any]
    custom: dict[str, Any]

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Both, in this order."""
        yield self.data
        yield self.custom


class Table:
    """A source's members and what they become.

    Args:
        kind: of the record, such as `work_order`; empty for what stands inside one.
        fields: by the source's names; a text is the same as a `Field` of that target.

    Attributes:
        kind: of the record.
        names: the source's names.
        targets: our fields that a record of this table can have.

    Raises:
        ValueError: two members claim one field; which of them counts is for the mapper to say.
    """

    def __init__(self, kind: str, fields: Mapping[str, str | Field]) -> None:
        self.kind = kind
        self._fields = {
            name: field._replace(name=name)
            for name, given in fields.items()
            for field in [Field(given) if isinstance(given, str) else given]
        }
        told = [each.target for each in self._fields.values() if not each.taken]
        if len(told) != len(set(told)):
            raise ValueError(f"claimed twice: {sorted({each for each in told if told.count(each) > 1})}")
        by_length = sorted(self._fields.values(), key=lambda each: (-len(each.target), each.taken))
        self._steps = {name: _step(field) for name, field in self._fields.items()}
        self._targets = {each.target: each for each in reversed(by_length) if each.target}
        self.names = tuple(self._fields)
        self.targets = tuple(dict.fromkeys(each.target.partition(".")[0] for each in by_length if each.target))

    def tell(self, node: Node) -> Stated:
        """Applies the table to an object.

        Raises:
            PermanentError: a converter refused a value.
        """
        data: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        steps, is_null = self._steps, node.given.is_null
        for name, value in node.values.items():
            step = steps.get(name)
            if step is None:
                custom[name] = value
                continue
            target, convert, field, outer = step
            if field is None:
                continue
            if value is None or (is_null is not None and is_null(value)):
                if not outer:
                    data.setdefault(target, None)
                continue
            told = value if convert is None else convert(value, node, field)
            if told is UNTOLD:
                custom[name] = value
            elif outer:
                _put(data, outer, target, told)
            else:
                data[target] = told
        return Stated(data, custom)

    def source_path(self, path: str, prefix: str = "") -> str:
        """Where in the source's object a value of ours comes from.

        Args:
            path: within our record, such as `lines[2].unit_price.amount`.
            prefix: of the names as they were sent.

        Returns:
            Such as `.poline[2].unitcost`; empty where no member alone gives it.
        """
        for target, field in self._targets.items():
            rest = path.removeprefix(target)
            if path.startswith(target) and (not rest or rest[0] in ".["):
                index = re.match(r"(?:\[[0-9]+\])*", rest)
                place = index[0] if index else ""
                inside = rest[len(place) :].removeprefix(".")
                deeper = field.table.source_path(inside) if field.table and inside else ""
                return f"{member('', prefix + field.name)}{place}{deeper}"
        return ""


def rows(target: str, table: Table, finish: Finish | None = None) -> Field:
    """An array of objects, each by a table; what that does not list is in the row's `custom_fields`."""

    def convert(value: Any, node: Node, field: Field) -> list[dict[str, Any]]:
        return [_row(each, table, finish) for each in node.nodes_of(field.name, value)]

    return Field(target, convert, table)


def one(target: str, table: Table, finish: Finish | None = None) -> Field:
    """An object, by a table."""

    def convert(_: Any, node: Node, field: Field) -> dict[str, Any] | None:
        inner = node.node(field.name)
        return None if inner is None else _row(inner, table, finish)

    return Field(target, convert, table)


def _row(node: Node, table: Table, finish: Finish | None) -> dict[str, Any]:
    stated = table.tell(node)
    if stated.custom:
        stated.data["custom_fields"] = stated.custom
    if finish is not None:
        finish(node, stated.data)
    return stated.data


def _put(data: dict[str, Any], outer: tuple[str, ...], last: str, value: Any) -> None:
    for name in outer:
        data = data.setdefault(name, {})
    data[last] = value


def _step(field: Field) -> _Step:
    *outer, last = field.target.split(".")
    return last, field.convert, None if field.taken else field, tuple(outer)
