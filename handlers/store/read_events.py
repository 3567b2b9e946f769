"""Reading events back: the newest first, or those of one id."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.store import canaries
from handlers.store.arrival import id_at
from handlers.store.engine import Database
from handlers.store.read_subjects import about
from handlers.store.reading import WHOLE, Part, of_connection, walk
from handlers.store.schema import events

SECOND = timedelta(seconds=1)
FEW = 5_000
"""Events that are sorted at once."""
PUT_BACK = timedelta(hours=1)
"""How far the clock of a receiver may be put back while it runs."""
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
        canaries: those too that are our own; where a connection, a type or a record is named they are asked for anyway.
    """

    connection: str | None = None
    type: str | None = None
    outcome: str | None = None
    subject_kind: str | None = None
    subject_key: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    canaries: bool = True

    @property
    def leaves_canaries_out(self) -> bool:
        """Whether canaries are none of what is wanted: one a minute, they are most of what a quiet plant has."""
        return not self.canaries and (self.connection, self.type, self.subject_key) == (None, None, None)


def listed_events(database: Database, wanted: Wanted, part: Part = WHOLE) -> Iterator[KeptEvent]:
    """The events that are wanted, those that came last first.

    Those about one record, and those of a connection that has sent but a few, are found by an index; what else is
    wanted is searched for.
    """
    column: Any = events.c  # or those of a subquery
    order: Sequence[sa.ColumnElement[Any]] = ARRIVAL
    is_found = False
    if wanted.subject_key is not None:
        statement = _selected().where(about(database, wanted.subject_kind, wanted.subject_key, wanted.connection))
        is_found = True
    elif wanted.connection is not None and _has_few(database, wanted.connection):
        few = (
            _selected().where(column.connection_id == wanted.connection).limit(2 * FEW).subquery()
        )  # some may just have come
        statement, is_found = sa.select(few), True
        column, order = few.c, (few.c.delivery_id, few.c.event_index)
    elif wanted.connection is not None:
        # Kept from the indexes that begin with it: they would have every page sort all of the connection's events.
        statement = _selected().where(sa.func.coalesce(column.connection_id, "") == wanted.connection)
    else:
        statement = _selected()
    for each, value in (
        (column.type, wanted.type),
        (column.outcome, wanted.outcome),
        (column.subject_kind, wanted.subject_kind),
    ):
        statement = statement if value is None else statement.where(each == value)
    if wanted.leaves_canaries_out:
        statement = statement.where(column.type != canaries.TYPE)
    if wanted.since is not None:
        statement = statement.where(column.received_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(column.received_at < wanted.until)
    if is_found:
        return map(_event, walk(database, statement, order, newest_first=True, part=part._replace(search=None)))
    begin = None if wanted.until is None else events.c.delivery_id < id_at(wanted.until, PUT_BACK)
    within = None if wanted.since is None else events.c.delivery_id >= id_at(wanted.since, -SECOND)
    return map(_event, walk(database, statement, order, start=begin, within=within, newest_first=True, part=part))


def arrived_at(database: Database, place: Sequence[Any]) -> datetime | None:
    """When the event at a place of the list came (UTC); None where it is gone."""
    delivery_id, index = place
    wanted = sa.select(events.c.received_at).where(events.c.delivery_id == delivery_id, events.c.event_index == index)
    with database.read() as connection:
        return connection.execute(wanted).scalar()


def _has_few(database: Database, connection: str) -> bool:
    """Whether a connection has so few events that they are sorted at once."""
    some = sa.select(sa.literal(1)).where(events.c.connection_id == connection).limit(FEW + 1).subquery()
    with database.read() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()) <= FEW


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
