"""What of an archive is beyond doubt, folded in bulk: read by groups of deliveries, told apart by subject, folded.

Deliveries of which anything is in doubt, or cannot be read, are left over: they take the road that every delivery
takes (`worker.rereading.reread`), which knows what to do with them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple, Protocol

from handlers.events import Event
from handlers.store import deliveries, standing
from handlers.store.events import Arrival
from handlers.store.noted import Noted
from handlers.store.reading import Readable
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, meters
from handlers.store.shadow import COPIED, Shadow
from handlers.store.standing import Doubt
from worker.rebuild_fold import Folded, Meters, apart, bare, fold, texts_of, uncollected
from worker.rereading import Archive, LinedUp, units

SHARD_BYTES = 8 * 1024 * 1024
"""Bodies that are folded at once, about: some ten thousand events, which take a hundred megabytes meanwhile."""
MOST_SHARDS = 4_096
_TABLES = {table.name: table for table in COPIED}


class Sorted(NamedTuple):
    """A group of deliveries, read and told apart.

    Attributes:
        deliveries: how many.
        doubts: what was in doubt of them.
        left_over: ids of those that are not in the chunks.
        chunks: the events of the others, by shard.
    """

    deliveries: int
    doubts: dict[RowId, Doubt]
    left_over: list[str]
    chunks: dict[int, bytes]


class Bulk(NamedTuple):
    """What folding in bulk has left to do.

    Attributes:
        doubts: what was in doubt when it was read.
        left_over: ids of deliveries that are not folded yet, in the order in which they came.
    """

    doubts: dict[RowId, Doubt]
    left_over: list[str]


class Hands(Protocol):
    """Who does the work; each yields what it came to in any order, with the number of the piece."""

    def sort(self, groups: Iterable[Sequence[str]], shards: int) -> Iterator[tuple[int, Sorted]]:
        """Reads groups of deliveries and tells their events apart."""

    def fold(self, shards: Iterable[Sequence[bytes]]) -> Iterator[tuple[int, Folded]]:
        """Folds shards."""


class Alone(NamedTuple):
    """This process alone.

    Attributes:
        standing: where the archive is, and what stands.
        archive: how it is read.
        sorted_as_text: the database sorts instants as texts.
    """

    standing: Readable
    archive: Archive
    sorted_as_text: bool

    def sort(self, groups: Iterable[Sequence[str]], shards: int) -> Iterator[tuple[int, Sorted]]:
        """Reads groups of deliveries and tells their events apart."""
        for number, ids in enumerate(groups):
            yield number, sort(self.standing, self.archive, ids, shards)

    def fold(self, shards: Iterable[Sequence[bytes]]) -> Iterator[tuple[int, Folded]]:
        """Folds shards."""
        for number, chunks in enumerate(shards):
            with uncollected():
                yield number, fold(chunks, self.archive.now, sorted_as_text=self.sorted_as_text)


def sort(standing_in: Readable, archive: Archive, ids: Sequence[str], shards: int) -> Sorted:
    """Reads a group of deliveries, in the order in which they came, and tells their events apart."""
    with standing_in.read() as connection:
        tx = Transaction(connection)
        doubts = standing.doubts(tx, ids)
        archived = deliveries.load(tx, ids)
    doubtful = {delivery_id for delivery_id, _ in doubts}
    left_over: list[str] = []
    arrivals: list[Arrival] = []
    for each in ids:
        held = list(units([archived[each]], archive)) if each in archived and each not in doubtful else None
        if held is None or not all(unit.item is None or isinstance(unit.item, Event) for unit in held):
            left_over.append(each)
            continue
        arrivals += (
            Arrival(unit.item, each, unit.delivery.received_at, unit.map_fingerprint)
            for unit in held
            if isinstance(unit.item, Event)
        )
    return Sorted(len(ids), doubts, left_over, apart(arrivals, shards))


def load(shadow: Shadow, noted: Noted, archive: Archive, hands: Hands, lined_up: LinedUp) -> Bulk:
    """Folds the deliveries of the first turn into the empty tables.

    Args:
        shadow: where they are folded.
        noted: which they are.
        archive: whose, and how it is read.
        hands: who does it.
        lined_up: for whoever watches.

    Raises:
        PermanentError: of code `refused_by_database`: two subjects claim one event; nothing but the shadow has changed.
    """
    connection_id = archive.connection.id
    shards = min(MOST_SHARDS, noted.size() // SHARD_BYTES + 1)
    with shadow.read() as session:
        total = noted.total(session)
    with TemporaryFile() as file:
        spill = _Spill(file, shards)
        bulk = _read(noted, hands, spill, lined_up(total))
        folded = lined_up(spill.bytes)
        named: set[str] = set()
        told = Meters(connection_id)
        for number, each in hands.fold(spill.shards()):
            with shadow.read() as session:
                tx = Transaction(session)
                for name, text in each.texts:
                    tx.insert_encoded(_TABLES[name], list(_TABLES[name].c.keys()), text)
            named.update(each.named)
            told.add(each.meters)
            folded(spill.size(number))
    with shadow.read() as session:
        tx = Transaction(session)
        for text in texts_of(told.rows()):
            tx.insert_encoded(meters, list(meters.c.keys()), text)
    shadow.finish_loading()
    with shadow.read() as session:
        Transaction(session).insert_missing(assets, bare(connection_id, sorted(named)))
    return bulk


def _read(noted: Noted, hands: Hands, spill: "_Spill", advance: Callable[[int], object]) -> Bulk:
    doubts: dict[RowId, Doubt] = {}
    left: dict[int, list[str]] = {}
    for number, found in hands.sort(noted.groups(0), spill.count):
        doubts |= found.doubts
        left[number] = found.left_over
        for shard, chunk in found.chunks.items():
            spill.put(shard, number, chunk)
        advance(found.deliveries)
    return Bulk(doubts, [each for _, ids in sorted(left.items()) for each in ids])


class _Spill:
    """Chunks of shards in a file without a name, which is gone with its process."""

    def __init__(self, file: BinaryIO, count: int) -> None:
        self._file = file
        self._places: dict[int, list[tuple[int, int, int]]] = {shard: [] for shard in range(count)}
        self.count = count
        self.bytes = 0

    def put(self, shard: int, number: int, chunk: bytes) -> None:
        """Keeps a chunk; those of a shard come back by number."""
        self._places[shard].append((number, self.bytes, len(chunk)))
        self.bytes += self._file.write(chunk)

    def size(self, shard: int) -> int:
        """Bytes of a shard."""
        return sum(length for _, _, length in self._places[shard])

    def shards(self) -> Iterator[list[bytes]]:
        """Every shard's chunks."""
        for shard in range(self.count):
            chunks = []
            for _, start, length in sorted(self._places[shard]):
                self._file.seek(start)
                chunks.append(self._file.read(length))
            yield chunks
