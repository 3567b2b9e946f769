"""What people may have to be told of, read from where it stands; each look costs milliseconds, however much is kept."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa

from handlers.store.dead_letters import IS_OPEN
from handlers.store.reading import Readable
from handlers.store.schema import dead_letters, events

NEWEST: Final = 100
"""Events looked at for when one last came: those that say they happened last are those that came last, save for
stragglers."""


class Cause(NamedTuple):
    """Open dead letters of one fingerprint.

    Attributes:
        fingerprint: of them.
        letters: how many.
        since: when the first of them became open.
        last_buried_at: when the last did.
    """

    fingerprint: str
    letters: int
    since: datetime
    last_buried_at: datetime


class Named(NamedTuple):
    """What a cause is called.

    Attributes:
        code: the error's.
        connections: whose letters they are.
    """

    code: str
    connections: tuple[str, ...]


def causes(database: Readable) -> list[Cause]:
    """Why letters are open: read from an index alone."""
    letters = dead_letters.c
    statement = (
        sa.select(letters.fingerprint, sa.func.count(), sa.func.min(letters.buried_at), sa.func.max(letters.buried_at))
        .where(IS_OPEN)
        .group_by(letters.fingerprint)
    )
    with database.read() as connection:
        return [Cause(*row) for row in connection.execute(statement)]


def named(database: Readable, fingerprints: Collection[str]) -> Mapping[str, Named]:
    """What causes are called: asked once for each that is new."""
    letters = dead_letters.c
    statement = (
        sa.select(letters.fingerprint, letters.code, letters.connection_id)
        .where(IS_OPEN, letters.fingerprint.in_(sorted(fingerprints)))
        .distinct()
    )
    codes: dict[str, str] = {}
    owners: defaultdict[str, set[str]] = defaultdict(set)
    if fingerprints:
        with database.read() as connection:
            for fingerprint, code, owner in connection.execute(statement):
                codes[fingerprint] = code
                owners[fingerprint].add(owner)
    return {each: Named(code, tuple(sorted(owners[each]))) for each, code in codes.items()}


def last_received(database: Readable, connections: Iterable[str]) -> dict[str, datetime]:
    """When something last came from connections, by id: an event, or what became a dead letter and still is.

    One that nothing ever came from is left out.
    """
    found: dict[str, datetime] = {}
    with database.read() as session:
        for each in connections:
            newest = (
                sa.select(events.c.received_at)
                .where(events.c.connection_id == each)
                .order_by(events.c.occurred_at.desc())
                .limit(NEWEST)
                .subquery()
            )
            buried = sa.select(sa.func.max(dead_letters.c.first_seen_at)).where(
                dead_letters.c.connection_id == each, IS_OPEN
            )
            asked = (sa.select(sa.func.max(newest.c.received_at)), buried)
            came = [at for statement in asked if (at := session.execute(statement).scalar()) is not None]
            if came:
                found[each] = max(came)
    return found
