"""Purchase orders: their newest state, line by line, and how far approval, receipt and billing have come."""

from collections.abc import Sequence
from typing import Any

from handlers.effects import Effect
from handlers.rules.facts import Fact, Key
from handlers.rules.order import word
from handlers.rules.purchasing import billing, receipt
from handlers.rules.registers import Record
from handlers.store import records
from handlers.store.rowset import Transaction
from handlers.store.schema import purchase_orders

VERBS = ("created", "updated", "deleted", "restored")


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds the facts into their orders."""
    records.fold(tx, purchase_orders, facts, _row)


def _row(key: Key, order: Record) -> dict[str, Any]:
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": order,
        "number": order.read("number"),
        "status": word(order.read("status")),
        "approval_status": word(order.read("approval_status")),
        "receipt_status": receipt(order.fields, order.items("lines")),
        "billing_status": billing(order.fields, order.items("lines")),
        "vendor_key": order.ref("vendor_ref"),
        "site_key": order.ref("site_ref"),
        "required_date": order.read("required_date"),
        "title": order.read("title"),
        "anomalies": [],
    }


EFFECT = Effect("purchase_orders", 30, frozenset(f"purchase_order.{verb}" for verb in VERBS), apply)
