"""The archive read once more, by the connection as it is now: what of it is in the set, folded into a scratch database.

There the whole road is walked again; only what is on its way, was given up or was corrected stays out.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from handlers.connections import Connection
from handlers.events import WHOLE_BODY, Delivery, Event, element_of
from handlers.store import deliveries, events, standing
from handlers.store.reading import Held
from handlers.store.rowset import Transaction
from handlers.store.scratch import Scratch
from handlers.store.standing import Doubt
from worker.dispatch import Dispatcher
from worker.queue import Undecodable, decode
from worker.units import UNDECODABLE, Reader, Unit

LinedUp: TypeAlias = Callable[[int], Callable[[int], object]]
"""Told how many deliveries there are, it gives what is told how many were read since the last time."""
CHUNK = 1_000
"""Events folded in one transaction."""


class Archive(NamedTuple):
    """A connection's archive, and how it is read.

    Attributes:
        connection: as it is now.
        reader: reads by its source.
        now: by which clock skew is judged (design, section 3, rule 7): what had to wait for its time has done so.
    """

    connection: Connection
    reader: Reader
    now: datetime

    @property
    def fingerprint(self) -> str:
        """Of the map that reads it."""
        return self.reader.fingerprint(self.connection)


def recompute(
    held: Held,
    scratch: Scratch,
    archive: Archive,
    lined_up: LinedUp,
    *,
    as_recorded: bool,
) -> tuple[int, int]:
    """Folds a connection's archive into a scratch database, in the order in which it came.

    Args:
        held: the transaction in which it is read.
        scratch: empty.
        archive: whose, and how it is read.
        lined_up: for whoever watches.
        as_recorded: what could not be applied stays out though it can be read now, and an event keeps the fingerprint
            of the map that has read it: for comparing. Otherwise it is in the set.

    Returns:
        How many deliveries there are, and how many events could be applied now that stayed out.
    """
    tx = Transaction(held.connection)
    dispatcher = Dispatcher(scratch.database, archive.reader, clock=lambda: archive.now, dice=random.Random(0))  # noqa: S311  # jitter
    total = scratch.line_up(held, {archive.connection.id, archive.connection.endpoint or archive.connection.id})
    advance = lined_up(total)
    left = 0
    for ids in scratch.groups():
        doubts = standing.doubts(tx, ids)
        older = standing.maps_of(tx, ids) if as_recorded else {}
        archived = deliveries.load(tx, ids)
        wanted = (archived[each] for each in ids if doubts.get((each, WHOLE_BODY)) is not Doubt.OUT)
        for chunk in _chunks(_units(wanted, archive)):
            recorded = standing.maps(tx, [events.identity(unit.item) for unit in chunk if isinstance(unit.item, Event)])
            settled = []
            for unit in chunk:
                doubt = _doubt(unit, doubts)
                if _is_in(unit, doubt, recorded, as_recorded=as_recorded):
                    settled.append(_labelled(unit, recorded, older) if as_recorded else unit)
                elif doubt is Doubt.LETTER and isinstance(unit.item, Event):
                    left += 1
            dispatcher.apply([_light(unit) for unit in settled])
        advance(len(ids))
    return total, left


def _units(archived: Iterable[Delivery], archive: Archive) -> Iterator[Unit]:
    for kept in archived:
        delivery = _decoded(kept)
        if delivery is not None:
            read = archive.reader.read(replace(delivery, read_at=archive.now), archive.connection)
            yield from (replace(unit, delivery=kept) for unit in read)


def _decoded(kept: Delivery) -> Delivery | None:
    """The delivery that an archived one stands for: a message of the queue may have been kept in its place."""
    if kept.verdict != UNDECODABLE:
        return kept
    decoded = decode(kept.body, kept.connection_id)
    return None if isinstance(decoded, Undecodable) else decoded


def _chunks(units: Iterator[Unit]) -> Iterator[list[Unit]]:
    chunk: list[Unit] = []
    for unit in units:
        chunk.append(unit)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _doubt(unit: Unit, doubts: dict[tuple[str, int], Doubt]) -> Doubt | None:
    """Why a unit may not be in the set: for its own sake, its element's or its whole delivery's."""
    names = {(unit.delivery.delivery_id, index) for index in (unit.index, element_of(unit.index), WHOLE_BODY)}
    return max((doubts[name] for name in names if name in doubts), default=None)


def _is_in(unit: Unit, doubt: Doubt | None, recorded: dict[events.Identity, str], *, as_recorded: bool) -> bool:
    if doubt is None or (doubt is Doubt.LETTER and not as_recorded):
        return True
    if doubt is Doubt.OUT:
        return False
    return isinstance(unit.item, Event) and events.identity(unit.item) in recorded


def _labelled(unit: Unit, recorded: dict[events.Identity, str], older: dict[str, set[str]]) -> Unit:
    """A unit with the fingerprint of the map that has read it, or its delivery, before."""
    if not isinstance(unit.item, Event):
        return unit
    known = recorded.get(events.identity(unit.item))
    if known is None:
        known = next(iter(sorted(older.get(unit.delivery.delivery_id, set()) - {unit.map_fingerprint})), None)
    return unit if known is None else replace(unit, map_fingerprint=known)


def _light(unit: Unit) -> Unit:
    """An event without its delivery's bytes, which are archived; what is buried needs them, to say what it is."""
    return replace(unit, delivery=replace(unit.delivery, body=b"")) if isinstance(unit.item, Event) else unit
