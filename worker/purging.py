"""How long the bytes of the archive are kept: for ever, unless `ARCHIVE_RETENTION` says otherwise.

What an old delivery told is folded into the checkpoint, and its bytes go, in one transaction: a crash anywhere leaves
both or neither. What cannot go stays, and is looked at again a day later.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache

import structlog

from handlers.errors import TransientError
from handlers.events import Json
from handlers.rules.durations import read_duration
from handlers.rules.times import kept_instant
from handlers.settings import PREFIX
from handlers.store import archive_retention
from handlers.store.archive_retention import Old, Place
from handlers.store.audit import append
from handlers.store.checkpoint import Kept
from handlers.store.rowset import Transaction
from handlers.store.scratch import GROUP_BYTES
from worker.acts import Operator
from worker.checkpointing import Read, Readers, fold, sure
from worker.scheduler import Tick

EVERY = timedelta(seconds=10)
BUDGET_SECONDS = 1.0
"""How long one round may take: the leader rings for nothing meanwhile. A tenth of its time is some million deliveries a
day."""
WINDOW = 5_000
"""Deliveries looked through by one statement, most of which may be purged already."""
PIECE = 200
"""Deliveries read at once."""
MOST_EVENTS = 1_000
"""Events folded in one transaction, unless one delivery alone holds more."""
AGAIN = timedelta(days=1)
"""How often what stayed is looked at again, from the beginning."""
ACT = "archive.purge"
"""The act in the audit log."""

log = structlog.get_logger(__name__)


class Purging:
    """Lets old bytes go; it remembers how far it has looked.

    Args:
        readers: read what is old.
        kept: how long it is kept, such as `400d`.
        clock: now, as an aware UTC time.
        monotonic: seconds.
    """

    def __init__(
        self,
        readers: Readers,
        kept: str,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._readers = readers
        self._database = readers.database
        self._kept = kept
        self._age = read_duration(kept)
        self._operator = Operator("scheduler", f"{PREFIX}ARCHIVE_RETENTION is {kept}")
        self._clock = clock
        self._monotonic = monotonic
        self._after: Place | None = None
        self._began: datetime | None = None

    def work(self) -> int:
        """One round; returns how many deliveries' bytes went.

        Raises:
            TransientError: the database is away; what is done is done.
        """
        now, end, total = self._clock(), self._monotonic() + BUDGET_SECONDS, 0
        self._began = self._began or now
        while True:
            with self._database.read() as connection:
                looked = archive_retention.look(Transaction(connection), self._after, now - self._age, WINDOW)
            if looked.last is None:
                if now - self._began >= AGAIN:
                    self._after = self._began = None
                return total
            for piece in _pieces(looked.old, cache(self._readings)):
                total += self._purge(piece, now)
                self._after = (piece[-1].received_at, piece[-1].delivery_id)
                if self._monotonic() >= end:
                    return total
            self._after = looked.last
            if self._monotonic() >= end:
                return total

    def _readings(self, address: str) -> int:
        return len(self._readers.whose(address))

    def _purge(self, piece: Sequence[Old], now: datetime) -> int:
        """Lets what can go of a piece go; a delivery that stops it stays, and does not keep the others.

        Returns:
            How many deliveries that were.
        """
        total = 0
        try:
            for some in _transactions(self._readers.read(piece, now)):
                total += self._transact(some, now)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the bytes are there still
            if len(piece) > 1:
                return total + sum(self._purge([each], now) for each in piece)
            log.warning("archive_not_purged", delivery_id=piece[0].delivery_id, error=type(error).__name__)
        return total

    def _transact(self, some: Sequence[Read], now: datetime) -> int:
        with self._database.write() as connection:
            tx = Transaction(connection)
            going = sure(tx, some)
            if going:
                fold(Kept(connection), [arrival for each in going for arrival in each.arrivals], now)
                freed = archive_retention.purge(tx, [each.old for each in going], now)
                connections: list[Json] = [*sorted({each.old.connection_id for each in going})]
                told: dict[str, Json] = {"older_than": self._kept, "before": kept_instant(now - self._age)}
                came_to: dict[str, Json] = {
                    "deliveries": len(going),
                    "events": sum(len(each.arrivals) for each in going),
                    "bytes": freed,
                    "connections": connections,
                }
                append(tx, self._operator.did(ACT, told, came_to), now)
        return len(going)


def purged_archive(
    readers: Readers,
    kept: str,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float] = time.monotonic,
) -> Tick:
    """The tick that lets old bytes go, each transaction with its row in the audit log (`Purging`)."""
    return Tick("purged_archive", EVERY, Purging(readers, kept, clock, monotonic).work)


def _pieces(old: Sequence[Old], readings: Callable[[str], int]) -> Iterator[list[Old]]:
    """Deliveries in pieces, each as many as are read at once.

    Args:
        old: the deliveries.
        readings: how often what came in at an address is read: once for each that shares it.
    """
    piece: list[Old] = []
    size = 0
    for each in old:
        read_bytes = each.body_bytes * readings(each.connection_id)
        if piece and (len(piece) == PIECE or size + read_bytes > GROUP_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(each)
        size += read_bytes
    if piece:
        yield piece


def _transactions(read: Sequence[Read]) -> Iterator[list[Read]]:
    """Deliveries in parts, each as many as are folded in one transaction."""
    part: list[Read] = []
    size = 0
    for each in read:
        if part and size + len(each.arrivals) > MOST_EVENTS:
            yield part
            part, size = [], 0
        part.append(each)
        size += len(each.arrivals)
    if part:
        yield part
