"""Tables of members that have had several names: v3 and v4, and those that were renamed within v3 (makini.md, 3.4)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from handlers.sources._converters import moment, text
from handlers.sources._mapping import Field, Stated, Table, used
from handlers.sources._node import Node

OR: Final = "|"
"""Between the names of one member, the one that counts where several have a value first."""

STANDARD: Final[dict[str, str | Field]] = {
    "key|id": used("source_id"),
    "createdAt|_createdAt": Field("source_created_at", moment),
    "updatedAt|_updatedAt": Field("source_updated_at", moment),
    "deletedAt|_deletedAt": used(),
    "_implements": used(),
}
"""What every entity has, in v3 and in v4 (makini.md, 3.1)."""
NUMBER: Final = {"code|_idValue": Field("number", text)}

Finish = Callable[[Node, Stated], None]
"""Completes what a table made of an object."""


class Spelt:
    """One kind of object, whichever names its members come under.

    Args:
        kind: of the record; empty for what stands inside one.
        members: as `Table` takes them, names of one member joined by `|`.
        finish: what a table cannot do.
    """

    def __init__(self, kind: str, members: Mapping[str, str | Field], finish: Finish | None = None) -> None:
        self._kind = kind
        self._finish = finish
        self._once = {names: field for names, field in members.items() if OR not in names}
        self._many = [(tuple(names.split(OR)), field) for names, field in members.items() if OR in names]
        self._aliases = frozenset(name for names, _ in self._many for name in names)
        self._tables: dict[tuple[str, ...], Table] = {}  # a few by version; the product of the names at most

    def table(self, values: Mapping[str, Any]) -> Table:
        """The table for an object: of each member the name that has a value, else one that is there."""
        chosen = tuple([_chosen(names, values) for names, _ in self._many])
        found = self._tables.get(chosen)
        if found is None:
            named = zip(chosen, (field for _, field in self._many), strict=True)
            found = self._tables[chosen] = Table(self._kind, {**self._once, **dict(named)})
        return found

    def tell(self, node: Node) -> tuple[Stated, Table]:
        """Applies it.

        Returns:
            What was stated, and the table that knows where.

        Raises:
            PermanentError: a converter refused a value.
        """
        table = self.table(node.values)
        stated = table.tell(node)
        if stated.custom:
            self._forget_twins(node, stated)
        if self._finish is not None:
            self._finish(node, stated)
        return stated, table

    def _forget_twins(self, node: Node, stated: Stated) -> None:
        """Drops a member that says what another name of it says already; one that says something else is kept."""
        for names, _ in self._many:
            chosen = _chosen(names, node.values)
            for name in names:
                if name != chosen and name in stated.custom and stated.custom[name] in (None, "", node.get(chosen)):
                    del stated.custom[name]


def listed(target: str, spelt: Spelt) -> Field:
    """An array of objects; what is not listed of each is in its `custom_fields`."""

    def convert(value: Any, node: Node, field: Field) -> list[dict[str, Any]]:
        rows = []
        for each in node.nodes_of(field.name, value):
            stated, _ = spelt.tell(each)
            if stated.custom:
                stated.data["custom_fields"] = stated.custom
            rows.append(stated.data)
        return rows

    return Field(target, convert, spelt.table({}))


def _chosen(names: tuple[str, ...], values: Mapping[str, Any]) -> str:
    there = names[0]
    for name in reversed(names):
        if name in values:
            there = name
    for name in names:
        if values.get(name) not in (None, ""):
            return name
    return there
