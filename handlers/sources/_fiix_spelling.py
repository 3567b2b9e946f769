"""Fiix' names, whose capitals are irregular, as they are spelt here; and nulls that its answers leave out."""

from typing import Final

from handlers.sources import _fiix_tables as tables
from handlers.sources import _fiix_trade_tables as trade
from handlers.sources._envelopes import Around
from handlers.sources._node import Node

FIELDS: Final = "fields"
"""Beside `objects`: the names that were asked for, comma-separated."""
_TABLES: Final = (
    tables.WORK_ORDER,
    tables.TASK,
    tables.PART_USED,
    tables.ASSET,
    tables.STOP,
    tables.READING,
    tables.PLAN,
    trade.ITEM,
    trade.STOCK,
    trade.PURCHASE_ORDER,
    trade.LINE,
    trade.VENDOR,
)
CASES: Final = {name.lower(): name for table in _TABLES for name in table.names} | {
    "qtyreceived": "qtyRecieved",
    "classname": "className",
    "intworkorderid": "intWorkOrderID",
}
"""Each name as it is spelt here, by how it reads without capitals: Fiix' own are irregular."""
SPELT: Final = frozenset(CASES.values())


def spelt(node: Node) -> Node:
    """The same object under the names as they are spelt here, with a null for what was asked for and is absent."""
    given = node.given
    asked = given.around(_asked) if given.within == "objects" else None
    others = node.values.keys() - SPELT
    if not asked and not any(name.lower() in CASES for name in others):
        return node
    values = {name: value for name, value in node.values.items() if name in SPELT}
    for name, value in node.values.items():
        values.setdefault(CASES.get(name.lower(), name), value)
    for name in asked or ():
        values.setdefault(name, None)
    return Node(values, given, node.path)


def _asked(around: Around) -> tuple[str, ...]:
    """The names that we read among those that the request asked for."""
    fields = around.get(FIELDS)
    names = (each.strip().lower() for each in fields.split(",")) if isinstance(fields, str) else ()
    return tuple(dict.fromkeys(CASES[each] for each in names if each in CASES))
