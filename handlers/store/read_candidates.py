"""What of dead letters tells whether they can be sent on their way again: of each, or of how many alike."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from handlers.store.dead_letters import OPEN
from handlers.store.engine import Database
from handlers.store.read_letter_groups import SORTED
from handlers.store.read_letters import Key, Wanted, chosen, conditions
from handlers.store.schema import dead_letters

COLUMNS: Final = ("state", "connection_id", "code", "waits_for", "retry_at", "edited_into")
ALIKE: Final = ("code", "fingerprint", "connection_id", "type", "waits_for", "retry_at")
"""What letters that are counted together have in common; an index has open ones in this order."""


class Candidate(msgspec.Struct, frozen=True):
    """A letter that was asked for, or several that are alike.

    Attributes:
        state: in which it is.
        connection_id: whose it is.
        code: of its error.
        waits_for: the id that nobody had registered.
        retry_at: when it will be right by itself; of several the last.
        edited_into: the delivery of its corrected copy; of several one of them.
        key: which letter it is; None for several.
        letters: how many they are.
    """

    state: str
    connection_id: str
    code: str
    waits_for: str | None
    retry_at: datetime | None
    edited_into: str | None
    key: Key | None = None
    letters: int = 1


def candidates(database: Database, wanted: Wanted) -> Iterator[Candidate]:
    """The letters that are wanted, in order of their delivery's arrival."""
    for row in chosen(database, wanted, (*COLUMNS, "delivery_id", "event_index")):
        yield _candidate(row, key=(row.delivery_id, row.event_index))


def counted(database: Database, wanted: Wanted) -> list[Candidate]:
    """The same, those together that nothing tells apart."""
    letters = dead_letters.c
    state: sa.ColumnElement[Any] = letters.state
    edited_into: sa.ColumnElement[Any] = sa.func.max(letters.edited_into)
    apart: list[sa.ColumnElement[Any]] = [letters.state, letters.edited_into.is_(None)]
    if wanted.state == OPEN:  # the index has none of these, and they are known
        state, edited_into, apart = sa.literal(OPEN), sa.null(), []
    statement = (
        sa.select(state, *(letters[name] for name in COLUMNS[1:-1]), edited_into, sa.func.count().label("letters"))
        .where(*conditions(wanted, SORTED))
        .group_by(*(letters[name] for name in ALIKE), *apart)
    )
    with database.read() as connection:
        return [_candidate(row, letters=row.letters) for row in connection.execute(statement)]


def _candidate(row: Any, *, key: Key | None = None, letters: int = 1) -> Candidate:
    """By the places of `COLUMNS`, which is fast: there may be many."""
    return Candidate(row[0], row[1], row[2], row[3], row[4], row[5], key, letters)
