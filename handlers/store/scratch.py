"""A database of one's own, into which a connection's archive is folded anew; it vanishes with its process."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from handlers.store import distrust, schema
from handlers.store.columns import Instant
from handlers.store.engine import Database
from handlers.store.reading import Held, walk
from handlers.store.rowset import Transaction
from handlers.store.tables import ordered_text

TEMPORARY = "sqlite:///file:?uri=true"
"""A file name that is empty: SQLite makes a file without a name in its temporary folder, which is gone once it is
closed, however the process ends (https://sqlite.org/inmemorydb.html, section 3, read 2026-11-24)."""
CACHE_KIB = 64 * 1024
"""What is held in memory before anything is written to that file."""
GROUP_BYTES = 4 * 1024 * 1024
"""Bodies that are held in memory at once, unless one alone is larger."""
GROUP = 500
"""Deliveries that are read at once."""

_own = sa.MetaData()
_arrivals = sa.Table(
    "arrivals",
    _own,
    sa.Column("received_at", Instant, nullable=False),
    sa.Column("delivery_id", ordered_text(), nullable=False),
    sa.Column("body_bytes", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("received_at", "delivery_id"),
    sa.Index("arrivals_id", "delivery_id", unique=True),
)
_BY_DIGEST = "CREATE INDEX events_by_digest ON events (digest)"
"""The road never asks for an event by its bytes alone; here every letter does."""


class Arrival(NamedTuple):
    """A delivery of the archive: when it came, its id, and the size of its body."""

    received_at: datetime
    delivery_id: str
    body_bytes: int


class Scratch:
    """The database, empty and with every table, and the order in which deliveries came.

    Attributes:
        database: it has one session, so a transaction must have ended before another begins.
        arrivals: the table of every delivery in the set.
    """

    arrivals = _arrivals

    def __init__(self) -> None:
        self.database = Database(TEMPORARY, pool_size=1)
        schema.metadata.create_all(self.database.engine)
        _own.create_all(self.database.engine)
        with self.database.write() as connection:
            connection.exec_driver_sql(_BY_DIGEST)
        with self.database.read() as connection:
            connection.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.database.close()

    def line_up(self, held: Held, connection_id: str, addresses: Collection[str]) -> int:
        """Takes note of every delivery that is in the set and archived, and returns how many there are.

        No index of the archive has a connection's deliveries in the order in which they came, and none is worth its
        price on the road: they are sorted here.

        Args:
            held: the transaction in which they are found.
            connection_id: whose archive it is.
            addresses: where they came in: the connection's own, and one that it shares with others.
        """
        table = schema.deliveries
        wanted = sa.select(*(table.c[name] for name in Arrival._fields)).where(
            distrust.in_set(connection_id, addresses), table.c.purged_at.is_(None)
        )
        found = held.connection.execute(wanted, execution_options={"yield_per": GROUP})
        total = 0
        for rows in found.partitions():
            total += len(rows)
            with self.database.write() as connection:
                Transaction(connection).insert(_arrivals, [dict(row._mapping) for row in rows])  # noqa: SLF001  # public
        return total

    @property
    def dialect(self) -> str:
        """Of its database."""
        return self.database.dialect

    def built(self, table: sa.Table) -> sa.Table:
        """The table itself: no other stands beside it."""
        return table

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction, which may write."""
        return self.database.write()

    def finish_loading(self) -> None:
        """Nothing is put off until then."""

    def size(self) -> int:
        """Bytes of the bodies of those deliveries."""
        with self.database.read() as connection:
            return int(connection.execute(sa.select(sa.func.sum(_arrivals.c.body_bytes))).scalar_one() or 0)

    def groups(self) -> Iterator[list[str]]:
        """The ids of those deliveries in the order in which they came, as many at once as fit in memory."""
        group: list[str] = []
        size = 0
        for row in walk(self.database, sa.select(_arrivals), (_arrivals.c.received_at, _arrivals.c.delivery_id)):
            if group and (len(group) >= GROUP or size + row.body_bytes > GROUP_BYTES):
                yield group
                group, size = [], 0
            group.append(row.delivery_id)
            size += row.body_bytes
        if group:
            yield group

    def select(self, table: sa.Table, rows: list[dict[str, Any]], columns: Iterable[str]) -> list[sa.Row[Any]]:
        """Rows of a table that match any of those given (`Transaction.select`)."""
        with self.database.read() as connection:
            return Transaction(connection).select(table, rows, tuple(columns))
