"""Dead letters by what they have in common: of open ones all but an example each is read from one index."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from handlers.store.dead_letters import OPEN
from handlers.store.engine import Database
from handlers.store.read_letters import Wanted, conditions
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters

GROUPS: Final[Mapping[str, str]] = {
    "fingerprint": "fingerprint",
    "error": "code",
    "connection": "connection_id",
    "type": "type",
}
"""What letters can be grouped by, and the column that has it."""
SORTED: Final = ("connection_id",)
"""A column that SQLite, where it has one value only, no longer takes for a part of the index's order."""
ALIKE: Final = ("code", "fingerprint", "connection_id", "type")
"""What letters that count as one have in common; an index has open ones in this order."""


class Group(NamedTuple):
    """Letters that have something in common.

    Attributes:
        name: what; None where they have none of it.
        letters: how many.
        connections: of how many connections.
        code: the error's code; of several the least.
        message: what is wrong with one of them.
        first_seen_at: when the first of them came.
        last_buried_at: when the last of them became open.
    """

    name: str | None
    letters: int
    connections: int
    code: str
    message: str
    first_seen_at: datetime
    last_buried_at: datetime


def groups(database: Database, wanted: Wanted, by: str) -> list[Group]:
    """The letters that are wanted, in groups, the greatest first.

    Args:
        database: to read from.
        wanted: which.
        by: one of `GROUPS`.
    """
    held: defaultdict[str | None, list[sa.Row[Any]]] = defaultdict(list)
    with database.read() as connection:
        tx = Transaction(connection)
        for row in tx.connection.execute(_counted(wanted)):
            held[getattr(row, GROUPS[by])].append(row)
        first = [rows[0] for rows in held.values()]
        messages = _examples(tx, wanted, first) if wanted.state == OPEN else {_alike(row): row.message for row in first}
    found = [
        Group(
            name=name,
            letters=sum(row.letters for row in rows),
            connections=len({row.connection_id for row in rows}),
            code=min(row.code for row in rows),
            message=messages[_alike(rows[0])],
            first_seen_at=min(row.first_seen_at for row in rows),
            last_buried_at=max(row.buried_at for row in rows),
        )
        for name, rows in held.items()
    ]
    return sorted(found, key=lambda group: (-group.letters, group.name or ""))


def _counted(wanted: Wanted) -> sa.Select[Any]:
    letters = dead_letters.c
    alike = [letters[name] for name in ALIKE]
    return (
        sa.select(
            *alike,
            sa.func.count().label("letters"),
            # Of open ones this would be all that the index has not; of others the table is read anyway.
            (sa.null() if wanted.state == OPEN else sa.func.min(letters.message)).label("message"),
            sa.func.min(letters.first_seen_at).label("first_seen_at"),
            sa.func.max(letters.buried_at).label("buried_at"),
        )
        .where(*conditions(wanted, SORTED))
        .group_by(*alike)
    )


def _examples(tx: Transaction, wanted: Wanted, rows: Sequence[sa.Row[Any]]) -> dict[tuple[Any, ...], str]:
    """The message of one letter of each of some kinds."""
    letters, source = dead_letters.c, tx.rows(dead_letters, ALIKE)
    same = [letters[name] == source.c[name] for name in ALIKE[:-1]]
    of_type = sa.or_(letters.type == source.c.type, sa.and_(letters.type.is_(None), source.c.type.is_(None)))
    example = sa.select(letters.message).where(*same, of_type, *conditions(wanted)).limit(1).correlate(source)
    statement = sa.select(*(source.c[name] for name in ALIKE), example.scalar_subquery().label("message"))
    found = tx.run(statement, [dict(zip(ALIKE, _alike(row), strict=True)) for row in rows])
    return {_alike(row): row.message for row in found}


def _alike(row: sa.Row[Any]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in ALIKE)
