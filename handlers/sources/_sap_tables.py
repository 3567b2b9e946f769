"""What every table of an OData entity shares: metadata, links that were not followed, whether a record is whole."""

import copy
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from handlers.model.times import instant_text
from handlers.sources._mapping import Field, Stated, Table, used
from handlers.sources._node import Node
from handlers.sources._sap_values import changed_at
from handlers.sources._told import Told

DEFERRED: Final = "__deferred"
"""What stands in the place of a v2 navigation that was not expanded."""

NAVIGATIONS: Final = ("to_", "_")

META: Final = dict.fromkeys(
    (
        "__metadata",
        "SAP__Messages",
        *(f"@odata.{name}" for name in ("context", "editLink", "etag", "id", "metadataEtag", "type")),
    ),
    used(),
)

_ROW_OF = re.compile(r"(\.to_\w+)\[")


class Entity(Table):
    """The properties of an entity and what they become.

    Args:
        kind: of the record; empty for what stands inside one.
        fields: by the source's names.
        whole: a property that nobody selects by name, so that a record which has it has all of them (INFERRED).
    """

    def __init__(self, kind: str, fields: Mapping[str, str | Field], whole: str = "") -> None:
        in_v4 = {f"_{name.removeprefix('to_')}": field for name, field in fields.items() if name.startswith("to_")}
        super().__init__(kind, {**META, **fields, **in_v4})
        self.whole = whole

    def tell(self, node: Node) -> Stated:
        """Applies the table; of what it does not list, links that were not followed are not kept, and null is null."""
        stated = super().tell(node)
        custom, is_null = stated.custom, node.given.is_null
        doubtful = [name for name, value in custom.items() if value == "" or name.startswith(NAVIGATIONS)]
        for name in doubtful:
            if is_link(custom[name]):
                del custom[name]
            elif is_null is not None and is_null(custom[name]):
                custom[name] = None
        return stated

    def of(self, targets: Iterable[str]) -> "Entity":
        """The same table for a record that gives just these fields.

        SAP writes every property, nulls too, so what a whole record lacks was not asked for and is never cleared.
        """
        same = copy.copy(self)
        same.targets = tuple(targets)
        return same

    def source_path(self, path: str, prefix: str = "") -> str:
        """As `Table.source_path`; v2's rows stand in `results`."""
        return _ROW_OF.sub(r"\1.results[", super().source_path(path, prefix))

    def row(self, node: Node) -> dict[str, Any]:
        """A row of a list, what the table does not name in its `custom_fields`."""
        data, custom = self.tell(node)
        kept = {name: value for name, value in custom.items() if value is not None}
        if kept:
            data["custom_fields"] = kept
        return data


def listed(target: str, table: Table) -> Field:
    """A navigation that the mapper follows by itself, whose rows are of a table."""
    return Field(target, table=table, taken=True)


def rows_of(node: Node, name: str) -> list[Node] | None:
    """The rows of a navigation, `to_X` in v2 and `_X` in v4; None where it was not expanded."""
    name = f"to_{name}" if f"to_{name}" in node else f"_{name}"
    value = node.get(name)
    if value is None or isinstance(value, str):
        return None
    if not isinstance(value, dict):
        return node.nodes_of(name, value)
    if DEFERRED in value:
        return None
    inner = Node(value, node.given, node.within(name))
    return inner.nodes("results") if "results" in value else [inner]


def live(rows: Iterable[Node], *flags: str) -> list[Node]:
    """The rows that no flag marks as deleted."""
    return [row for row in rows if not any(row.flag(name) for name in flags)]


def told(
    node: Node,
    table: Entity,
    key: str,
    stated: Stated,
    entity: str,
    *,
    inner: Node | None = None,
    verb: str = "updated",
    **more: Any,
) -> Told:
    """A record of the table's kind.

    Args:
        node: the record.
        table: that made what is stated of it.
        key: of it.
        stated: by the table and the mapper.
        entity: SAP's name of what it is.
        inner: the object within that the table was applied to.
        verb: of the event's type.
        more: of what is told; `occurred_at` in place of the record's own time.
    """
    occurred_at: datetime | None = more.pop("occurred_at", None)
    if occurred_at is None:
        occurred_at = changed_at(node)
        if occurred_at is not None and stated.data.get("source_updated_at") is None:
            stated.data["source_updated_at"] = instant_text(occurred_at)
    is_whole = bool(table.whole) and table.whole in (node if inner is None else inner)
    return Told(
        type=f"{table.kind}.{verb}",
        key=key,
        data=stated.data,
        custom=stated.custom,
        occurred_at=occurred_at,
        completeness="full" if is_whole else "partial",
        table=table.of(stated.data) if is_whole else table,
        entity=entity,
        **more,
    )


def is_link(value: Any) -> bool:
    """Whether a navigation was not expanded: v2's `__deferred`, or the bare address that clients make of it [L]."""
    return DEFERRED in value if isinstance(value, dict) else isinstance(value, str) and "://" in value
