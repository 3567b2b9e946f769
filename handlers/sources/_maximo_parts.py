"""What the readers of Maximo's tables share: keys of several columns, places, statuses, the order of facts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from handlers.model.reading import GREATEST_INTEGER
from handlers.model.times import instant_text
from handlers.sources._converters import joined, reference
from handlers.sources._mapping import Stated, Table
from handlers.sources._node import Node
from handlers.sources._told import Told

NOTHING: Final = "~NULL~"
"""How an empty part of a key is written in an `href`, and what a null sometimes reads as [MAF]."""

STANDING_OUT: Final = frozenset({"WSCH", "WPCOND"})
"""Synonyms of APPR in some base domains that say more than it."""


def is_null(value: Any) -> bool:
    """Maximo's nulls beside JSON's: an empty text, an empty object [MAF], `~NULL~`."""
    return value in ("", NOTHING) if isinstance(value, str) else isinstance(value, dict) and not value


def key(node: Node, *columns: str) -> str:
    """A key of several columns, all of which must be there."""
    return joined(*[node.key(column) for column in columns])


def name_of(node: Node, column: str) -> str | None:
    """A column that may hold its own value or the object it names: `location` is a text, or `{location, …}` [MAF]."""
    if isinstance(node.get(column), dict):
        inner = node.node(column)
        return None if inner is None else inner.text(column)
    return node.text(column)


def is_set(node: Node, column: str) -> bool:
    """Whether a flag is true; XML turned into JSON has 1 (I)."""
    value = node.get(column)
    return value is True or (isinstance(value, str | int) and value in (1, "1"))


def put(node: Node, data: dict[str, Any], target: str, column: str, owner: str | None) -> None:
    """Tells a reference whose key is its owner (a site or organisation) and a column, where the column is there."""
    if column in node:
        number = name_of(node, column)
        data[target] = None if number is None else reference(joined(owner, number))


def place(node: Node, data: dict[str, Any]) -> None:
    """Tells where a record belongs: its site and its organisation."""
    for target, column in (("site_ref", "siteid"), ("company_ref", "orgid")):
        if column in node:
            data[target] = reference(node.text(column))


def status(node: Node, table: Mapping[str, str], column: str = "status", **more: Any) -> dict[str, Any] | None:
    """A status by its internal value, else by its code; None where the element has none."""
    code, internal = node.text(column), node.text(f"{column}_maxvalue")
    if code is None and internal is None:
        return None
    renames = node.given.options.status_map
    known = code if internal is None or (internal == "APPR" and code in STANDING_OUT) else internal
    value = renames.get(code or "") or renames.get(internal or "") or table.get(known or "")
    told = {"value": value, "source_code": code or internal, "source_label": node.text(f"{column}_description")}
    if internal is not None and internal != code:
        told["source_system_code"] = internal
    changed = node.instant("statusdate") if column == "status" else None
    if changed is not None:
        told["changed_at"] = instant_text(changed)
    return told | {name: each for name, each in more.items() if each is not None}


def occurred_at(node: Node) -> datetime | None:
    """When a record changed."""
    return node.instant("changedate") or node.instant("statusdate")


def version(node: Node, above: int = 0) -> int | None:
    """`_rowstamp`, with a number above it in weight; None where there is none.

    Args:
        node: the record.
        above: what counts before the row stamp, such as a revision.
    """
    stamp = node.number("_rowstamp")
    if stamp is None:
        return None
    greatest = ROW_STAMPS - 1 if above else GREATEST_INTEGER
    if not (stamp == stamp.to_integral_value() and 0 <= stamp <= greatest):
        raise node.error("out_of_range", "_rowstamp", "number", "a whole number that fits beside a revision")
    return above * ROW_STAMPS + int(stamp)


ROW_STAMPS: Final = 2**48
"""More than any `_rowstamp` seen, which are counters of a database's changes."""


def told(
    node: Node, kind: str, record_key: str, stated: Stated, table: Table, *, own_number: str = "", **more: Any
) -> Told:
    """A record of a kind, whole where it carries its table's own number."""
    return Told(
        type=f"{kind}.updated",
        key=record_key,
        data=stated.data,
        custom=stated.custom,
        table=table,
        occurred_at=occurred_at(node),
        completeness="full" if own_number and own_number in node else "partial",
        **more,
    )
