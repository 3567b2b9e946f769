"""Which deliveries of the archive a rebuild has taken note of, so that those that came since can be told from them."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from handlers.store.reading import walk
from handlers.store.schema import deliveries
from handlers.store.scratch import GROUP, GROUP_BYTES, Arrival
from handlers.store.shadow import COUNTED, Shadow


class Noted:
    """The deliveries in the set, of one connection.

    Args:
        shadow: has the table of them.
        addresses: where they came in: the connection's own, and one that it shares with others.
    """

    def __init__(self, shadow: Shadow, addresses: Sequence[str]) -> None:
        self._shadow = shadow
        self._table = shadow.arrivals
        self._is_in_set = sa.and_(
            deliveries.c.connection_id.in_(sorted(addresses)), deliveries.c.distrusted_at.is_(None)
        )

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
            self._is_in_set, self._shadow.is_newer(moment)
        )
        if turn:
            wanted = wanted.where(~sa.exists().where(own.c.delivery_id == deliveries.c.delivery_id))
        return int(session.execute(sa.insert(own).from_select(names, wanted), execution_options=COUNTED).rowcount)

    def leave_out(self, session: Connection, ids: sa.Select[Any]) -> int:
        """Forgets deliveries that are about to leave the set; returns how many of them were noted."""
        return int(session.execute(sa.delete(self._table).where(self._table.c.delivery_id.in_(ids))).rowcount)

    def total(self, session: Connection) -> int:
        """How many are noted."""
        return int(session.execute(sa.select(sa.func.count()).select_from(self._table)).scalar_one())

    def in_set(self, session: Connection) -> int:
        """How many there are."""
        wanted = sa.select(sa.func.count()).select_from(deliveries).where(self._is_in_set)
        return int(session.execute(wanted).scalar_one())

    def size(self) -> int:
        """Bytes of the bodies of those that are noted."""
        with self._shadow.read() as session:
            return int(session.execute(sa.select(sa.func.sum(self._table.c.body_bytes))).scalar_one() or 0)

    def groups(self, turn: int) -> Iterator[list[str]]:
        """The ids of those of a turn in the order in which they came, as many at once as fit in memory."""
        own = self._table
        group: list[str] = []
        size = 0
        wanted = sa.select(own).where(own.c.turn == turn)
        for row in walk(self._shadow, wanted, (own.c.received_at, own.c.delivery_id)):
            if group and (len(group) >= GROUP or size + row.body_bytes > GROUP_BYTES):
                yield group
                group, size = [], 0
            group.append(row.delivery_id)
            size += row.body_bytes
        if group:
            yield group
