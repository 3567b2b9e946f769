"""Reading for people: a database opened for questions, and lists of any length walked a page at a time."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from handlers.errors import ServiceUnreachableError, TransientError
from handlers.store import migrate
from handlers.store.engine import Database
from handlers.store.searching import Search, beside, edge

PAGE = 2_000
"""Rows read at once: a long list costs the memory of one page, some megabytes, and no transaction outlives one."""


class Part(NamedTuple):
    """Which part of a list is read.

    Attributes:
        after: values of the list's order in the row that was read last; None reads from the beginning.
        size: rows read at once; None reads `PAGE`.
        search: how far to look for rows that no index finds; None looks at all.
    """

    after: tuple[Any, ...] | None = None
    size: int | None = None
    search: Search | None = None


WHOLE = Part()
"""All of it."""


class Readable(Protocol):
    """What hands out transactions that read: a database, or one transaction that is held."""

    def read(self) -> AbstractContextManager[Connection]:
        """A transaction to read in."""


class Held(NamedTuple):
    """One transaction, read in again and again: everything in it is of one moment."""

    connection: Connection

    def read(self) -> AbstractContextManager[Connection]:
        """That transaction; it stays open."""
        return nullcontext(self.connection)


def open_database(url: str) -> Database:
    """Opens a database that is there and has this version's schema; makes none.

    Args:
        url: `sqlite:///PATH` or `postgresql://…`.

    Raises:
        ServiceUnreachableError: it is not there, does not answer, or has another schema; says what to run.
    """
    database = Database(url, pool_size=1)
    file = database.engine.url.database
    if database.dialect == "sqlite" and file and not Path(file).exists():
        raise ServiceUnreachableError(
            f"there is no database at {file}: run `maintenworks up`, or `maintenworks migrate` to make an empty one"
        )
    try:
        found = migrate.version(database)
    except TransientError as error:
        database.close()
        raise ServiceUnreachableError(f"the database does not answer: {error}") from error
    if found != migrate.newest():
        database.close()
        raise ServiceUnreachableError(
            f"the database's schema is at {found or 'nothing'}, this version needs {migrate.newest()}:"
            " run `maintenworks migrate`"
        )
    return database


def walk(
    database: Readable,
    statement: sa.Select[Any],
    order: Sequence[sa.ColumnElement[Any]],
    *,
    start: sa.ColumnElement[bool] | None = None,
    newest_first: bool = False,
    part: Part = WHOLE,
    within: sa.ColumnElement[bool] | None = None,
) -> Iterator[Row[Any]]:
    """Rows of a statement in order, a page a transaction: a reader that pauses between rows holds nothing up.

    What is written meanwhile is seen or not, by where it stands; no row comes twice and none that stays is left out.

    Args:
        database: to read from; of a transaction that is held every page is of one moment.
        statement: selects every column of `order`, by its own name, and has neither order nor limit.
        order: columns that together are unique among the statement's rows, and that an index has in this order behind
            those that the statement holds fixed: such a column must not be among them, or each page would be looked
            for from the beginning.
        start: where the first page begins, by the first column of the order.
        newest_first: walks the order backwards.
        part: from where on, and how many rows a page has; of `after` as many values count, from its end, as the order
            has columns.
        within: where all of its rows are, by the first column of the order or by what the index has before that.
    """
    size = part.size or PAGE
    turned = [column.desc() if newest_first else column for column in order]
    page_of = statement.order_by(*turned).limit(size)
    of = _List(page_of, sa.select(*order).order_by(*turned), order, size, newest_first)
    last = None if part.after is None else part.after[-len(order) :]
    if part.search is not None:
        yield from _searched(database, of, (start, within), part.search, last)
        return
    page_of = page_of if within is None else page_of.where(within)
    page = page_of if start is None else page_of.where(start)
    if last is not None:
        page = page.where(_behind(order, last, newest_first=newest_first))
    while True:
        with database.read() as connection:
            rows = connection.execute(page).all()
        yield from rows
        if len(rows) < size:
            return
        page = page_of.where(_behind(order, beside(order, rows[-1]), newest_first=newest_first))


class _List(NamedTuple):
    page: sa.Select[Any]
    keys: sa.Select[Any]
    order: Sequence[sa.ColumnElement[Any]]
    size: int
    newest_first: bool


def _searched(
    database: Readable,
    of: _List,
    ends: tuple[sa.ColumnElement[bool] | None, sa.ColumnElement[bool] | None],
    search: Search,
    last: tuple[Any, ...] | None,
) -> Iterator[Row[Any]]:
    """The rows of a list among so many that are looked at, each look a transaction of its own.

    A statement has one bound at either end: of two the database may choose the farther one, and read all between them.
    """
    start, within = ends
    for look in search.looks():
        begin = start if last is None else _behind(of.order, last, newest_first=of.newest_first)
        behind = [] if begin is None else [begin]
        inside = behind if within is None else [*behind, within]
        with database.read() as connection:
            end = connection.execute(edge(of.keys.where(*inside), look)).first()
            here = inside if end is None else [*behind, _up_to(of.order, end, newest_first=of.newest_first)]
            rows = connection.execute(of.page.where(*here)).all()
        yield from rows
        if len(rows) == of.size:
            last = beside(of.order, rows[-1])
            search.looked(of.size)
        elif end is None:
            return
        else:
            last = tuple(end)
            search.looked(look)
    if last is not None:
        search.stop(last)


def _behind(
    order: Sequence[sa.ColumnElement[Any]], last: Sequence[Any], *, newest_first: bool
) -> sa.ColumnElement[bool]:
    """That a row stands behind another: compared as a whole, which both databases look up in an index."""
    keys, bound = sa.tuple_(*order), _bound(order, last)
    return keys < bound if newest_first else keys > bound


def _up_to(
    order: Sequence[sa.ColumnElement[Any]], last: Sequence[Any], *, newest_first: bool
) -> sa.ColumnElement[bool]:
    """That a row does not."""
    keys, bound = sa.tuple_(*order), _bound(order, last)
    return keys >= bound if newest_first else keys <= bound


def _bound(order: Sequence[sa.ColumnElement[Any]], values: Sequence[Any]) -> sa.Tuple:
    return sa.tuple_(*(sa.literal(value, column.type) for column, value in zip(order, values, strict=True)))


def of_connection(database: Database, column: sa.Column[str], wanted: str | None) -> sa.ColumnElement[bool]:
    """The condition that a row is of one connection, or of any, such that an index on it and a key behind it serves.

    Args:
        database: asked for the connections where none is named.
        column: the table's `connection_id`, first in some index.
        wanted: a connection's id; None for all that have rows there.
    """
    return column == wanted if wanted is not None else column.in_(connection_ids(database, column))


def connection_ids(
    database: Database, column: sa.Column[str], where: sa.ColumnElement[bool] | None = None
) -> list[str]:
    """The connections that have rows in a table, in order: one step along its index each, however many rows they have.

    Args:
        database: to read from.
        column: the table's `connection_id`, first in some index.
        where: the condition of that index, if it has not every row.
    """
    found: list[str] = []
    least = sa.select(sa.func.min(column)).where(sa.true() if where is None else where)
    with database.read() as connection:
        last = connection.execute(least).scalar()
        while last is not None:
            found.append(last)
            last = connection.execute(least.where(column > last)).scalar()
    return found
