"""Many rows in one statement: a list of rows travels as one JSON parameter and stands in SQL as a table `r`.

Both databases read it with a function of their own, so a batch costs a constant number of statements whatever its
size, each compiled once.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row
from sqlalchemy.types import TypeEngine

from handlers.store.columns import Document, Instant, encode, sortable

ROWS = "rows"
SQLITE_UNBASE64 = "unbase64"
"""A function that each SQLite connection is given (`handlers.store.engine`); PostgreSQL has its own."""
Rows = Sequence[Mapping[str, Any]]


class Transaction:
    """A transaction's statements over many rows at once; every one is a no-op for no rows.

    Rows are mappings by column name; instants are aware datetimes, documents plain values, bytes are bytes. Give rows
    sorted by their key wherever a statement takes locks, so that two transactions take them in the same order.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._dialect = connection.dialect.name

    def insert(self, table: sa.Table, rows: Rows) -> None:
        """Inserts every row; a key that exists is an error."""
        if rows:
            self._run(_insert(self._dialect, table, tuple(rows[0]), missing_only=False, returning=()), rows)

    def insert_missing(self, table: sa.Table, rows: Rows, returning: Sequence[str] = ()) -> list[Row[Any]]:
        """Inserts the rows whose key does not exist yet; returns those columns of what it did insert."""
        if not rows:
            return []
        statement = _insert(self._dialect, table, tuple(rows[0]), missing_only=True, returning=tuple(returning))
        result = self._run(statement, rows)
        return list(result) if returning else []

    def update(self, table: sa.Table, rows: Rows, keys: Sequence[str]) -> None:
        """Sets every column that the rows have, where the key columns match."""
        if rows:
            self._run(_update(self._dialect, table, tuple(rows[0]), tuple(keys)), rows)

    def delete(self, table: sa.Table, rows: Rows) -> None:
        """Deletes what matches any row on all of the row's columns."""
        if rows:
            self._run(_delete(self._dialect, table, tuple(rows[0])), rows)

    def select(self, table: sa.Table, rows: Rows, columns: Sequence[str], *, lock: bool = False) -> list[Row[Any]]:
        """Selects what matches any row on all of the row's columns, in primary-key order; locked if asked."""
        if not rows:
            return []
        return list(self._run(_select(self._dialect, table, tuple(rows[0]), tuple(columns), lock=lock), rows))

    def beside(self, table: sa.Table, rows: Rows, columns: Sequence[str] = ()) -> list[Row[Any]]:
        """Selects rows by their whole key, with the last part of the key just `before` and just `after` each.

        Of the rows that have the other parts of the key only these two are looked for, in its index.
        """
        return list(self._run(_beside(self._dialect, table, tuple(columns)), rows)) if rows else []

    def insert_encoded(self, table: sa.Table, names: Sequence[str], text: str) -> None:
        """Inserts rows of those columns that `encoded` has made a text of, in this process or another."""
        statement = _insert(self._dialect, table, tuple(names), missing_only=False, returning=())
        self.connection.execute(statement, {ROWS: text})

    def rows(self, table: sa.Table, names: Sequence[str]) -> sa.FromClause:
        """The parameter as a table, for statements of one's own; run them with `run`."""
        return _rowset(self._dialect, table, tuple(names))

    def run(self, statement: sa.Executable, rows: Rows) -> sa.CursorResult[Any]:
        """Runs a statement built over `rows`."""
        return self._run(statement, rows)

    def _run(self, statement: sa.Executable, rows: Rows) -> sa.CursorResult[Any]:
        return self.connection.execute(statement, {ROWS: encoded(rows)})


def encoded(rows: Iterable[Mapping[str, Any]]) -> str:
    """The parameter's text; instants in fixed width: both databases read it, and SQLite sorts by it."""
    return encode(
        [{name: sortable(value) if type(value) is datetime else value for name, value in row.items()} for row in rows]
    )


@lru_cache(maxsize=256)
def _rowset(dialect: str, table: sa.Table, names: tuple[str, ...]) -> sa.FromClause:
    columns = [table.c[name] for name in names]
    if dialect == "postgresql":
        records = sa.func.json_to_recordset(sa.cast(sa.bindparam(ROWS, type_=sa.Text), postgresql.JSON))
        typed = [sa.column(each.name, _postgres_type(each.type)) for each in columns]
        return records.table_valued(*typed).render_derived(name="r", with_types=True)
    values = sa.func.json_each(sa.bindparam(ROWS, type_=sa.Text)).table_valued("value", name="e")
    fields = [
        sa.func.json_extract(values.c.value, f"$.{each.name}", type_=each.type).label(each.name) for each in columns
    ]
    return sa.select(*fields).select_from(values).subquery("r")


