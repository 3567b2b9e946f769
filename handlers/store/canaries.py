"""Canaries in the archive: when the newest came through, and the removal of old ones, which nobody needs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from handlers.sources.canary import NAME, SENT
from handlers.store.reading import Readable
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, deliveries, events, retries

TYPE: Final = f"{NAME}.{SENT}"
COLUMNS: Final = ("delivery_id", "body_digest")
MOST: Final = 500
"""Removed in one transaction."""


def last_seen(database: Readable, connections: Iterable[str]) -> tuple[datetime, datetime] | None:
    """When the newest canary that came through was sent and when it was committed; None where none did.

    Args:
        database: to read from.
        connections: those that send nothing but canaries.
    """
    newest = sa.select(events.c.occurred_at, events.c.processed_at).order_by(events.c.occurred_at.desc()).limit(1)
    with database.read() as session:
        rows = (
            session.execute(newest.where(events.c.connection_id == each, events.c.type == TYPE)).first()
            for each in connections
        )
        found = [(row.occurred_at, row.processed_at) for row in rows if row is not None]
    return max(found, default=None)


def forget(tx: Transaction, connection: str, before: datetime) -> int:
    """Removes a connection's canaries that were sent before a moment, with the deliveries that held nothing else.

    Whatever else came over it stays: its source may have been another one once.

    Returns:
        How many.
    """
    old = (
        sa.select(events.c.event_id, events.c.digest, events.c.delivery_id)
        .where(events.c.connection_id == connection, events.c.type == TYPE, events.c.occurred_at < before)
        .order_by(events.c.occurred_at)
        .limit(MOST)
    )
    rows = tx.connection.execute(old).all()
    gone = [{"connection_id": connection, "event_id": row.event_id, "digest": row.digest} for row in rows]
    tx.delete(events, gone)
    emptied = [{"delivery_id": each} for each in sorted({row.delivery_id for row in rows})]
    holding = (events, dead_letters, retries)
    kept = {row.delivery_id for table in holding for row in tx.select(table, emptied, ("delivery_id",))}
    bodies = {row.body_digest for row in tx.select(deliveries, emptied, COLUMNS) if row.delivery_id not in kept}
    # By their bytes, since a repeat has none of its own.
    tx.delete(deliveries, [{"connection_id": connection, "body_digest": each} for each in sorted(bodies)])
    return len(gone)
