"""The archive: every accepted POST, its bytes kept once however often they came."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa

from handlers.events import Delivery
from handlers.store.rowset import Transaction
from handlers.store.schema import deliveries


def body_digest(body: bytes) -> str:
    """SHA-256 of a body, hexadecimal."""
    return sha256(body).hexdigest()


def archive(tx: Transaction, batch: Sequence[Delivery], now: datetime) -> set[str]:
    """Keeps deliveries; one that is kept already stays as it is, one that repeats known bytes keeps none of its own.

    Returns:
        The ids of those that were kept already.
    """
    digests = {delivery.delivery_id: body_digest(delivery.body) for delivery in batch}
    wanted = sorted({(delivery.connection_id, digests[delivery.delivery_id]) for delivery in batch})
    names = ("connection_id", "body_digest")
    known = tx.select(deliveries, [dict(zip(names, pair, strict=True)) for pair in wanted], (*names, "delivery_id"))
    kept = {(row.connection_id, row.body_digest) for row in known}
    rows = []
    for delivery in batch:
        identity = (delivery.connection_id, digests[delivery.delivery_id])
        rows.append(
            {
                "received_at": delivery.received_at,
                "delivery_id": delivery.delivery_id,
                "connection_id": delivery.connection_id,
                "body": None if identity in kept else delivery.body,
                "body_digest": identity[1],
                "body_bytes": len(delivery.body),
                "headers": delivery.headers,
                "verdict": delivery.verdict,
                "secret_position": delivery.secret_position,
                "processed_at": now,
            }
        )
        kept.add(identity)
    tx.insert_missing(deliveries, rows)
    return {row.delivery_id for row in known} & digests.keys()


def load(tx: Transaction, ids: Iterable[str]) -> dict[str, Delivery]:
    """Reads deliveries back by id, a repeat with the bytes of the first."""
    first = deliveries.alias("first")
    wanted = sa.select(
        deliveries,
        sa.func.coalesce(
            deliveries.c.body,
            sa.select(first.c.body)
            .where(
                first.c.connection_id == deliveries.c.connection_id,
                first.c.body_digest == deliveries.c.body_digest,
                first.c.body.is_not(None),
            )
            .limit(1)
            .scalar_subquery(),
            type_=sa.LargeBinary,
        ).label("bytes"),
    ).where(deliveries.c.delivery_id.in_(list(ids)))
    return {
        row.delivery_id: Delivery(
            delivery_id=row.delivery_id,
            connection_id=row.connection_id,
            received_at=row.received_at,
            body=bytes(row.bytes),
            headers=row.headers,
            verdict=row.verdict,
            secret_position=row.secret_position,
        )
        for row in tx.connection.execute(wanted)
    }
