"""Reading the archive back: what came, byte for byte, and all that became of it."""

import contextlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.events import WHOLE_BODY, Delivery, Json, Unmapped
from handlers.sources import inflated
from handlers.store import deliveries as archive
from handlers.store.engine import Database
from handlers.store.read_around import Around, around
from handlers.store.read_events import KeptEvent, events_of_delivery, events_of_id
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, deliveries, events, retries

INFLATED_LIMIT = 64 * 1024 * 1024
"""Greatest body that any setting lets in, in bytes after inflating; what is kept here was read once before."""
JSON_WHITE_SPACE = b" \t\n\r"
"""What may surround a JSON value (RFC 8259, 2) and is no part of an event's own bytes."""

Failure = dict[str, Any]
"""A dead letter or a retry row, by column; times as aware datetimes."""


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one delivery, or of some events of it.

    Attributes:
        delivery_id: ours.
        connection_id: which connection it was verified for.
        received_at: when it came (UTC).
        processed_at: when it was first worked on.
        verdict: of its signature.
        secret_position: which secret verified it, from 0.
        headers: those that were kept.
        body_bytes: how long it was.
        body_digest: SHA-256 of it.
        distrusted_at: when it was taken out of the set; what it told is in no state. None for most.
        distrusted_by: by which operator.
        purged_at: when its bytes went; what it told is kept. None for most.
        repeat_of: the delivery that brought the same bytes first; what became of them is told by that one.
        events: recorded from it, in its order; one that had come before, in whatever delivery, is not among them.
        dead_letters: what of it could not be applied.
        retries: what of it is due again.
        around: who acted on it, which replays sent its letters, which records its events touched.
    """

    delivery_id: str
    connection_id: str
    received_at: datetime
    processed_at: datetime
    verdict: str
    secret_position: int
    headers: dict[str, Json]
    body_bytes: int
    body_digest: str
    distrusted_at: datetime | None
    distrusted_by: str | None
    purged_at: datetime | None
    repeat_of: str | None
    events: Sequence[KeptEvent]
    dead_letters: Sequence[Failure]
    retries: Sequence[Failure]
    around: Around = Around()


def stories(database: Database, name: str, connection: str | None = None) -> Iterator[Story]:
    """What became of a delivery, or of every event of one id, in order of arrival; nothing where neither is kept.

    Args:
        database: to read from.
        name: a delivery's id, or an event's.
        connection: only of that one.
    """
    whole = _story(database, name, None)
    if whole is not None and connection in {None, whole.connection_id}:
        yield whole
        return
    named: dict[str, list[KeptEvent]] = {}
    for event in events_of_id(database, name, connection):
        named.setdefault(event.delivery_id, []).append(event)
    for delivery_id, held in named.items():
        story = _story(database, delivery_id, held)
        if story is not None:
            yield story


def delivery(database: Database, delivery_id: str) -> Delivery | None:
    """A delivery as it came, a repeat with the bytes of the first; None where it is not kept."""
    with database.read() as connection:
        return archive.load(Transaction(connection), [delivery_id]).get(delivery_id)


def _story(database: Database, delivery_id: str, only: Sequence[KeptEvent] | None) -> Story | None:
    """The story of a delivery, cut to some of its events if any are given."""
    row = _archived(database, delivery_id)
    if row is None:
        return None
    told_by = row.first if row.is_repeat and row.first is not None else row.delivery_id
    indexes = None if only is None else {WHOLE_BODY, *(event.event_index for event in only)}
    return Story(
        delivery_id=row.delivery_id,
        connection_id=row.connection_id,
        received_at=row.received_at,
        processed_at=row.processed_at,
        verdict=row.verdict,
        secret_position=row.secret_position,
        headers=row.headers,
        body_bytes=row.body_bytes,
        body_digest=row.body_digest,
        distrusted_at=row.distrusted_at,
        distrusted_by=row.distrusted_by,
        purged_at=row.purged_at,
        repeat_of=None if told_by == row.delivery_id else told_by,
        events=events_of_delivery(database, told_by) if only is None else only,
        dead_letters=_failures(database, dead_letters, told_by, indexes),
        retries=_failures(database, retries, told_by, indexes),
        around=around(database, row.delivery_id, row.received_at, told_by, indexes),
    )


def _archived(database: Database, delivery_id: str) -> sa.Row[Any] | None:
    """A delivery without its bytes, and which one has them."""
    first = deliveries.alias("first")
    with_bytes = (
        sa.select(first.c.delivery_id)
        .where(
            first.c.connection_id == deliveries.c.connection_id,
            first.c.body_digest == deliveries.c.body_digest,
            first.c.purged_at.is_(None),
            first.c.body.is_not(None),
            # Of bytes that are not trusted there, but are here, this one is the first.
            sa.or_(first.c.distrusted_at.is_(None), deliveries.c.distrusted_at.is_not(None)),
        )
        .limit(1)
        .scalar_subquery()
    )
    columns = [column for column in deliveries.c if column.name != "body"]
    statement: sa.Select[Any] = sa.select(
        *columns,
        sa.and_(deliveries.c.body.is_(None), deliveries.c.purged_at.is_(None)).label("is_repeat"),
        with_bytes.label("first"),
    ).where(deliveries.c.delivery_id == delivery_id)
    with database.read() as connection:
        return connection.execute(statement).one_or_none()


def _failures(database: Database, table: sa.Table, delivery_id: str, indexes: set[int] | None) -> list[Failure]:
    statement = sa.select(table).where(table.c.delivery_id == delivery_id).order_by(table.c.event_index)
    with database.read() as connection:
        found = connection.execute(statement).mappings().all()
    return [dict(row) for row in found if indexes is None or row["event_index"] in indexes]


def source_record(database: Database, connection: str, stamp: str) -> bytes | None:
    """The bytes of the event with that stamp, as they stood in its delivery; None where its delivery is not kept.

    Where a source does not send events as a JSON value each, that is the whole body.

    Args:
        database: to read from.
        connection: whose it is.
        stamp: its place in the order of facts (`handlers.rules.order.stamp`).
    """
    _, event_id, digest = stamp.split(".")
    wanted = sa.select(events.c.delivery_id, events.c.event_index).where(
        events.c.connection_id == connection,
        events.c.event_id == bytes.fromhex(event_id).decode(),
        events.c.digest == digest,
    )
    with database.read() as session:
        found = session.execute(wanted).one_or_none()
    brought = None if found is None else delivery(database, found.delivery_id)
    return None if found is None or brought is None else own_bytes(brought, found.event_index, digest)


def own_bytes(brought: Delivery, index: int, digest: str) -> bytes:
    """An event's bytes inside its delivery: those of the array's element, if it is one, else the whole body."""
    read = inflated(brought, INFLATED_LIMIT)
    body = brought.body if isinstance(read, Unmapped) else read.body
    with contextlib.suppress(msgspec.MsgspecError, IndexError, RecursionError):
        element = bytes(msgspec.json.decode(body, type=list[msgspec.Raw])[index])
        return element if archive.body_digest(element) == digest else body
    return body.strip(JSON_WHITE_SPACE)