def _postgres_type(kept: TypeEngine[Any]) -> TypeEngine[Any]:
    if isinstance(kept, Document):
        return postgresql.JSONB()
    if isinstance(kept, Instant):
        return sa.DateTime(timezone=True)
    return kept if isinstance(kept, sa.Boolean | sa.Integer) else sa.Text()


def _matches(table: sa.FromClause, rows: sa.FromClause, names: Sequence[str]) -> sa.ColumnElement[bool]:
    return sa.and_(*(table.c[name] == rows.c[name] for name in names))


def _value(dialect: str, table: sa.Table, rows: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    """A row's value as its column takes it: bytes travel as base64."""
    if not isinstance(table.c[name].type, sa.LargeBinary):
        return rows.c[name]
    text = sa.type_coerce(rows.c[name], sa.Text)
    return sa.func.decode(text, "base64") if dialect == "postgresql" else getattr(sa.func, SQLITE_UNBASE64)(text)


@lru_cache(maxsize=256)
def _insert(
    dialect: str, table: sa.Table, names: tuple[str, ...], *, missing_only: bool, returning: tuple[str, ...]
) -> sa.Executable:
    rows = _rowset(dialect, table, names)
    # SQLite cannot tell ON CONFLICT from a join's ON unless the SELECT has a WHERE.
    source = sa.select(*(_value(dialect, table, rows, name) for name in names)).where(sa.true())
    statement: postgresql.Insert | sqlite.Insert
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    statement = statement.from_select(list(names), source, include_defaults=False)
    if missing_only:
        statement = statement.on_conflict_do_nothing()
    return statement.returning(*(table.c[name] for name in returning)) if returning else statement


@lru_cache(maxsize=256)
def _update(dialect: str, table: sa.Table, names: tuple[str, ...], keys: tuple[str, ...]) -> sa.Executable:
    rows = _rowset(dialect, table, names)
    values = {name: rows.c[name] for name in names if name not in keys}
    return sa.update(table).values(values).where(_matches(table, rows, keys))


@lru_cache(maxsize=256)
def _delete(dialect: str, table: sa.Table, names: tuple[str, ...]) -> sa.Executable:
    rows = _rowset(dialect, table, names)
    wanted = sa.select(*(rows.c[name] for name in names))
    # A tuple's IN is found by the key's index on both databases; a correlated EXISTS would read SQLite's whole table.
    return sa.delete(table).where(sa.tuple_(*(table.c[name] for name in names)).in_(wanted))


@lru_cache(maxsize=256)
def _select(
    dialect: str, table: sa.Table, names: tuple[str, ...], columns: tuple[str, ...], *, lock: bool
) -> sa.Executable:
    rows = _rowset(dialect, table, names)
    statement = (
        sa.select(*(table.c[name] for name in columns))
        .join_from(table, rows, _matches(table, rows, names))
        .order_by(*table.primary_key.columns)
    )
    return statement.with_for_update(of=table) if lock and dialect == "postgresql" else statement


@lru_cache(maxsize=256)
def _beside(dialect: str, table: sa.Table, columns: tuple[str, ...]) -> sa.Executable:
    names = [column.name for column in table.primary_key.columns]
    rows = _rowset(dialect, table, tuple(names))
    near = [_next(table, rows, names, following=following) for following in (False, True)]
    return (
        sa.select(*(table.c[name] for name in (*names, *columns)), *near)
        .join_from(rows, table, _matches(table, rows, names))
        .order_by(*table.primary_key.columns)
    )


def _next(table: sa.Table, rows: sa.FromClause, names: Sequence[str], *, following: bool) -> sa.Label[Any]:
    """The last part of the key of the row just before, or just after, one of `rows`."""
    name = "after" if following else "before"
    other = table.alias(name)
    last, bound = other.c[names[-1]], rows.c[names[-1]]
    found = (
        sa.select(last)
        .where(_matches(other, rows, names[:-1]), last > bound if following else last < bound)
        .order_by(last if following else last.desc())
        .limit(1)
        .correlate(rows)
    )
    return found.scalar_subquery().label(name)
