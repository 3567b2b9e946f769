"""Reading dead letters: those that are wanted, or one with all that is known of it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.events import WHOLE_BODY, Json
from handlers.store.dead_letters import IS_OPEN, OPEN, REPLAYED, SUPERSEDED
from handlers.store.engine import Database
from handlers.store.read_deliveries import delivery, own_bytes
from handlers.store.reading import WHOLE, Part, walk
from handlers.store.schema import dead_letters, events, retries

Key = tuple[str, int]
"""A letter: delivery id and event index."""
ORDER = (dead_letters.c.delivery_id, dead_letters.c.event_index)
FINGERPRINT = 16
"""Characters of a whole one; fewer begin several."""
EVERY = ("connection_id", "type", "code", "state", "fingerprint")
"""Columns of which an index would have every page of a long list sort all that are wanted."""
FEW = 500
"""Letters that are sorted at once."""
BODY = "body"
"""What stands for the index in the name of a letter that is a whole body."""


class KeptLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter as it is kept; its members are its columns, `class` being `error_class`."""

    delivery_id: str
    event_index: int
    connection_id: str
    digest: str
    code: str
    error_class: str
    message: str
    path: str | None
    found: str | None
    expected: str | None
    traceback: str | None
    fingerprint: str
    attempts: list[dict[str, Any]]
    state: str
    first_seen_at: datetime
    buried_at: datetime
    type: str | None
    retry_at: datetime | None
    replay_id: str | None
    edited_into: str | None
    waits_for: str | None

    @property
    def key(self) -> Key:
        """Which letter it is."""
        return self.delivery_id, self.event_index

    @property
    def name(self) -> str:
        """The same as commands print and take it: `DELIVERY/3`, or `DELIVERY/body`."""
        return name_of(self.key)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which letters are wanted; None asks for all.

    Attributes:
        connection: of one connection.
        type: of events that say they are of that type.
        code: of one error.
        fingerprint: of one cause, or of those that begin so.
        since: that became open from then on (UTC).
        until: that became open before.
        keys: these ones; index None stands for all of the delivery.
        state: in that state.
    """

    connection: str | None = None
    type: str | None = None
    code: str | None = None
    fingerprint: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    keys: tuple[tuple[str, int | None], ...] | None = None
    state: str | None = OPEN


class Fate(NamedTuple):
    """What a letter has come to.

    Attributes:
        events: events that its delivery brought and the letter kept out at first, or that were the same bytes.
        due_at: when it is tried again, while it is on its way.
        edited_from: the letter whose corrected copy its delivery is.
    """

    events: Sequence[dict[str, Json]]
    due_at: datetime | None
    edited_from: Key | None


def name_of(key: Key) -> str:
    """A letter's name for people."""
    return f"{key[0]}/{BODY if key[1] == WHOLE_BODY else key[1]}"


def listed(database: Database, wanted: Wanted, part: Part = WHOLE) -> Iterator[KeptLetter]:
    """The letters that are wanted, in order of their delivery's arrival."""
    columns = ["class" if name == "error_class" else name for name in KeptLetter.__struct_fields__]
    for row in chosen(database, wanted, columns, part):
        yield KeptLetter(**dict(zip(KeptLetter.__struct_fields__, row, strict=True)))


def chosen(database: Database, wanted: Wanted, columns: Sequence[str], part: Part = WHOLE) -> Iterator[sa.Row[Any]]:
    """Some columns of the letters that are wanted, in order of their delivery's arrival.

    Those that are named, and open ones of which there are but a few, are found by an index; others are searched for.

    Args:
        database: to read from.
        wanted: which.
        columns: by name, those of the order among them.
        part: which part of them.
    """
    letters: Any = dead_letters.c
    if wanted.keys is not None:
        wanted_rows = sa.select(*(letters[name] for name in columns)).where(*conditions(wanted))
        return walk(database, wanted_rows, ORDER, part=part._replace(search=None))
    if _has_few(database, wanted):
        # Some may just have come.
        few = sa.select(*(letters[name] for name in columns)).where(*conditions(wanted)).limit(2 * FEW).subquery()
        order = (few.c.delivery_id, few.c.event_index)
        return walk(database, sa.select(few), order, part=part._replace(search=None))
    every = sa.select(*(letters[name] for name in columns)).where(*conditions(wanted, EVERY))
    return walk(database, every, ORDER, part=part)


