"""The deliveries that were taken out of the set, for those who look at the evidence."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from handlers.store.reading import Readable, walk
from handlers.store.schema import deliveries


class Out(NamedTuple):
    """A delivery that was taken out of the set; its members are its columns."""

    received_at: datetime
    delivery_id: str
    connection_id: str
    body_bytes: int
    distrusted_at: datetime
    distrusted_by: str


def listed(
    database: Readable, connection_id: str | None, since: datetime | None, until: datetime | None
) -> Iterator[Out]:
    """The deliveries that were taken out of the set, those that came last first.

    Args:
        database: to read from.
        connection_id: only of that connection.
        since: received from then on (UTC).
        until: received before.
    """
    wanted = sa.select(*(deliveries.c[name] for name in Out._fields)).where(deliveries.c.distrusted_at.is_not(None))
    if connection_id is not None:
        # Kept from the index that begins with it: it has not the order.
        wanted = wanted.where(sa.func.coalesce(deliveries.c.connection_id, "") == connection_id)
    if since is not None:
        wanted = wanted.where(deliveries.c.received_at >= since)
    if until is not None:
        wanted = wanted.where(deliveries.c.received_at < until)
    order = (deliveries.c.received_at, deliveries.c.delivery_id)
    return map(Out._make, walk(database, wanted, order, newest_first=True))
