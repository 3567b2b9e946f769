"""Which deliveries of the archive a rebuild has taken note of, so that those that came since can be told from them."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from handlers.store import distrust
from handlers.store.distrust import Distrust
from handlers.store.reading import Part, walk
from handlers.store.schema import deliveries
from handlers.store.scratch import GROUP, GROUP_BYTES, Arrival
from handlers.store.shadow import COUNTED, Shadow

LONG = Part(size=5_000)
"""Rows of three short columns; not so many that the one transaction of the last try would be taken for a frozen one
while they are read."""


class Noted:
    """The deliveries in the set, of one connection.

    Args:
        shadow: has the table of them.
        connection_id: which.
        addresses: where they came in: the connection's own, and one that it shares with others.
    """

    def __init__(self, shadow: Shadow, connection_id: str, addresses: Sequence[str]) -> None:
        self._shadow = shadow
        self._connection_id = connection_id
        self._addresses = frozenset(addresses)
        self._table = shadow.arrivals
        self._is_in_set = distrust.in_set(connection_id, addresses)
        self._is_archived = sa.and_(self._is_in_set, deliveries.c.purged_at.is_(None))

    def add(self, session: Connection, turn: int, moment: int) -> int:
        """Takes note of those that are not noted yet, and returns how many those are.

        Args:
            session: in which they are found.
            turn: theirs, from 0.
            moment: after which they came (`Shadow.now`); 0 for all.
        """
        own = self._table
        names = [*Arrival._fields, "turn"]
        wanted = sa.select(*(deliveries.c[name] for name in Arrival._fields), sa.literal(turn)).where(
            self._is_archived, self._shadow.is_newer(moment)
        )
        if turn:
            wanted = wanted.where(~sa.exists().where(own.c.delivery_id == deliveries.c.delivery_id))
        wanted = wanted.order_by(*(deliveries.c[name] for name in Arrival._fields[:2]))  # as the table's key has them
        came = int(session.execute(sa.insert(own).from_select(names, wanted), execution_options=COUNTED).rowcount)
        if not turn:
            self._shadow.index_arrivals(session)
        return came

    def leave_out(self, session: Connection, asked: Distrust) -> int:
        """Forgets deliveries that are about to leave the set; returns how many of them were noted."""
        is_ours = asked.connection_id == self._connection_id
        ids = distrust.taken(asked, self._addresses - {asked.connection_id} if is_ours else ())
        return int(session.execute(sa.delete(self._table).where(self._table.c.delivery_id.in_(ids))).rowcount)

    def total(self, session: Connection) -> int:
        """How many are noted."""
        return int(session.execute(sa.select(sa.func.count()).select_from(self._table)).scalar_one())

    def in_set(self, session: Connection) -> int:
        """How many there are; one that was noted, and whose bytes have gone since, counts."""
        count = sa.select(sa.func.count()).select_from(deliveries)
        noted = sa.select(self._table.c.delivery_id)
        gone = (self._is_in_set, deliveries.c.purged_at.is_not(None), deliveries.c.delivery_id.in_(noted))
        parts = (count.where(self._is_archived), count.where(*gone))
        return sum(int(session.execute(each).scalar_one()) for each in parts)

    def size(self) -> int:
        """Bytes of the bodies of those that are noted."""
        with self._shadow.read() as session:
            return int(session.execute(sa.select(sa.func.sum(self._table.c.body_bytes))).scalar_one() or 0)

    def groups(self, turn: int) -> Iterator[list[str]]:
        """The ids of those of a turn in the order in which they came, as many at once as fit in memory."""
        own = self._table
        group: list[str] = []
        size = 0
        wanted = sa.select(*(own.c[name] for name in Arrival._fields)).where(own.c.turn == turn)
        order = (own.c.received_at, own.c.delivery_id)
        came: Iterator[Any] = walk(self._shadow, wanted, order, part=LONG)
        for _, delivery_id, body_bytes in came:
            if group and (len(group) >= GROUP or size + body_bytes > GROUP_BYTES):
                yield group
                group, size = [], 0
            group.append(delivery_id)
            size += body_bytes
        if group:
            yield group
