"""Leadership: a duty that only one process at a time may do, held by a row that expires."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from handlers.store.rowset import Transaction
from handlers.store.schema import leaders


def hold(tx: Transaction, duty: str, owner: str, *, now: datetime, ttl: timedelta) -> bool:
    """Takes or keeps a duty; returns whether it is ours until `now + ttl`.

    Args:
        tx: the transaction.
        duty: its name.
        owner: who asks, unique per process.
        now: the database's clock, so that all agree.
        ttl: how long it is held without being renewed.
    """
    row = {"duty": duty, "owner": owner, "held_until": now + ttl}
    if tx.insert_missing(leaders, [row], returning=("owner",)):
        return True
    taken = tx.connection.execute(
        sa.update(leaders)
        .values(owner=owner, held_until=now + ttl)
        .where(leaders.c.duty == duty, sa.or_(leaders.c.owner == owner, leaders.c.held_until <= now))
    )
    return taken.rowcount == 1


def release(tx: Transaction, duty: str, owner: str) -> None:
    """Gives a duty up at once, so that the next need not wait for it to expire."""
    tx.connection.execute(sa.delete(leaders).where(leaders.c.duty == duty, leaders.c.owner == owner))
