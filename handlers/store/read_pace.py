"""How many events came and were worked on just now, for a console that shares no counters with the other roles."""

from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from handlers.store.arrival import id_at
from handlers.store.reading import Readable
from handlers.store.schema import events

MOST = 20_000
"""Rows read at most: a reading is to take milliseconds; of more the newest are looked at."""
LOOKED_BACK = timedelta(seconds=60)
"""What came before and ended only now (a retry) is not seen, which changes no rate that is worth looking at."""


class Pace(NamedTuple):
    """What a stretch of time brought.

    Attributes:
        came: events a second, by when their deliveries were accepted; those that are recorded.
        ended: events a second, by when they were committed.
        lags: of those that ended, from accepted to committed, in seconds, ascending.
    """

    came: float
    ended: float
    lags: list[float]


def pace(database: Readable, since: datetime, until: datetime) -> Pace:
    """What came and ended in a stretch of time that has just gone by.

    Args:
        database: to read from.
        since: its begin (UTC).
        until: its end.
    """
    statement = (
        sa.select(events.c.received_at, events.c.processed_at)
        .where(events.c.delivery_id >= id_at(since, -LOOKED_BACK))  # an index has them in order
        .order_by(events.c.delivery_id.desc(), events.c.event_index.desc())
        .limit(MOST)
    )
    with database.read() as connection:
        rows = connection.execute(statement).all()
    begin = max(since, min((row.received_at for row in rows), default=since)) if len(rows) == MOST else since
    length = max((until - begin).total_seconds(), 1e-3)
    came = sum(begin <= row.received_at < until for row in rows)
    ended = [row for row in rows if begin <= row.processed_at < until]
    lags = sorted(max(0.0, (row.processed_at - row.received_at).total_seconds()) for row in ended)
    return Pace(came / length, len(ended) / length, lags)
