"""Work orders: their newest state, the legality of their moves, and the down time that they tell."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from handlers.effects import Effect
from handlers.rules.actuals import has_actuals
from handlers.rules.facts import Fact, Key, fold_all
from handlers.rules.lifecycle import illegal_moves, moves
from handlers.rules.order import word
from handlers.rules.registers import Record
from handlers.rules.spells import Spell, spells
from handlers.rules.times import parse_instant
from handlers.rules.trail import step
from handlers.store import downtime, records
from handlers.store.rowset import Transaction
from handlers.store.schema import work_orders

VERBS = ("created", "updated", "status_changed", "completed", "reopened", "cancelled", "deleted", "restored")


class _Told(NamedTuple):
    """What an order's whole trail tells."""

    asset: str | None
    spells: list[Spell]
    anomalies: list[dict[str, str]]


UNTOLD = _Told(None, [], [])


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds the facts into their orders and rewrites the spans of those whose spells or asset changed."""
    orders = records.lock(tx, work_orders, {each.subject for each in facts})
    before = {key: _told(order) for key, order in orders.items() if order.trail}
    fold_all(facts, orders, step)
    after = {key: _told(order) for key, order in orders.items()}
    for each in facts:
        # A late fact that wins no register may still change what the sequence tells.
        each.changed = each.changed or after[each.subject] != before.get(each.subject, UNTOLD)
    records.save(tx, work_orders, [_row(key, order, after[key]) for key, order in orders.items()])
    told = {key: (after[key], before.get(key, UNTOLD)) for key in orders}
    moved = [key for key, (now, then) in told.items() if (now.spells or then.spells) and now[:2] != then[:2]]
    downtime.replace_spells(tx, {key: after[key][:2] for key in moved})


def _told(order: Record) -> _Told:
    booked = word(order.read("status")) == "cancelled" and has_actuals(order.fields)
    return _Told(order.ref("asset_ref"), spells(order), illegal_moves(moves(order.trail), actuals=booked))


def _row(key: Key, order: Record, told: _Told) -> dict[str, Any]:
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": order,
        "status": word(order.read("status")),
        "type": word(order.read("type")),
        "priority": word(order.read("priority")),
        "title": order.read("title"),
        "asset_key": told.asset,
        "site_key": order.ref("site_ref"),
        "due_at": order.read("due_at") or order.read("due_date"),
        "completed_at": parse_instant(order.read("completed_at")),
        "spells": told.spells,
        "pm_plan_key": order.ref("pm_plan_ref"),
        "anomalies": told.anomalies,
    }


EFFECT = Effect("work_orders", 10, frozenset(f"work_order.{verb}" for verb in VERBS), apply)
