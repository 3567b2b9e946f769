"""Vendors: their newest state."""

from collections.abc import Sequence
from typing import Any

from handlers.effects import Effect
from handlers.rules.facts import Fact, Key
from handlers.rules.order import word
from handlers.rules.registers import Record
from handlers.store import records
from handlers.store.rowset import Transaction
from handlers.store.schema import vendors

VERBS = ("created", "updated", "deleted", "restored")


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds the facts into their vendors."""
    records.fold(tx, vendors, facts, _row)


def _row(key: Key, vendor: Record) -> dict[str, Any]:
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": vendor,
        "number": vendor.read("number"),
        "name": vendor.read("name"),
        "status": word(vendor.read("status")),
        "anomalies": [],
    }


EFFECT = Effect("vendors", 50, frozenset(f"vendor.{verb}" for verb in VERBS), apply)
