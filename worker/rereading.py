"""The archive read once more, by the connection as it is now: what of it is in the set, folded into a scratch database.

There the whole road is walked again; only what is on its way, was given up or was corrected stays out.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol, TypeAlias

from msgspec.structs import replace

from handlers.connections import Connection
from handlers.events import WHOLE_BODY, Delivery, Event, element_of
from handlers.store import deliveries, events, standing
from handlers.store.engine import Database
from handlers.store.reading import Readable
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.standing import Doubt
from worker.dispatch import Dispatcher
from worker.queue import Undecodable, decode
from worker.units import UNDECODABLE, Reader, Unit

LinedUp: TypeAlias = Callable[[int], Callable[[int], object]]
"""Told how many there are, of deliveries or of whatever is done next, it gives what is told how many are done since the
last time; what was given before is not told any more."""
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


def folding_into(database: Database, archive: Archive) -> Dispatcher:
    """Who applies to a database what is read anew."""
    dice = random.Random(0)  # noqa: S311  # jitter
    return Dispatcher(database, archive.reader, clock=lambda: archive.now, dice=dice)


def addresses(connection: Connection) -> list[str]:
    """Where a connection's deliveries come in: its own address, and one that it shares with others."""
    return sorted({connection.id, connection.endpoint or connection.id})


class Applies(Protocol):
    """Who applies what is read anew."""

    def apply(self, units: Sequence[Unit]) -> None:
        """Commits units, or does with them what it will."""


class Reread(NamedTuple):
    """What a group of deliveries came to.

    Attributes:
        doubts: what was in doubt of them.
        left: how many events could be applied now that stayed out.
        is_whole: the bytes of every delivery were there; none was purged since it was noted.
    """

    doubts: dict[RowId, Doubt]
    left: int
    is_whole: bool = True


def reread(
    standing_in: Readable, dispatcher: Applies, archive: Archive, ids: Sequence[str], *, as_recorded: bool = False
) -> Reread:
    """Reads a group of deliveries once more, and has what of them is in the set applied.

    Args:
        standing_in: where the archive is, and what stands.
        dispatcher: applies it elsewhere.
        archive: how it is read.
        ids: of the deliveries, in the order in which they came.
        as_recorded: what could not be applied stays out though it can be read now, and an event keeps the fingerprint
            of the map that has read it: for comparing. Otherwise it is in the set.
    """
    with standing_in.read() as connection:
        tx = Transaction(connection)
        doubts = standing.doubts(tx, ids)
        older = standing.maps_of(tx, ids) if as_recorded else {}
        archived = deliveries.load(tx, ids)
    left = 0
    there = (archived[each] for each in ids if each in archived)
    wanted = (each for each in there if doubts.get((each.delivery_id, WHOLE_BODY)) is not Doubt.OUT)
    for chunk in _chunks(units(wanted, archive)):
        with standing_in.read() as connection:
            events_told = [events.identity(unit.item) for unit in chunk if isinstance(unit.item, Event)]
            recorded = standing.maps(Transaction(connection), events_told)
        settled = []
        for unit in chunk:
            doubt = _doubt(unit, doubts)
            if _is_in(unit, doubt, recorded, as_recorded=as_recorded):
                settled.append(_labelled(unit, recorded, older) if as_recorded else unit)
            elif doubt is Doubt.LETTER and isinstance(unit.item, Event):
                left += 1
        dispatcher.apply([_light(unit) for unit in settled])
    return Reread(doubts, left, is_whole=len(archived) == len(ids))


def units(archived: Iterable[Delivery], archive: Archive) -> Iterator[Unit]:
    """What deliveries hold, as their connection's map reads them now."""
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
