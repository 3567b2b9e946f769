"""The archive: every accepted POST, its bytes kept once however often they came."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from handlers.events import Delivery
from handlers.store.rowset import Transaction
from handlers.store.schema import deliveries

HAS_BYTES = sa.and_(deliveries.c.purged_at.is_(None), deliveries.c.body.is_not(None))
"""Of a delivery: that it has the bytes which it and its repeats came with."""


def body_digest(body: bytes) -> str:
    """SHA-256 of a body, hexadecimal."""
    return sha256(body).hexdigest()


def archive(tx: Transaction, batch: Sequence[Delivery], now: datetime) -> set[str]:
    """Keeps deliveries; one that is kept already stays as it is, one that repeats known bytes keeps none of its own.

    Returns:
        The ids of those that were kept already.
    """
    digests = {delivery.delivery_id: body_digest(delivery.body) for delivery in batch}
    kept = _kept(tx, {(delivery.connection_id, digests[delivery.delivery_id]) for delivery in batch})
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
    new = tx.insert_missing(deliveries, rows, returning=("delivery_id",))
    return digests.keys() - {row.delivery_id for row in new}


def _kept(tx: Transaction, bodies: AbstractSet[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those bodies (connection, digest) that are there; whoever has their bytes keeps them until this transaction ends.

    It looks for one delivery of each, not for all.
    """
    if not bodies:
        return set()
    names = ("connection_id", "body_digest")
    rows = tx.rows(deliveries, names)
    same = (deliveries.c[name] == rows.c[name] for name in names)
    holder = sa.select(deliveries.c.delivery_id).where(*same, HAS_BYTES).limit(1).correlate(rows).scalar_subquery()
    wanted = [dict(zip(names, each, strict=True)) for each in sorted(bodies)]
    came = tx.run(sa.select(*(rows.c[name] for name in names), holder.label("holder")), wanted)
    found = {row.holder: (row.connection_id, row.body_digest) for row in came if row.holder is not None}
    if not found:
        return set()
    still = sa.select(deliveries.c.delivery_id).where(deliveries.c.delivery_id.in_(sorted(found)), HAS_BYTES)
    locked = tx.connection.execute(still.order_by(deliveries.c.delivery_id).with_for_update(read=True))
    return {found[each] for each in locked.scalars()}


def load(tx: Transaction, ids: Iterable[str]) -> dict[str, Delivery]:
    """Reads deliveries back by id, a repeat with the bytes of the first; one whose bytes are purged is left out.

    A rebuild reads the whole archive by this: it asks for nothing that is not told, and each row is taken apart once.
    """
    first = deliveries.alias("first")
    body_of_first = (
        sa.select(first.c.body)
        .where(
            first.c.connection_id == deliveries.c.connection_id,
            first.c.body_digest == deliveries.c.body_digest,
            first.c.purged_at.is_(None),
            first.c.body.is_not(None),
        )
        .limit(1)
        .scalar_subquery()
    )
    rows = tx.rows(deliveries, ("delivery_id",))
    wanted = sa.select(
        deliveries.c.delivery_id,
        deliveries.c.connection_id,
        deliveries.c.received_at,
        sa.func.coalesce(deliveries.c.body, body_of_first, type_=sa.LargeBinary),
        deliveries.c.headers,
        deliveries.c.verdict,
        deliveries.c.secret_position,
    ).join_from(rows, deliveries, deliveries.c.delivery_id == rows.c.delivery_id)
    told: Sequence[Any] = tx.run(wanted, [{"delivery_id": each} for each in sorted(set(ids))]).all()
    return {
        delivery_id: Delivery(delivery_id, connection_id, received_at, bytes(body), *others)
        for delivery_id, connection_id, received_at, body, *others in told
        if body is not None
    }
