"""What is known of deliveries whose bytes are purged, for whoever would need these."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from handlers.errors import PermanentError
from handlers.rules.times import kept_instant
from handlers.store.rowset import Transaction
from handlers.store.schema import CHECKPOINTED, checkpoints, deliveries, events

PURGED = "purged"
"""Code of what cannot be done any more because bytes are gone."""


class Checkpoint(NamedTuple):
    """How far the purge has come where a connection's deliveries come in.

    Attributes:
        deliveries: that are purged.
        newest: when the newest of them was received (UTC).
    """

    deliveries: int
    newest: datetime


def checkpoint_of(tx: Transaction, addresses: Collection[str]) -> Checkpoint | None:
    """The checkpoint of some addresses at which deliveries come in; None where nothing of theirs is purged."""
    wanted = sa.select(sa.func.sum(checkpoints.c.deliveries), sa.func.max(checkpoints.c.newest))
    [(count, newest)] = tx.connection.execute(wanted.where(checkpoints.c.connection_id.in_(sorted(addresses))))
    return None if count is None else Checkpoint(int(count), newest)


def since_when(tx: Transaction, ids: Iterable[str]) -> dict[str, datetime]:
    """Those of some deliveries whose bytes are gone, with since when (UTC)."""
    wanted = [{"delivery_id": each} for each in sorted(set(ids))]
    rows = tx.select(deliveries, wanted, ("delivery_id", "purged_at"))
    return {row.delivery_id: row.purged_at for row in rows if row.purged_at is not None}


def require_archived(tx: Transaction, connection_id: str, since: datetime, until: datetime) -> None:
    """Refuses to take something out of the set that is folded into a checkpoint, from which nothing can be taken.

    Args:
        tx: the transaction.
        connection_id: whose deliveries, or the address that several share.
        since: those received from then on (UTC).
        until: and before then.

    Raises:
        PermanentError: of code `purged`: says from when on it can be done.
    """
    kept, gone = CHECKPOINTED[events].c, deliveries.c
    told = sa.select(sa.func.max(kept.received_at)).where(kept.connection_id == connection_id)
    known = [tx.connection.execute(told.where(kept.received_at >= since, kept.received_at < until)).scalar_one()]
    came = sa.select(sa.func.max(gone.received_at)).where(gone.connection_id == connection_id)
    came = came.where(gone.purged_at.is_not(None), gone.received_at >= since, gone.received_at < until)
    known.append(tx.connection.execute(came).scalar_one())
    newest = max((each for each in known if each is not None), default=None)
    if newest is not None:
        raise PermanentError(
            PURGED,
            f"{connection_id}: of what came since {kept_instant(since)} the bytes are purged up to"
            f" {kept_instant(newest)}, and what it told is in the checkpoint, from which nothing can be taken out."
            " Name a time after that, or go back to a backup from before the purge",
        )
