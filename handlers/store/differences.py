"""Where two databases differ about one connection: what stands, and what its archive comes to when it is read anew."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from handlers.store import schema_records
from handlers.store.reading import Held, walk
from handlers.store.rowset import Transaction
from handlers.store.scratch import Scratch

FOLDED = tuple(each for each in vars(schema_records).values() if isinstance(each, sa.Table))
"""What is a function of the set of facts: every table of that file."""
OPERATIONAL = {"fetches": frozenset({"asked_at"})}
"""Columns of such a table that are none: they tell what was done about a row, not what it says."""
PAGE = 1_000
"""Rows compared at once."""
MISSING, EXTRA, DIFFERS = "missing", "extra", "differs"

Item = TypeVar("Item")
Values = Mapping[str, Any]


class Difference(NamedTuple):
    """A row that is not the same.

    Attributes:
        table: where.
        key: its primary key.
        standing: the row as it stands; None where there is none.
        anew: the row as the archive has it; None where there should be none.
        fields: the columns that differ; of the column `fields` its members, as `fields.title`.
    """

    table: sa.Table
    key: Values
    standing: Values | None
    anew: Values | None
    fields: tuple[str, ...] = ()

    @property
    def problem(self) -> str:
        """What is wrong with the row that stands: it is `missing`, `extra`, or `differs`."""
        if self.standing is None:
            return MISSING
        return EXTRA if self.anew is None else DIFFERS


def differences(
    held: Held, scratch: Scratch, table: sa.Table, connection_id: str, ignored: Collection[str] = ()
) -> Iterator[list[Difference]]:
    """The rows of a table that differ, a page at a time; a page's rows may be written before the next is asked for.

    Args:
        held: the transaction in which it stands.
        scratch: where it was computed anew.
        table: its primary key begins with `connection_id`.
        connection_id: whose rows.
        ignored: columns that are not compared, besides those that are operational.
    """
    names = [column.name for column in table.primary_key.columns]
    order = [column for column in table.primary_key.columns if column.name != "connection_id"]
    skipped = {*ignored, *OPERATIONAL.get(table.name, ())}
    # Nearly all rows are the same: they are compared as they come, and taken apart only where they are not.
    telling = itemgetter(*(at for at, column in enumerate(table.c) if column.name not in skipped))
    wanted = sa.select(table).where(table.c.connection_id == connection_id)
    known = 0
    for page in paged(walk(held, wanted, order), PAGE):
        standing = _by_key(page, names)
        keys = {key: dict(zip(names, key, strict=True)) for key in standing}
        anew = _by_key(scratch.select(table, list(keys.values()), table.c.keys()), names)
        known += len(anew)
        apart = []
        for key, row in standing.items():
            again = anew.get(key)
            if again is None:
                apart.append(Difference(table, keys[key], _values(row), None))
            elif telling(row) != telling(again):
                was, now = _values(row), _values(again)
                apart.append(Difference(table, keys[key], was, now, _fields(was, now, skipped)))
        yield apart
    with scratch.database.read() as connection:
        total = connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
    if known < total:
        yield from _missing(held, scratch, table, names)


def paged(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """Items, so many at once."""
    while page := list(islice(items, size)):
        yield page


def _missing(held: Held, scratch: Scratch, table: sa.Table, names: list[str]) -> Iterator[list[Difference]]:
    tx = Transaction(held.connection)
    for page in paged(walk(scratch.database, sa.select(table), list(table.primary_key.columns)), PAGE):
        anew = _by_key(page, names)
        keys = {key: dict(zip(names, key, strict=True)) for key in anew}
        there = _by_key(tx.select(table, list(keys.values()), names), names)
        yield [Difference(table, keys[key], None, _values(row)) for key, row in anew.items() if key not in there]


def _by_key(rows: Sequence[sa.Row[Any]], names: Sequence[str]) -> dict[tuple[str, ...], sa.Row[Any]]:
    key_of = attrgetter(*names)
    return {key_of(row): row for row in rows}


def _values(row: sa.Row[Any]) -> Values:
    return dict(row._mapping)  # noqa: SLF001  # public, for all its underscore


def _fields(standing: Values, anew: Values, skipped: Collection[str]) -> tuple[str, ...]:
    apart: list[str] = []
    for name in standing:
        if name in skipped or standing[name] == anew[name]:
            continue
        if name == "fields":
            was, now = standing[name], anew[name]
            apart += [f"fields.{each}" for each in sorted({*was, *now}) if was.get(each, ...) != now.get(each, ...)]
        else:
            apart.append(name)
    return tuple(apart)
