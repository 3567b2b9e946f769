"""Reading events back: the newest first, or those of one id."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.store.engine import Database
from handlers.store.reading import WHOLE, Part, of_connection, walk
from handlers.store.schema import events

ARRIVAL = (events.c.delivery_id, events.c.event_index)
"""The order in which events came: the ids of deliveries sort in order of acceptance, and an index has them so."""


class KeptEvent(msgspec.Struct, frozen=True):
    """An event as it was recorded, its members named as the columns that others may read (contract, section 6)."""

    connection_id: str
    event_id: str
    digest: str
    delivery_id: str
    event_index: int
    type: str
    subject_kind: str
    subject_key: str
    occurred_at: datetime
    version: int | None
    received_at: datetime
    processed_at: datetime
    outcome: str
    event_id_reused: bool


class Wanted(NamedTuple):
    """Which events are wanted; None asks for all.

    Attributes:
        connection: of one connection.
        type: of one type.
        outcome: that ended so.
        subject_kind: about a record of that kind.
        subject_key: about a record of that key.
        since: that came from then on (UTC).
        until: that came before.
    """

    connection: str | None = None
    type: str | None = None
    outcome: str | None = None
    subject_kind: str | None = None
    subject_key: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def listed_events(database: Database, wanted: Wanted, part: Part = WHOLE) -> Iterator[KeptEvent]:
    """The events that are wanted, those that came last first."""
    statement = _selected()
    for column, value in (
        (events.c.type, wanted.type),
        (events.c.outcome, wanted.outcome),
        (events.c.subject_kind, wanted.subject_kind),
        (events.c.subject_key, wanted.subject_key),
    ):
        statement = statement if value is None else statement.where(column == value)
    if wanted.since is not None:
        statement = statement.where(events.c.received_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(events.c.received_at < wanted.until)
    if wanted.subject_kind is not None and wanted.subject_key is not None:
        # Few rows, found by an index and sorted.
        statement = statement.where(of_connection(database, events.c.connection_id, wanted.connection))
    elif wanted.connection is not None:
        # Kept from the indexes that begin with it: they would have every page sort all of the connection's events.
        statement = statement.where(sa.func.coalesce(events.c.connection_id, "") == wanted.connection)
    return map(_event, walk(database, statement, ARRIVAL, newest_first=True, part=part))


def events_of_id(database: Database, event_id: str, connection: str | None = None) -> list[KeptEvent]:
    """The events of one id: several where connections share it, or where it came again with other bytes."""
    statement = _selected().where(
        of_connection(database, events.c.connection_id, connection), events.c.event_id == event_id
    )
    return list(map(_event, walk(database, statement, ARRIVAL)))


def events_of_delivery(database: Database, delivery_id: str) -> list[KeptEvent]:
    """The events that one delivery brought first, in its order."""
    return list(map(_event, walk(database, _selected().where(events.c.delivery_id == delivery_id), ARRIVAL)))


def _selected() -> sa.Select[Any]:
    return sa.select(*(events.c[name] for name in KeptEvent.__struct_fields__))


def _event(row: sa.Row[Any]) -> KeptEvent:
    members: tuple[Any, ...] = tuple(row)  # selected in their order
    return KeptEvent(*members)
