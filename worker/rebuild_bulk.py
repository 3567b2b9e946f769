"""What of an archive is beyond doubt, folded in bulk: read by groups of deliveries, told apart by subject, folded.

Deliveries of which anything is in doubt, or cannot be read, are left over: they take the road that every delivery
takes (`worker.rereading.reread`), which knows what to do with them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple, Protocol

from handlers.errors import PermanentError
from handlers.events import Event
from handlers.store import bulk, deliveries
from handlers.store.bulk import Built
from handlers.store.events import Arrival
from handlers.store.memory import defaults
from handlers.store.reading import Readable
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, meters
from handlers.store.shadow import COPIED
from worker.rebuild_fold import Folded, Meters, apart, bare, fold, uncollected
from worker.rereading import Archive, LinedUp, units

SHARD_BYTES = 8 * 1024 * 1024
"""Bodies that are folded at once, about: some ten thousand events, which take a hundred megabytes meanwhile."""
MOST_SHARDS = 4_096
_TABLES = {table.name: table for table in COPIED}


class AmbiguousError(Exception):
    """Two subjects claim one event: which has it is decided by the order in which they came."""


class Sorted(NamedTuple):
    """A group of deliveries, read and told apart.

    Attributes:
        deliveries: how many.
        left_over: ids of those that are not in the chunks.
        chunks: the events of the others, by shard.
    """

    deliveries: int
    left_over: list[str]
    chunks: dict[int, bytes]


class Group(NamedTuple):
    """Deliveries to be read.

    Attributes:
        ids: theirs, in the order in which they came.
        doubtful: those of which anything is in doubt: they are left over.
    """

    ids: Sequence[str]
    doubtful: frozenset[str]


class Came(NamedTuple):
    """Deliveries to be folded.

    Attributes:
        total: how many.
        size: bytes of their bodies.
        groups: they, in the order in which they came.
    """

    total: int
    size: int
    groups: Iterable[Group]


class Hands(Protocol):
    """Who does the work; each yields what it came to in any order, with the number of the piece."""

    def sort(self, groups: Iterable[Group], shards: int) -> Iterator[tuple[int, Sorted]]:
        """Reads groups of deliveries and tells their events apart."""

    def fold(self, shards: Iterable[Sequence[bytes]], dialect: str) -> Iterator[tuple[int, Folded]]:
        """Folds shards, for a database of that dialect."""


class Alone(NamedTuple):
    """This process alone.

    Attributes:
        standing: where the archive is, and what stands.
        archive: how it is read.
    """

    standing: Readable
    archive: Archive

    def sort(self, groups: Iterable[Group], shards: int) -> Iterator[tuple[int, Sorted]]:
        """Reads groups of deliveries and tells their events apart."""
        for number, group in enumerate(groups):
            yield number, sort(self.standing, self.archive, group, shards)

    def fold(self, shards: Iterable[Sequence[bytes]], dialect: str) -> Iterator[tuple[int, Folded]]:
        """Folds shards, for a database of that dialect."""
        for number, chunks in enumerate(shards):
            with uncollected():
                yield number, fold(chunks, self.archive.now, dialect)


def sort(standing_in: Readable, archive: Archive, group: Group, shards: int) -> Sorted:
    """Reads a group of deliveries and tells their events apart."""
    with standing_in.read() as connection:
        archived = deliveries.load(Transaction(connection), (each for each in group.ids if each not in group.doubtful))
    left_over: list[str] = []
    arrivals: list[Arrival] = []
    for each in group.ids:
        held = list(units([archived[each]], archive)) if each in archived else None
        if held is None or not all(unit.item is None or isinstance(unit.item, Event) for unit in held):
            left_over.append(each)
            continue
        arrivals += (
            Arrival(unit.item, each, unit.delivery.received_at, unit.map_fingerprint)
            for unit in held
            if isinstance(unit.item, Event)
        )
    return Sorted(len(group.ids), left_over, apart(arrivals, shards))


def load(into: Built, came: Came, connection_id: str, hands: Hands, lined_up: LinedUp) -> list[str]:
    """Folds deliveries into empty tables, but for those that are left over.

    Args:
        into: where they are folded.
        came: which they are.
        connection_id: whose.
        hands: who does it.
        lined_up: for whoever watches.

    Returns:
        The ids of those that are left over, in the order in which they came.

    Raises:
        AmbiguousError: it must be begun again, one by one, with other tables.
    """
    try:
        return _load(into, came, connection_id, hands, lined_up)
    except PermanentError as error:  # the database refuses the second of two rows
        raise AmbiguousError from error


def _load(into: Built, came: Came, connection_id: str, hands: Hands, lined_up: LinedUp) -> list[str]:
    shards = min(MOST_SHARDS, came.size // SHARD_BYTES + 1)
    with TemporaryFile() as file:
        spill = _Spill(file, shards)
        left_over = _read(came.groups, hands, spill, lined_up(came.total))
        folded = lined_up(spill.bytes)
        named: set[str] = set()
        told = Meters(connection_id)
        for number, each in hands.fold(spill.shards(), into.dialect):
            with into.read() as session:
                for name, text in each.texts:
                    bulk.put(session, into.built(_TABLES[name]), text)
            named.update(each.named)
            told.add(each.meters)
            folded(spill.size(number))
    with into.read() as session:
        for text in bulk.texts(into.dialect, meters, told.rows(), defaults(meters)):
            bulk.put(session, into.built(meters), text)
    into.finish_loading()
    with into.read() as session:
        Transaction(session).insert_missing(assets, bare(connection_id, sorted(named)))
    return left_over


def _read(groups: Iterable[Group], hands: Hands, spill: "_Spill", advance: Callable[[int], object]) -> list[str]:
    left: dict[int, list[str]] = {}
    for number, found in hands.sort(groups, spill.count):
        left[number] = found.left_over
        for shard, chunk in found.chunks.items():
            spill.put(shard, number, chunk)
        advance(found.deliveries)
    return [each for _, ids in sorted(left.items()) for each in ids]


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
