"""Rows put into a table by the thousand, the quickest way that each database has.

PostgreSQL takes them as `COPY` does, which costs its server a third of what a statement over one JSON parameter does
(`handlers.store.rowset`); SQLite takes that. Whoever makes the text needs no database, so any process can.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cache
from operator import itemgetter
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from handlers.errors import PermanentError, TransientError
from handlers.store.columns import Document, Instant, encode
from handlers.store.engine import LIMIT_EXCEEDED
from handlers.store.rowset import Transaction, encoded

PAGE = 5_000
"""Rows that are put by one statement."""
NULL = "\\N"
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
"""What stands for something else in the text format (PostgreSQL, COPY, "Text Format", read 2026-11-24)."""

Write = Callable[[Sequence[Any]], list[str]]


class Built(Protocol):
    """Tables into which rows are put, empty at first."""

    @property
    def dialect(self) -> str:
        """Of their database."""

    def built(self, table: sa.Table) -> sa.Table:
        """The table in the place of one that stands."""

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction on them, which may write there."""

    def finish_loading(self) -> None:
        """Called once most of their rows are there."""


def texts(dialect: str, table: sa.Table, rows: Sequence[Mapping[str, Any]], bare: Mapping[str, Any]) -> Iterator[bytes]:
    """Rows as `put` takes them, so many in each.

    Args:
        dialect: of the database.
        table: theirs.
        rows: they need not state every column.
        bare: what is in a column that a row does not state.
    """
    for first in range(0, len(rows), PAGE):
        page = rows[first : first + PAGE]
        if dialect == "postgresql":
            told = zip(_writers(table), _columns(table, page, bare), strict=True)
            columns = [written(column) for written, column in told]
            yield ("\n".join(map("\t".join, zip(*columns, strict=True))) + "\n").encode()
        else:
            yield encoded({**bare, **row} for row in page).encode()


def put(session: Connection, table: sa.Table, text: bytes) -> None:
    """Inserts the rows of a text.

    Args:
        session: the transaction.
        table: theirs; it has its own schema.
        text: as `texts` has made it, in this process or another.

    Raises:
        PermanentError: of code `refused_by_database`: a row has a key that exists, or a value that no column takes.
        TransientError: the database is away.
    """
    if session.dialect.name != "postgresql":
        Transaction(session).insert_encoded(table, table.c.keys(), text.decode())
        return
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    driver = session.dialect.loaded_dbapi
    cursor = session.connection.cursor()
    try:
        with cursor.copy(f'COPY "{table.schema}"."{table.name}" ({names}) FROM STDIN') as copying:
            copying.write(text)
    except driver.Error as error:
        first_line = str(error).partition("\n")[0]
        is_of_data = isinstance(error, driver.DataError | driver.IntegrityError)
        if is_of_data or str(error.sqlstate).startswith(LIMIT_EXCEEDED):
            raise PermanentError("refused_by_database", first_line) from error
        raise TransientError("database_unavailable", first_line) from error
    finally:
        cursor.close()


def _columns(table: sa.Table, rows: Sequence[Mapping[str, Any]], bare: Mapping[str, Any]) -> Iterable[Sequence[Any]]:
    names = table.c.keys()
    try:
        return zip(*map(itemgetter(*names), rows), strict=True)
    except KeyError:
        return [[row.get(name, bare[name]) for row in rows] for name in names]


@cache
def _writers(table: sa.Table) -> list[Write]:
    return [_writer(column) for column in table.columns]


def _writer(column: sa.Column[Any]) -> Write:
    """How a column's values are written: all at once, for that takes a third of what value by value does."""
    if isinstance(column.type, Document):
        return _documents
    if isinstance(column.type, Instant):
        return _instants
    return _plain if isinstance(column.type, sa.Boolean | sa.Integer) else _words


def _words(values: Sequence[str | None]) -> list[str]:
    joined = "".join(filter(None, values))
    if joined.isprintable() and "\\" not in joined:
        return [NULL if value is None else value for value in values]
    return [NULL if value is None else value.translate(ESCAPED) for value in values]


def _documents(values: Sequence[Any]) -> list[str]:
    """JSON has no control characters, but a backslash before whatever it has in their place."""
    return [NULL if value is None else encode(value).replace("\\", "\\\\") for value in values]


def _instants(values: Sequence[datetime | None]) -> list[str]:
    if None in values:
        return [NULL if value is None else value.isoformat() for value in values]
    return encode(values)[2:-2].split('","')


def _plain(values: Sequence[Any]) -> list[str]:
    return [NULL if value is None else str(value) for value in values]
