"""Inventory items: their newest state, level by level, and whether a place has run low."""

from collections.abc import Sequence
from typing import Any

from handlers.effects import Effect
from handlers.rules.facts import Fact, Key
from handlers.rules.registers import Record
from handlers.rules.stock import below_reorder_point
from handlers.store import records
from handlers.store.rowset import Transaction
from handlers.store.schema import inventory_items

VERBS = ("created", "updated", "deleted", "restored")


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds the facts into their items."""
    records.fold(tx, inventory_items, facts, _row)


def _row(key: Key, item: Record) -> dict[str, Any]:
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": item,
        "number": item.read("number"),
        "name": item.read("name"),
        "type": item.read("type"),
        "vendor_key": item.ref("preferred_vendor_ref"),
        "below_reorder_point": below_reorder_point(item.items("stock_levels")),
        "anomalies": [],
    }


EFFECT = Effect("inventory_items", 40, frozenset(f"inventory_item.{verb}" for verb in VERBS), apply)
