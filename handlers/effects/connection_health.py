"""The health of connections: what their operational events say of them."""

from collections.abc import Sequence
from typing import Any

from handlers.effects import Effect
from handlers.rules.facts import Fact, Key
from handlers.rules.health import TYPES, told
from handlers.rules.registers import Record, fold
from handlers.rules.times import kept_instant, parse_instant
from handlers.store import records
from handlers.store.rowset import Transaction
from handlers.store.schema import connection_health


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds the facts into the health of their connections; one that names no time states nothing."""
    held = records.lock(tx, connection_health, {each.subject for each in facts})
    for each in facts:
        event, record = each.event, held[each.subject]
        written = {} if event.thin else told(event.type, event.fields, kept_instant(event.occurred_at))
        each.changed = fold(record, event, each.stamp, written)
        each.record = record
    records.save(tx, connection_health, [_row(key, record) for key, record in held.items()])


def _row(key: Key, health: Record) -> dict[str, Any]:
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": health,
        "state": health.read("state"),
        "since": parse_instant(health.read("since")),
        "last_sync_at": parse_instant(health.read("last_sync_at")),
        "anomalies": [],
    }


EFFECT = Effect("connection_health", 80, TYPES, apply)
