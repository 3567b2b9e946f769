"""What became of what was accepted: the tables' side of the balance."""

from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from handlers.store.dead_letters import OPEN
from handlers.store.engine import Database
from handlers.store.schema import dead_letters, deliveries, events

DEAD_LETTER = "dead_letter"
"""Beside the outcomes of `handlers.events.Outcome`: the fate of what could not be applied."""

Fates = dict[tuple[str, str], str]
"""By connection and SHA-256 of an event's own bytes: how it ended."""


class Count(NamedTuple):
    """So many events of a connection ended so.

    Attributes:
        connection: its id.
        fate: `applied`, `stale`, `ignored` or `dead_letter`.
        events: how many, each once.
    """

    connection: str
    fate: str
    events: int


def counts(database: Database) -> list[Count]:
    """How many events ended how, as of now.

    Raises:
        TransientError: the database is away.
    """
    ended = sa.select(events.c.connection_id, events.c.outcome, sa.func.count()).group_by(
        events.c.connection_id, events.c.outcome
    )
    buried = (
        sa.select(dead_letters.c.connection_id, sa.func.count())
        .where(dead_letters.c.state == OPEN)
        .group_by(dead_letters.c.connection_id)
    )
    with database.read() as connection:
        found = [Count(*row) for row in connection.execute(ended)]
        return found + [Count(each, DEAD_LETTER, number) for each, number in connection.execute(buried)]


def fates(database: Database) -> Fates:
    """How each event ended that the tables know; an open dead letter is an end too.

    Raises:
        TransientError: the database is away.
    """
    buried = sa.select(dead_letters.c.connection_id, dead_letters.c.digest).where(dead_letters.c.state == OPEN)
    ended = sa.select(events.c.connection_id, events.c.digest, events.c.outcome)
    with database.read() as connection:
        found: Fates = {(row.connection_id, row.digest): DEAD_LETTER for row in connection.execute(buried)}
        found |= {(row.connection_id, row.digest): row.outcome for row in connection.execute(ended)}
    return found


def archived(database: Database) -> Iterator[str]:
    """The id of every delivery in the archive.

    Raises:
        TransientError: the database is away.
    """
    with database.read() as connection:
        for (delivery_id,) in connection.execute(sa.select(deliveries.c.delivery_id)):
            yield delivery_id
