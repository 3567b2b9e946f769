"""The moves of work orders, for their lines in an asset's history: from which state to which, and whether that may be.

They are judged when they are read, on all the facts that are known by then: what looked like a jump before the fact in
between had come is none afterwards, and no line has to be rewritten for it.
"""

from collections.abc import Collection

from handlers.events import Json
from handlers.rules.actuals import has_actuals
from handlers.rules.lifecycle import cancelled_with_actuals, moves, transitions
from handlers.rules.registers import Record
from handlers.store import records
from handlers.store.reading import Readable
from handlers.store.rowset import Transaction
from handlers.store.schema import work_orders

Moves = dict[tuple[str, str], dict[str, Json]]
"""By key of an order and stamp of the fact: what its line tells of the move that it made."""


def moves_of(database: Readable, connection: str, orders: Collection[str]) -> Moves:
    """The moves of some orders, by order and fact; facts that moved nothing are left out.

    A line tells `moved_from` and `moved_to`, and the codes of its `anomalies`.
    """
    wanted = [{"connection_id": connection, "key": key} for key in sorted(orders)]
    with database.read() as plain:
        rows = Transaction(plain).select(work_orders, wanted, ("key", "fields", "registers"))
    return {
        (row.key, stamp): told for row in rows for stamp, told in _told(records.read(row.fields, row.registers)).items()
    }


def _told(order: Record) -> dict[str, dict[str, Json]]:
    found = transitions(moves(order.trail))
    cancelling = cancelled_with_actuals(found) if has_actuals(order.fields) else None
    told: dict[str, dict[str, Json]] = {}
    for each in found:
        if each.before is not None:
            is_legal = each.is_regular and each is not cancelling
            told[each.move.stamp] = {"moved_from": each.before, "moved_to": each.after}
            if not is_legal:
                told[each.move.stamp]["anomalies"] = ["illegal_transition"]
    return told
