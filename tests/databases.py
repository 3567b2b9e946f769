"""Databases with the schema, without migrating each: a copy of one file, and one of PostgreSQL's lent again and again.

Migrating takes half a second and more, making a database of PostgreSQL's as much again; a test takes far less.
"""

import contextlib
import functools
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg

from handlers.store import migrate
from handlers.store.engine import Database
from tests.servers import PostgresServer

PREFIX = "sqlite:///"

_OTHERS = "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity WHERE datname = %s"
_EMPTY = """
DO $$
DECLARE name regclass;
BEGIN
    SET LOCAL session_replication_role = replica;  -- neither triggers nor foreign keys have a say
    FOR name IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND relname <> 'alembic_version'
    LOOP EXECUTE format('DELETE FROM %s', name); END LOOP;
END $$
"""
_SHAPE = """
SELECT count(DISTINCT c.oid), max(c.oid), count(a.attnum), (SELECT count(*) FROM pg_constraint),
    (SELECT count(*) FROM pg_trigger), (SELECT version_num FROM alembic_version)
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
WHERE c.relnamespace = 'public'::regnamespace
"""
"""Differs once somebody has made, dropped or changed a table, an index or a column."""


def prepare(url: str) -> None:
    """Puts a file with the schema where a URL of SQLite says, unless there is one; other URLs are left alone."""
    path = Path(url.removeprefix(PREFIX))
    if url.startswith(PREFIX) and not path.exists():
        path.write_bytes(_migrated_file())


@functools.cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.db"
        database = Database(f"{PREFIX}{path}")
        migrate.upgrade(database)
        database.close()
        assert list(Path(folder).iterdir()) == [path], "what is in the file's log would be missing in a copy"
        return path.read_bytes()


class _Made(NamedTuple):
    """A database, and what it was like at first."""

    name: str
    shape: object


class Lender:
    """Lends a database with the schema to one borrower at a time, always empty.

    One whose schema was changed, or that cannot be emptied, is thrown away, and another is made for the next.

    Args:
        server: that runs, at least while something is lent.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = itertools.count()
        self._idle: list[_Made] = []

    @contextlib.contextmanager
    def lent(self) -> Iterator[str]:
        """Its URL; whoever is still connected at the end is thrown out."""
        made = self._idle.pop() if self._idle else self._made()
        yield self._server.url_of(made.name)
        with contextlib.suppress(psycopg.OperationalError):  # the test has killed the server
            if self._is_emptied(made):
                self._idle.append(made)

    def _made(self) -> _Made:
        name = f"lent_{next(self._numbers)}"
        with psycopg.connect(self._server.url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        database = Database(self._server.url_of(name))
        migrate.upgrade(database)
        database.close()
        with psycopg.connect(self._server.url_of(name)) as session:
            return _Made(name, session.execute(_SHAPE).fetchone())

    def _is_emptied(self, made: _Made) -> bool:
        """Whether all is as it was at first."""
        with psycopg.connect(self._server.url, autocommit=True) as admin:
            admin.execute(_OTHERS, (made.name,))
            with psycopg.connect(self._server.url_of(made.name)) as session:
                if session.execute(_SHAPE).fetchone() == made.shape:
                    session.execute(_EMPTY)
                    return True
            admin.execute(f"DROP DATABASE {made.name} WITH (FORCE)".encode())
        return False
