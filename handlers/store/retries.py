"""What is due again: a row each, leased to whoever works on it. Nothing waits in a worker's memory."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.store.rowset import Transaction
from handlers.store.schema import retries

RowId = tuple[str, int]
"""(delivery id, event index)."""


class Due(msgspec.Struct, frozen=True):
    """One row, taken: `attempt` is how many were made so far."""

    delivery_id: str
    index: int
    attempt: int
    attempts: list[dict[str, Any]]


class Row(msgspec.Struct, frozen=True):
    """One row to be: `attempt` is how many were made, `attempts` tells each as `{"at", "code", "message"}`."""

    delivery_id: str
    index: int
    connection_id: str
    attempt: int
    due_at: datetime
    attempts: list[dict[str, Any]]


def schedule(tx: Transaction, rows: Sequence[Row]) -> None:
    """Writes rows that are due again; one that stands already is set anew, its lease gone."""
    written = [
        {
            "delivery_id": row.delivery_id,
            "event_index": row.index,
            "connection_id": row.connection_id,
            "attempt": row.attempt,
            "due_at": row.due_at,
            "attempts": row.attempts,
        }
        for row in sorted(rows, key=lambda row: (row.delivery_id, row.index))
    ]
    tx.insert_missing(retries, written)
    tx.update(retries, [{**row, "leased_until": None} for row in written], ("delivery_id", "event_index"))


def lease_due(tx: Transaction, *, now: datetime, lease: timedelta, limit: int) -> list[RowId]:
    """Leases rows that are due and held by nobody; the caller rings for them once this has committed."""
    due = (
        sa.select(retries.c.delivery_id, retries.c.event_index)
        .where(retries.c.due_at <= now, sa.or_(retries.c.leased_until.is_(None), retries.c.leased_until <= now))
        .order_by(retries.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids: list[RowId] = [(row.delivery_id, row.event_index) for row in tx.connection.execute(due)]
    rows = [{"delivery_id": each, "event_index": index, "leased_until": now + lease} for each, index in ids]
    tx.update(retries, rows, ("delivery_id", "event_index"))
    return ids


def take(tx: Transaction, ids: Sequence[RowId]) -> list[Due]:
    """Locks the rows for this transaction; one that is gone or held by another is left out: nothing to do."""
    if not ids:
        return []
    wanted = sa.tuple_(retries.c.delivery_id, retries.c.event_index).in_(sorted(set(ids)))
    statement = (
        sa.select(retries.c.delivery_id, retries.c.event_index, retries.c.attempt, retries.c.attempts)
        .where(wanted)
        .order_by(retries.c.delivery_id, retries.c.event_index)
        .with_for_update(skip_locked=True)
    )
    return [
        Due(row.delivery_id, row.event_index, row.attempt, row.attempts) for row in tx.connection.execute(statement)
    ]


def finish(tx: Transaction, ids: Sequence[RowId]) -> None:
    """Deletes rows that are done."""
    tx.delete(retries, [{"delivery_id": each, "event_index": index} for each, index in sorted(set(ids))])
