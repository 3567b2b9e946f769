"""Tables of one's own beside those that stand: a connection's state is built there and then put in their place.

On PostgreSQL they are temporary tables of a session of the same server; on SQLite a file without a name, to which the
database is attached. Either is gone when its process ends, however that is. One session holds both, so what stands is
compared with what was built, and replaced by it, within one transaction and without a row leaving the database.

Tables are told apart by their schema, which every statement names: should the session be lost, its successor has no
such schema's tables, and nothing is taken for what it is not.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateIndex, CreateTable

from handlers.store import schema
from handlers.store.columns import Instant
from handlers.store.differences import FOLDED
from handlers.store.engine import WRITES, Database, translated
from handlers.store.rowset import Transaction
from handlers.store.scratch import CACHE_KIB, TEMPORARY
from handlers.store.tables import ordered_text

COPIED = (schema.events, *FOLDED)
"""What is built anew."""
_NOT_COPIED = {*COPIED, *schema.CHECKPOINTED.values()}
_ROAD = tuple(table for table in schema.metadata.sorted_tables if table not in _NOT_COPIED)
COUNTED = {"preserve_rowcount": True}
"""Of a statement that inserts what it selects: how many rows that were."""
MAP = "schema_translate_map"
SESSION = (
    # One statement may read all that a connection has; whoever waits for it has limits of his own.
    "SET statement_timeout = 0",
    "SET temp_buffers = '128MB'",
    "SET work_mem = '128MB'",
    "SET maintenance_work_mem = '256MB'",
)
_BITS = 1 << 32


def arrivals_table(name: str) -> sa.Table:
    """The table of arrivals, in a schema."""
    return sa.Table(
        "arrivals",
        sa.MetaData(),
        sa.Column("received_at", Instant, nullable=False),
        sa.Column("delivery_id", ordered_text(), nullable=False),
        sa.Column("body_bytes", sa.Integer, nullable=False),
        sa.Column("turn", sa.Integer, nullable=False, comment="0 for what was there at first; then as it came"),
        sa.PrimaryKeyConstraint("turn", "received_at", "delivery_id"),
        sa.Index("arrivals_id", "delivery_id", unique=True),
        schema=name,
    )


class Shadow(Database):
    """The tables, empty; as a database it is that of the built ones.

    Args:
        of: whose tables they stand beside.

    Attributes:
        live: schema of the tables that stand.
        own: schema of the built ones.
        arrivals: the table of the deliveries that are folded there (`handlers.store.noted`).
    """

    def __init__(self, of: Database) -> None:
        url = of.engine.url
        on_postgres = of.dialect == "postgresql"
        text = url.set(drivername="postgresql").render_as_string(hide_password=False) if on_postgres else TEMPORARY
        super().__init__(text, pool_size=1)
        self._held: Connection | None = None
        self.live, self.own = "live", "main"
        if on_postgres:
            with self._session(None) as session:
                for each in SESSION:
                    session.exec_driver_sql(each)
                self.live, self.own = session.execute(sa.select(sa.func.current_schema())).scalar_one(), "pg_temp"
        else:
            self._attach(str(url.database))
        self.arrivals = arrivals_table(self.own)
        self._create()

    def _attach(self, path: str) -> None:
        raw = self.engine.raw_connection()
        try:
            raw.cursor().execute(f"PRAGMA cache_size=-{CACHE_KIB}")
            raw.cursor().execute("ATTACH DATABASE ? AS live", (path,))
            raw.cursor().execute("PRAGMA live.synchronous=FULL")
        finally:
            raw.close()

    def _create(self) -> None:
        with self.read() as session:
            session.execute(CreateTable(self.arrivals))
            for table in _ROAD:
                session.execute(CreateTable(table))
                for index in table.indexes:
                    session.execute(CreateIndex(index))
            for table in COPIED:
                if self.dialect == "postgresql":
                    like = f'CREATE TABLE pg_temp."{table.name}" (LIKE "{self.live}"."{table.name}" INCLUDING DEFAULTS)'
                    session.exec_driver_sql(like)
                else:
                    session.execute(CreateTable(table))

    def index_arrivals(self, session: Connection) -> None:
        """Makes the further index of the arrivals, once most of them are there."""
        for index in self.arrivals.indexes:
            session.execute(CreateIndex(index))
        self.analyze(session, (self.arrivals,))

    def finish_loading(self) -> None:
        """Makes the keys of the built tables, once most of their rows are there.

        Raises:
            PermanentError: two rows have the same key.
        """
        with self.read() as session:
            if self.dialect == "postgresql":
                for table in COPIED:
                    names = ", ".join(column.name for column in table.primary_key.columns)
                    session.exec_driver_sql(f'ALTER TABLE pg_temp."{table.name}" ADD PRIMARY KEY ({names})')
            where = ("", "pg_temp.") if self.dialect == "postgresql" else ("main.", "")
            session.exec_driver_sql("CREATE INDEX {}events_by_digest ON {}events (digest)".format(*where))
            self.analyze(session, COPIED)

    def analyze(self, session: Connection, tables: Iterable[sa.Table]) -> None:
        """Tells PostgreSQL what the built tables hold: nobody else looks after temporary ones.

        Of a table that has a key only that: rows are found by it alone, and to sort what documents say takes seconds.
        """
        if self.dialect == "postgresql":
            for table in tables:
                names = ", ".join(column.name for column in table.primary_key.columns)
                session.exec_driver_sql(f'ANALYZE pg_temp."{table.name}"' + (f" ({names})" if names else ""))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction on the built tables; it may write there, and locks nothing that stands."""
        with self._session(self.own) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The same; within `switch` a part of it that can fail alone."""
        with self._session(self.own) as session:
            if self._held is None:
                yield session
            else:
                with session.begin_nested():
                    yield session

    @contextmanager
    def standing(self) -> Iterator[Connection]:
        """A transaction on the tables that stand, to read them."""
        with self._session(self.live) as session:
            yield session

    @contextmanager
    def switch(self) -> Iterator[Connection]:
        """The one transaction that writes what stands; until it ends, all others here are parts of it."""
        with translated(), self.engine.connect() as plain:
            session = plain.execution_options(**{WRITES: True, MAP: {None: self.live}})
            with session.begin():
                self._held = session
                try:
                    yield session
                finally:
                    self._held = None

    @contextmanager
    def _session(self, name: str | None) -> Iterator[Connection]:
        if self._held is not None:
            self._held.execution_options(**{MAP: {None: name}})
            try:
                yield self._held
            finally:
                self._held.execution_options(**{MAP: {None: self.live}})
            return
        with translated(), self.engine.connect() as plain:
            session = plain.execution_options(**({MAP: {None: name}} if name else {}))
            with session.begin():
                yield session

    def built(self, table: sa.Table) -> sa.Table:
        """A table as it is built, for statements that name one that stands as well."""
        return _copy(table, self.own)

    def select(self, table: sa.Table, rows: list[dict[str, Any]], columns: Sequence[str]) -> list[sa.Row[Any]]:
        """Rows of a built table that match any of those given (`Transaction.select`)."""
        with self.read() as session:
            return Transaction(session).select(table, rows, tuple(columns))

    def now(self) -> int:
        """A moment before whatever is committed from now on; 0 where the database does not tell moments apart.

        It is the oldest transaction that may not have ended yet: what one that began later commits, or one that was
        under way, is newer; some of what is newer may have been there already.
        """
        if self.dialect != "postgresql":
            return 0
        with self.standing() as session:
            snapshot = session.execute(sa.text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")).scalar_one()
        return int(snapshot)

    def is_newer(self, moment: int) -> sa.ColumnElement[bool]:
        """Of the one table of a statement: that a row may have been written since a moment; true where nobody knows."""
        if not moment:
            return sa.true()
        return sa.literal_column(f"age(xmin) <= age('{moment % _BITS}'::xid)", sa.Boolean)


_copies: dict[tuple[str, str], sa.Table] = {}


def _copy(table: sa.Table, name: str) -> sa.Table:
    with suppress(KeyError):
        return _copies[table.name, name]
    return _copies.setdefault((table.name, name), table.to_metadata(sa.MetaData(), schema=name))
