"""What people may have to be told of, read from where it stands; each look costs milliseconds, however much is kept."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from handlers.store.dead_letters import IS_OPEN
from handlers.store.reading import Readable
from handlers.store.schema import dead_letters, events

NEWEST: Final = 100
"""Events looked at for when one last came: those that say they happened last are those that came last, save for
stragglers."""

MOST_CAUSES: Final = 1_000
"""Where letters are open for more reasons than that, one reason more is no news."""
MOST_COUNTED: Final = 10_000
"""Letters of one fingerprint; of more it is said that there are so many."""


class Cause(NamedTuple):
    """Open dead letters of one fingerprint.

    Attributes:
        fingerprint: of them.
        letters: how many, `MOST_COUNTED` at most.
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
    """Why letters are open, in the order of their fingerprints: a few steps along an index for each."""
    letters = dead_letters.c
    first = sa.select(sa.func.min(letters.fingerprint).label("fingerprint")).where(IS_OPEN)
    found = first.cte("found", recursive=True)
    # Grouped, every letter would be read: a million of them take a second.
    following = sa.select(sa.func.min(letters.fingerprint)).where(IS_OPEN, letters.fingerprint > found.c.fingerprint)
    found = found.union_all(sa.select(following.scalar_subquery()).where(found.c.fingerprint.is_not(None)))

    def of_it(value: sa.ColumnElement[Any]) -> sa.Select[Any]:
        return sa.select(value).where(IS_OPEN, letters.fingerprint == found.c.fingerprint).correlate(found)

    counted = of_it(sa.literal(1).label("one")).limit(MOST_COUNTED).subquery()
    statement = (
        sa.select(
            found.c.fingerprint,
            sa.select(sa.func.count()).select_from(counted).scalar_subquery(),
            of_it(sa.func.min(letters.buried_at)).scalar_subquery(),
            of_it(sa.func.max(letters.buried_at)).scalar_subquery(),
        )
        .where(found.c.fingerprint.is_not(None))
        .order_by(found.c.fingerprint)
        .limit(MOST_CAUSES)
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
