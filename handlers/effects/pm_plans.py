"""Maintenance plans: their newest state."""

from collections.abc import Sequence
from typing import Any

from handlers.effects import Effect
from handlers.rules.facts import Fact, Key
from handlers.rules.order import word
from handlers.rules.registers import Record
from handlers.store import records
from handlers.store.rowset import Transaction
from handlers.store.schema import pm_plans

VERBS = ("created", "updated", "deleted", "restored")


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds the facts into their plans."""
    records.fold(tx, pm_plans, facts, _row)


def _row(key: Key, plan: Record) -> dict[str, Any]:
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": plan,
        "name": plan.read("name"),
        "status": word(plan.read("status")),
        "trigger_kind": plan.read("trigger_kind"),
        "meter_key": plan.ref("meter_ref"),
        "next_due_at": plan.read("next_due_at"),
        "anomalies": [],
    }


EFFECT = Effect("pm_plans", 70, frozenset(f"pm_plan.{verb}" for verb in VERBS), apply)
