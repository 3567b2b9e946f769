"""What a payload would become: read by its connection's map and applied, in a database that vanishes."""

import random
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from handlers import sources
from handlers.connections import Connection, Endpoint, Registry
from handlers.events import Delivery, Event, Json, Unmapped
from handlers.model.reading import member
from handlers.store.engine import Database
from handlers.store.read_deliveries import stories
from handlers.store.scratch import Scratch
from worker.dispatch import Dispatcher
from worker.units import PutOff, Reader, Unit

NAME = "tried"
"""Id of the delivery that is tried; nobody else sees it."""
REPEATED = "duplicate"
"""Outcome of an event that stands in the payload twice; it is counted, and not stored."""
FAILED = "failed"
"""Code of an event that stopped its transaction, and would be tried again."""
PAUSED = "paused"
"""Code of an event that waits until its connection is resumed."""


class Map(NamedTuple):
    """What reads a connection's payloads.

    Attributes:
        connection: whose.
        source: its source's name.
        map_from: where the source's map comes from.
        fingerprint: of the map and what the connection adds to it, as each event would record it.
    """

    connection: str
    source: str
    map_from: str
    fingerprint: str


class TriedEvent(NamedTuple):
    """One event of the payload.

    Attributes:
        event: as it was read.
        outcome: how it ended in a database that knew nothing before.
        unmapped: by path, what the map has no field for.
    """

    event: Event
    outcome: str
    unmapped: Mapping[str, Json]


class TriedLetter(NamedTuple):
    """What of the payload would not be applied.

    Attributes:
        event: its place in the payload; -1 for all of it.
        code: of its error.
        path: where in the payload; None for the whole.
        found: the type of what stood there.
        expected: what should have stood there.
        message: all of that in one line.
    """

    event: int
    code: str
    path: str | None
    found: str | None
    expected: str | None
    message: str


class Tried(NamedTuple):
    """All that a payload would become.

    Attributes:
        maps: that read it; more than one only where connections share an address.
        events: in order.
        letters: likewise.
    """

    maps: list[Map]
    events: list[TriedEvent]
    letters: list[TriedLetter]


def try_out(
    scratch: Scratch, registry: Registry, of: Connection | Endpoint, delivery: Delivery, *, max_body_bytes: int
) -> Tried:
    """Reads a payload and applies it to an empty database; a paused or revoked connection's as if it were neither.

    Args:
        scratch: where it is applied; its records are there to be read then.
        registry: whose connections there are.
        of: whose payload it is, or where it came in.
        delivery: the payload, addressed to that connection or endpoint.
        max_body_bytes: greatest size of a body once it is inflated.
    """
    reader = Reader(registry, sources.load(), max_body_bytes=max_body_bytes)
    now = delivery.received_at
    units = list(reader.units(delivery, now) if isinstance(of, Endpoint) else reader.read(delivery, of))
    dice = random.Random(0)  # noqa: S311  # jitter of retries that nobody makes
    Dispatcher(scratch.database, reader, clock=lambda: now, dice=dice).apply(units)
    members = {unit.connection_id for unit in units} if isinstance(of, Endpoint) else {of.id}
    maps = [_map(each, reader) for name in sorted(members) if (each := registry.get(name)) is not None]
    return Tried(maps, list(_events(scratch.database, units)), list(_letters(scratch.database, units)))


def unmapped(event: Event) -> dict[str, Json]:
    """By path, the payload's own members that the map has no field for, those inside lists too."""
    found: dict[str, Json] = {name: value for name, value in event.custom_fields.items() if value is not None}
    for name, value in event.fields.items():
        for index, each in enumerate(value if isinstance(value, list) else ()):
            inside = each.get("custom_fields") if isinstance(each, dict) else None
            for own, kept in inside.items() if isinstance(inside, dict) else ():
                found[member(f"{name}[{index}]", own)] = kept
    return found


def _map(connection: Connection, reader: Reader) -> Map:
    source = sources.load()[connection.source]
    return Map(connection.id, source.name, source.map_from, reader.fingerprint(connection))


def _events(database: Database, units: list[Unit]) -> Iterator[TriedEvent]:
    outcomes = {event.event_index: event.outcome for story in stories(database, NAME) for event in story.events}
    again = {row["event_index"] for story in stories(database, NAME) for row in story.retries}
    for unit in units:
        if isinstance(unit.item, Event) and unit.index not in again:
            yield TriedEvent(unit.item, outcomes.get(unit.index, REPEATED), unmapped(unit.item))


def _letters(database: Database, units: list[Unit]) -> Iterator[TriedLetter]:
    for unit in units:
        if isinstance(unit.item, Unmapped):
            error = unit.item.error
            yield TriedLetter(unit.index, error.code, error.path, error.found, error.expected, str(error))
        elif isinstance(unit.item, PutOff) and unit.item.error is None:
            yield TriedLetter(unit.index, PAUSED, None, None, None, f"{unit.connection_id} is paused; it is kept")
    for story in stories(database, NAME):
        for row in story.retries:
            last = row["attempts"][-1] if row["attempts"] else None
            if last is not None:
                yield TriedLetter(row["event_index"], FAILED, None, None, None, f"{last['code']}: {last['message']}")
