"""Events, recorded once: the table whose key decides whether something is new."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.events import Event, Outcome
from handlers.store.rowset import Transaction
from handlers.store.schema import events

Identity = tuple[str, str, str]
"""(connection, event id, digest)."""
IDENTITY = ("connection_id", "event_id", "digest")


class Arrival(NamedTuple):
    """An event with where it came from.

    Attributes:
        event: what happened.
        delivery_id: the delivery that brought it.
        received_at: when that came (UTC).
        map_fingerprint: of the map that read it.
    """

    event: Event
    delivery_id: str
    received_at: datetime
    map_fingerprint: str


def identity(event: Event) -> Identity:
    """What makes an event the same event."""
    return (event.connection_id, event.event_id, event.digest)


def record(tx: Transaction, arrivals: Sequence[Arrival], now: datetime) -> set[Identity]:
    """Records the events that are not known yet, with the outcome `applied` until told otherwise.

    An id that is known with other bytes is a second fact, flagged `event_id_reused`: an id that nobody signed must not
    be able to swallow a real event.

    Returns:
        The identities that are new; of an identity twice in the batch the earliest arrival stands.
    """
    batch: dict[Identity, Arrival] = {}
    for arrival in sorted(arrivals, key=lambda each: (identity(each.event), each.received_at, each.delivery_id)):
        batch.setdefault(identity(arrival.event), arrival)
    ids = sorted({each[:2] for each in batch})
    wanted = [dict(zip(IDENTITY, each, strict=False)) for each in ids]
    known = {
        (row.connection_id, row.event_id, row.digest): row.received_at
        for row in tx.select(events, wanted, (*IDENTITY, "received_at"))
    }
    digests: dict[tuple[str, str], int] = {}
    for each in {*known, *batch}:
        digests[each[:2]] = digests.get(each[:2], 0) + 1
    new = [arrival for each, arrival in batch.items() if each not in known]
    rows = [row_of(arrival, now, reused=digests[identity(arrival.event)[:2]] > 1) for arrival in new]
    inserted = tx.insert_missing(events, rows, returning=IDENTITY)
    _keep_least_arrival(tx, batch, known)
    return {(row.connection_id, row.event_id, row.digest) for row in inserted}


def set_outcomes(tx: Transaction, outcomes: Iterable[tuple[Event, Outcome]]) -> None:
    """Writes how events ended."""
    rows = [
        {**dict(zip(IDENTITY, identity(event), strict=True)), "outcome": outcome.value} for event, outcome in outcomes
    ]
    tx.update(events, rows, IDENTITY)


def row_of(arrival: Arrival, now: datetime, *, reused: bool) -> dict[str, Any]:
    """An event's row, with the outcome `applied`."""
    event = arrival.event
    return {
        "connection_id": event.connection_id,
        "event_id": event.event_id,
        "digest": event.digest,
        "delivery_id": arrival.delivery_id,
        "event_index": event.index,
        "type": event.type,
        "subject_kind": event.kind,
        "subject_key": event.key,
        "occurred_at": event.occurred_at,
        "version": event.version,
        "received_at": arrival.received_at,
        "processed_at": now,
        "outcome": Outcome.APPLIED.value,
        "event_id_reused": reused,
        "map": arrival.map_fingerprint,
    }


def _keep_least_arrival(tx: Transaction, batch: dict[Identity, Arrival], known: dict[Identity, datetime]) -> None:
    """`received_at` of an event is the least of its repeats, whichever was worked on first."""
    rows = [
        {**dict(zip(IDENTITY, each, strict=True)), "received_at": batch[each].received_at}
        for each, received_at in known.items()
        if each in batch and batch[each].received_at < received_at
    ]
    if rows:
        source = tx.rows(events, (*IDENTITY, "received_at"))
        statement = (
            sa.update(events)
            .values(received_at=source.c.received_at)
            .where(*(events.c[name] == source.c[name] for name in IDENTITY))
            .where(events.c.received_at > source.c.received_at)
        )
        tx.run(statement, rows)