def payload(database: Database, letter: KeptLetter) -> bytes | None:
    """The bytes that could not be read: the event's own, or the whole body; None where the delivery is not kept."""
    brought = delivery(database, letter.delivery_id)
    return None if brought is None else own_bytes(brought, letter.event_index, letter.digest)


def fate(database: Database, letter: KeptLetter) -> Fate:
    """What a letter has come to so far."""
    same = sa.and_(events.c.connection_id == letter.connection_id, events.c.digest == letter.digest)
    brought = events.c.delivery_id == letter.delivery_id
    if letter.event_index != WHOLE_BODY:
        brought = sa.and_(brought, events.c.event_index == letter.event_index)
    if letter.edited_into is not None:
        brought = sa.or_(brought, events.c.delivery_id == letter.edited_into)
    columns = ("event_id", "type", "outcome", "delivery_id", "event_index")
    ended = sa.select(*(events.c[name] for name in columns)).where(brought).order_by(*columns[-2:])
    due = sa.select(sa.func.min(retries.c.due_at)).where(
        retries.c.delivery_id == (letter.edited_into or letter.delivery_id),
        sa.true() if letter.edited_into else retries.c.event_index.in_([letter.event_index, WHOLE_BODY]),
    )
    source = sa.select(*ORDER).where(dead_letters.c.edited_into == letter.delivery_id)
    with database.read() as connection:
        found = [dict(row) for row in connection.execute(ended).mappings()]
        if not found and letter.state in {REPLAYED, SUPERSEDED}:
            # The same bytes may have been applied out of another delivery.
            again = sa.select(*(events.c[name] for name in columns)).where(same)
            found = [dict(row) for row in connection.execute(again).mappings()]
        due_at = connection.execute(due).scalar()
        original = connection.execute(source).first()
    return Fate(found, due_at, None if original is None else (original.delivery_id, original.event_index))


def conditions(wanted: Wanted, unindexed: Collection[str] = ()) -> list[sa.ColumnElement[bool]]:
    """What letters must be like to be wanted.

    Args:
        wanted: which.
        unindexed: columns that are kept from the indexes which have them.
    """
    letters = dead_letters.c
    begins_so = wanted.fingerprint is not None and len(wanted.fingerprint) < FINGERPRINT
    named = {
        "connection_id": wanted.connection,
        "type": wanted.type,
        "code": wanted.code,
        "state": wanted.state,
        "fingerprint": None if begins_so else wanted.fingerprint,
    }
    found = []
    for name, value in named.items():
        if name == "state" and value == OPEN and name not in unindexed:
            found.append(IS_OPEN)
        elif value is not None:
            found.append((sa.func.coalesce(letters[name], "") if name in unindexed else letters[name]) == value)
    if begins_so:
        found.append(letters.fingerprint.startswith(wanted.fingerprint, autoescape=True))
    if wanted.since is not None:
        found.append(letters.buried_at >= wanted.since)
    if wanted.until is not None:
        found.append(letters.buried_at < wanted.until)
    if wanted.keys is not None:
        found.append(sa.or_(sa.false(), *(_is(*key) for key in wanted.keys)))
    return found


def _has_few(database: Database, wanted: Wanted) -> bool:
    """Whether so few letters are wanted that they are sorted at once; of open ones an index tells."""
    if wanted.state != OPEN:
        return False
    some = sa.select(sa.literal(1)).where(*conditions(wanted)).limit(FEW + 1).subquery()
    with database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()) <= FEW


def _is(delivery_id: str, index: int | None) -> sa.ColumnElement[bool]:
    of_delivery = dead_letters.c.delivery_id == delivery_id
    return of_delivery if index is None else sa.and_(of_delivery, dead_letters.c.event_index == index)
