"""Tables in memory that take a transaction's statements: where nothing stood before, a fold needs no database.

What the effects write is the same rows by the same code, however many facts are folded at once; whoever has them puts
them where they belong. Only the statements that effects use are here: there is no connection behind it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Row

from handlers.store.columns import Document, decode
from handlers.store.rowset import Rows, Transaction

Key = tuple[Any, ...]
Values = dict[str, Any]


class Memory(Transaction):
    """Tables that are empty at first; values are as a database gives them, never as it keeps them."""

    def __init__(self) -> None:  # no connection, and nothing of the class above that would use one
        self._tables: dict[str, dict[Key, Values]] = {}

    def rows_of(self, table: sa.Table) -> Iterator[Values]:
        """Every row of a table, with every column."""
        bare = defaults(table)
        return ({**bare, **row} for row in self._of(table).values())

    def written(self, table: sa.Table) -> list[Values]:
        """Every row of a table, with the columns that it states (`defaults` has the others)."""
        return list(self._of(table).values())

    def insert(self, table: sa.Table, rows: Rows) -> None:
        """Inserts every row; a key that exists is an error."""
        held, key_of = self._of(table), _key_of(table)
        for row in rows:
            key = key_of(row)
            assert key not in held, f"{table.name} has that key already"
            held[key] = dict(row)

    def insert_missing(self, table: sa.Table, rows: Rows, returning: Sequence[str] = ()) -> list[Row[Any]]:
        """Inserts the rows whose key does not exist yet; returns those columns of what it did insert."""
        held, key_of = self._of(table), _key_of(table)
        inserted = []
        for row in rows:
            key = key_of(row)
            if key not in held:
                held[key] = dict(row)
                inserted.append(row)
        return _found(table, inserted, returning) if returning else []

    def update(self, table: sa.Table, rows: Rows, keys: Sequence[str]) -> None:
        """Sets every column that the rows have; the key columns are those of the primary key."""
        held, key_of = self._of(table), _key_of(table)
        assert set(keys) == {column.name for column in table.primary_key.columns}
        for row in rows:
            key = key_of(row)
            if key in held:
                held[key].update(row)

    def delete(self, table: sa.Table, rows: Rows) -> None:
        """Deletes what matches any row on all of the row's columns."""
        held = self._of(table)
        for key in [key for key, _ in _matching(table, held, rows)]:
            del held[key]

    def select(self, table: sa.Table, rows: Rows, columns: Sequence[str], *, lock: bool = False) -> list[Row[Any]]:
        """Selects what matches any row on all of the row's columns; nobody else is there to be locked out."""
        del lock
        return _found(table, (row for _, row in _matching(table, self._of(table), rows)), columns)

    def beside(self, table: sa.Table, rows: Rows, columns: Sequence[str] = ()) -> list[Row[Any]]:
        """Selects rows by their whole key, with the last part of the key before and after each."""
        held, key_of = self._of(table), _key_of(table)
        names = [column.name for column in table.primary_key.columns]
        wanted = sorted({key for row in rows if (key := key_of(row)) in held})
        along: dict[Key, list[Any]] = {}
        heads = {key[:-1] for key in wanted}
        for key in held:
            if key[:-1] in heads:
                along.setdefault(key[:-1], []).append(key[-1])
        for line in along.values():
            line.sort()
        found = []
        for key in wanted:
            line = along[key[:-1]]
            at = bisect_left(line, key[-1])
            near = {
                "before": line[at - 1] if at else None,
                "after": line[at + 1] if at + 1 < len(line) else None,
            }
            kept = {name: held[key].get(name) for name in columns}
            found.append(SimpleNamespace(**dict(zip(names, key, strict=True)), **kept, **near))
        return cast("list[Row[Any]]", found)

    def run(self, statement: sa.Executable, rows: Rows) -> sa.CursorResult[Any]:
        """There is no database to run one; the tests of the rebuild would meet a fold with SQL of its own here."""
        what = f"{type(statement).__name__} over {len(rows)} rows in memory"
        raise NotImplementedError(what)  # for good: whoever folds says what it wants by the calls above

    def _of(self, table: sa.Table) -> dict[Key, Values]:
        return self._tables.setdefault(table.name, {})


@cache
def defaults(table: sa.Table) -> Mapping[str, Any]:
    """What a row has in each column that it does not state."""
    return {column.name: _default(column) for column in table.columns}


def _default(column: sa.Column[Any]) -> Any:
    default = column.server_default
    if not isinstance(default, sa.DefaultClause):
        return None
    text = str(default.arg)
    if isinstance(column.type, sa.Boolean):
        return text == "true"
    unquoted = text.strip("'")
    return decode(unquoted) if isinstance(column.type, Document) else unquoted


@cache
def _key_of(table: sa.Table) -> Callable[[Mapping[str, Any]], Key]:
    return itemgetter(*(column.name for column in table.primary_key.columns))


def _matching(table: sa.Table, held: dict[Key, Values], rows: Rows) -> Iterator[tuple[Key, Values]]:
    if not rows or not held:
        return
    names = tuple(rows[0])
    if set(names) == {column.name for column in table.primary_key.columns}:
        key_of = _key_of(table)
        for key in sorted({key_of(row) for row in rows}):
            if key in held:
                yield key, held[key]
        return
    part = itemgetter(*names)
    wanted = {part(row) for row in rows}
    yield from sorted(((key, row) for key, row in held.items() if part(row) in wanted), key=itemgetter(0))


def _found(table: sa.Table, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[Row[Any]]:
    bare = defaults(table)
    found = [SimpleNamespace(**{name: row.get(name, bare[name]) for name in columns}) for row in rows]
    return cast("list[Row[Any]]", found)
