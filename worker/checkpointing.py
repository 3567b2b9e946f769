"""What old deliveries told, read once more and folded into the checkpoint (`handlers.store.checkpoint`).

A delivery goes in only if that is sure to be what a rebuild would have made of it: if it can be read in full by the map
of now, and everything in it is recorded.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from handlers.connections import Connection, Registry
from handlers.events import Event
from handlers.store import archive_retention, checkpoint, events, standing
from handlers.store.archive_retention import Old
from handlers.store.checkpoint import Kept
from handlers.store.engine import Database
from handlers.store.events import Arrival, Identity
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.standing import Doubt
from worker import applied
from worker.rereading import Archive, reread
from worker.units import Reader, Unit


class Read(NamedTuple):
    """An old delivery, read once more.

    Attributes:
        old: the delivery.
        arrivals: its events.
        doubts: what was in doubt of it when it was read.
        whose: the connections that read it: several, where they share its address.
    """

    old: Old
    arrivals: list[Arrival]
    doubts: dict[RowId, Doubt]
    whose: tuple[str, ...]


class Readers(NamedTuple):
    """Who reads old deliveries.

    Attributes:
        database: where they are.
        registry: whose can be read.
        reader: reads them.
    """

    database: Database
    registry: Registry
    reader: Reader

    def read(self, piece: Sequence[Old], now: datetime) -> list[Read]:
        """Those of a piece that can be read in full, in their order."""
        found: dict[str, Read] = {}
        for address in sorted({each.connection_id for each in piece}):
            mine = [each for each in piece if each.connection_id == address]
            held = _Held()
            doubts: dict[RowId, Doubt] = {}
            whose = self.whose(address)
            for connection in whose:
                ids = [each.delivery_id for each in mine]
                doubts = reread(self.database, held, Archive(connection, self.reader, now), ids).doubts
            for each in mine if whose else ():
                arrivals = held.arrivals(each)
                if arrivals is not None:
                    mine_of = _of(each.delivery_id, doubts)
                    found[each.delivery_id] = Read(each, arrivals, mine_of, tuple(one.id for one in whose))
        return [found[each.delivery_id] for each in piece if each.delivery_id in found]

    def whose(self, address: str) -> list[Connection]:
        """Whose deliveries come in there; nobody's, where it is registered no more."""
        alone = self.registry.get(address)
        return [alone] if alone else [each for each in self.registry.all().values() if each.endpoint == address]


def sure(tx: Transaction, some: Sequence[Read]) -> list[Read]:
    """Those of some deliveries that may go now, locked: nothing about them has changed, and each event is recorded.

    An event that several deliveries tell is the first one's, by when they came: another waits until that one has gone.
    """
    ids = archive_retention.hold(tx, [each.old.delivery_id for each in some])
    for address, whose in {(each.old.connection_id, each.whose) for each in some}:
        there = {each.old.delivery_id for each in some if each.old.connection_id == address}
        for one in whose:
            ids -= there - archive_retention.trusted(tx, one, address, there)
    doubts = standing.doubts(tx, ids)
    brought = archive_retention.brought(tx, ids)
    named = {_identity(arrival) for each in some for arrival in each.arrivals}
    recorded = archive_retention.told(tx, named)
    kept = set(archive_retention.told(Kept(tx.connection), named))
    found = []
    for each in some:
        told = {_identity(arrival) for arrival in each.arrivals}
        came = each.old.received_at
        is_first = all(one in kept or recorded.get(one, came) >= came for one in told)
        is_whole = told <= recorded.keys() and brought.get(each.old.delivery_id, set()) <= told
        is_same = each.old.delivery_id in ids and _of(each.old.delivery_id, doubts) == each.doubts
        if is_first and is_whole and is_same:
            found.append(each)
            kept |= told
    return found


def fold(kept: Kept, arrivals: Sequence[Arrival], now: datetime) -> None:
    """Folds events into the checkpoint, as a worker would into what stands.

    Args:
        kept: the transaction.
        arrivals: in the order in which their deliveries came.
        now: the clock.
    """
    applied.apply(kept, arrivals, checkpoint.record(kept, arrivals, now))


class _Held:
    """Takes what is read of deliveries, in the place of who would apply it."""

    def __init__(self) -> None:
        self._units: dict[str, list[Unit]] = {}

    def apply(self, units: Sequence[Unit]) -> None:
        """Holds them."""
        for unit in units:
            self._units.setdefault(unit.delivery.delivery_id, []).append(unit)

    def arrivals(self, old: Old) -> list[Arrival] | None:
        """The events of one delivery; None where something of it is none, and cannot be read."""
        items = [(unit.item, unit.map_fingerprint) for unit in self._units.get(old.delivery_id, [])]
        if not all(item is None or isinstance(item, Event) for item, _ in items):
            return None
        return [Arrival(item, old.delivery_id, old.received_at, by) for item, by in items if isinstance(item, Event)]


def _identity(arrival: Arrival) -> Identity:
    return events.identity(arrival.event)


def _of(delivery_id: str, doubts: Mapping[RowId, Doubt]) -> dict[RowId, Doubt]:
    return {row: doubt for row, doubt in doubts.items() if row[0] == delivery_id}
