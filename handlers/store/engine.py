"""The database, opened: sessions that keep the promise, and foreign errors translated where they enter."""

import sqlite3
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import ConnectionPoolEntry
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_random

from handlers.errors import ConfigurationError, PermanentError, TransientError
from handlers.store.columns import decode
from handlers.store.rowset import SQLITE_UNBASE64

POSTGRES_SESSION = {
    # A commit is only reported once it is on disk, whatever the server's default says.
    "synchronous_commit": "on",
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    # A worker frozen inside a transaction must not block its successor.
    "idle_in_transaction_session_timeout": "10s",
    # One frozen while it reads a long result is not idle: the server waits for it to go on, and none of the limits
    # above ends that. This one does, over TCP (reproduced; a unix socket has no such limit).
    "tcp_user_timeout": "10s",
    # A worker whose machine vanished is noticed within 15 s.
    "tcp_keepalives_idle": "5s",
    "tcp_keepalives_interval": "5s",
    "tcp_keepalives_count": "2",
    "timezone": "UTC",
}
POSTGRES_NETWORK = {
    # A server that vanished is noticed within 15 s.
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 15_000,
}
LIMIT_EXCEEDED = "54"
"""Class of SQLSTATE, "program limit exceeded" (PostgreSQL, appendix A), such as a value too long for its index. The
driver files it with what passes; but the same value meets the same limit for ever."""
SQLITE_BUSY_SECONDS = 10
SQLITE_PRAGMAS = (
    f"busy_timeout={SQLITE_BUSY_SECONDS * 1000}",
    "synchronous=FULL",
)
WRITES = "writes"
"""Execution option that tells a SQLite transaction to take the write lock at its start."""


class Database:
    """One database, SQLite or PostgreSQL; `write` and `read` hand out transactions.

    Args:
        url: `sqlite:///PATH` or `postgresql://…`.
        pool_size: greatest number of connections of this process.
        using: entered for as long as a connection is in use; any thread may be the one.

    Attributes:
        pool_size: the same.
    """

    def __init__(
        self, url: str, *, pool_size: int = 4, using: Callable[[], AbstractContextManager[object]] = nullcontext
    ) -> None:
        self.pool_size = pool_size
        self._using = using
        self._engine = _engine(_parsed(url), pool_size)
        self.dialect = self._engine.dialect.name
        # SQLite has one writer: waiting here is fair, waiting in its busy handler is not.
        self._writer: AbstractContextManager[object] = threading.Lock() if self.dialect == "sqlite" else nullcontext()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that may write; committed on a clean exit, else rolled back.

        Raises:
            TransientError: the database is away or too busy; nothing was written.
            PermanentError: of code `refused_by_database`: a value that no column takes.
        """
        with translated(), self._writer, self._using(), self._engine.connect() as plain:
            connection = plain.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads, on one snapshot."""
        options = {"isolation_level": "REPEATABLE READ"} if self.dialect == "postgresql" else {}
        with translated(), self._using(), self._engine.connect() as plain:
            connection = plain.execution_options(**options)
            with connection.begin():
                yield connection

    @property
    def engine(self) -> sa.Engine:
        """For migrations."""
        return self._engine

    def close(self) -> None:
        """Lets every idle connection go."""
        self._engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turns the database's errors into ours: data that cannot be written, and everything else for now."""
    try:
        yield
    except (exc.DataError, exc.IntegrityError) as error:
        raise PermanentError("refused_by_database", _first_line(error)) from error
    except exc.DBAPIError as error:
        if str(getattr(error.orig, "sqlstate", "")).startswith(LIMIT_EXCEEDED):
            raise PermanentError("refused_by_database", _first_line(error)) from error
        raise TransientError("database_unavailable", _first_line(error)) from error
    except exc.TimeoutError as error:
        raise TransientError("database_pool_exhausted", str(error)) from error
    except UnicodeEncodeError as error:  # half of a surrogate pair: neither driver can send it
        raise PermanentError("refused_by_database", "text that is no Unicode") from error


def _first_line(error: exc.DBAPIError) -> str:
    """The driver's own first line: SQLAlchemy's text would add the statement and its values."""
    text = str(error.orig).strip()
    return text.splitlines()[0] if text else type(error.orig).__name__


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise ConfigurationError(["DATABASE_URL: not a URL; use sqlite:///PATH or postgresql://…"]) from None
    if parsed.drivername in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite":
        return parsed
    problem = f"DATABASE_URL: {parsed.drivername}:// is not supported; use sqlite:///PATH or postgresql://…"
    raise ConfigurationError([problem])


def _engine(url: URL, pool_size: int) -> sa.Engine:
    if url.drivername == "sqlite":
        engine = sa.create_engine(
            url, pool_size=pool_size, max_overflow=0, hide_parameters=True, connect_args={"isolation_level": None}
        )
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    settings = " ".join(f"-c {name}={value}" for name, value in POSTGRES_SESSION.items())
    try:
        return sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            json_deserializer=decode,
            connect_args={**POSTGRES_NETWORK, "options": settings, "application_name": "maintenworks"},
        )
    except ModuleNotFoundError as error:
        problem = "DATABASE_URL: postgresql:// needs the driver: pip install 'maintenworks[postgres]'"
        raise ConfigurationError([problem]) from error


def _prepare_sqlite(connection: Any, record: ConnectionPoolEntry) -> None:
    del record
    for pragma in SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    _to_wal(connection)
    connection.create_function(SQLITE_UNBASE64, 1, _unbase64, deterministic=True)


@retry(
    retry=retry_if_exception_type(sqlite3.OperationalError),
    stop=stop_after_delay(SQLITE_BUSY_SECONDS),
    wait=wait_random(max=0.05),
    reraise=True,
)
def _to_wal(connection: Any) -> None:
    """Turns a new file to write-ahead logging; of two that try at once one is refused without being made to wait."""
    connection.execute("PRAGMA journal_mode=WAL")


def _unbase64(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)


def _begin_sqlite(connection: Connection) -> None:
    """The driver's own transaction handling is off: it would begin late and without the write lock."""
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
