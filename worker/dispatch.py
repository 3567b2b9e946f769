"""The road's middle: a batch of deliveries becomes rows, each all of them or none, and then counts as done.

Map each event (`worker.units`); then, in one transaction: archive, record once, apply, note outcomes, bury what cannot
be read, schedule what is tried again. A crash anywhere leaves the broker's entry until all its rows are there; a repeat
changes nothing.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from handlers.errors import TransientError
from handlers.events import WHOLE_BODY, Delivery, Event, Unmapped
from handlers.store import dead_letters, deliveries, distrust, events, replays, retries
from handlers.store.engine import Database
from handlers.store.letter import Letter
from handlers.store.rowset import Transaction
from worker import applied
from worker.again import named, wanted
from worker.joint import Joint
from worker.queue import Undecodable
from worker.retries import MAX_DEATHS, NOW, failed, poison, settle
from worker.runs import RunLock
from worker.streams_leases import Envelope
from worker.tally import Tally, effect_timed
from worker.telling import Tell, ends, nanoseconds, silent
from worker.units import PutOff, Reader, Unit, bodies_read

MAX_UNITS = 1_000
"""Events of one transaction, waiting threads' batches being joined up to it and greater ones parted; one delivery may
have as many. More would hold locks for too long: of 8 MiB of small events the database would end the session."""

TRUSTED_TIMES = 2
"""What a message holds is run whole when it comes and when it was taken over once; after that it is taken apart."""
SUSPECT_LEASE = timedelta(seconds=60)
"""How long a suspect may be worked on before its worker counts as ended by it."""

log = structlog.get_logger(__name__)


class Dispatcher:
    """Does the work of a worker; one for a process, used by all its threads.

    Args:
        database: where everything is written.
        reader: reads deliveries by their sources.
        clock: now, as an aware UTC time.
        dice: for the jitter of retries.
        tell: is told what was committed.
    """

    def __init__(
        self,
        database: Database,
        reader: Reader,
        *,
        clock: Callable[[], datetime],
        dice: random.Random,
        tell: Tell = silent,
    ) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._dice = dice
        self._tell = tell
        self._joint = Joint(self._transact, limit=MAX_UNITS)
        self._runs = RunLock()

    def process(self, batch: Sequence[Delivery | Undecodable], envelope: Envelope) -> None:
        """Commits everything that a batch of deliveries comes to.

        Args:
            batch: the deliveries.
            envelope: of the message that held them.

        Raises:
            TransientError: the database is away; what of it was committed, a repeat will find done.
        """
        now = self._clock()
        if envelope.times_delivered > 1:
            log.warning("batch_taken_over", times_delivered=envelope.times_delivered, deliveries=len(batch))
        if envelope.times_delivered > TRUSTED_TIMES:
            self._transact([unit for delivery in batch for unit in self._suspected(delivery, now)])
            return
        with self._runs.shared():
            for units in self._parts(batch, now):
                try:
                    self._joint.run(units)
                except TransientError:
                    raise
                except Exception:  # noqa: BLE001  # whose unit it was is found out by each on its own
                    self._commit(units)

    def apply(self, units: Sequence[Unit]) -> None:
        """Commits units that somebody else has read: those of the archive, when it is read anew.

        Raises:
            TransientError: the database is away.
        """
        self._commit(units)

    def process_rows(self, ids: Sequence[retries.RowId], times_delivered: int = 1) -> None:
        """Tries what stands in retry rows once more; a row that is gone or held by another is nothing to do.

        Args:
            ids: the rows.
            times_delivered: of the message that rang for them; over 1, a worker ended with it.

        Raises:
            TransientError: the database is away; no attempt is counted.
        """
        now = self._clock()
        with self._database.read() as connection:
            tx = Transaction(connection)
            archived = deliveries.load(tx, {delivery for delivery, _ in ids})
            left = dead_letters.left_out(tx, archived)
            suspects = retries.suspects(tx, ids)
        if gone := {row for row in ids if row[0] not in archived}:  # its bytes are purged: all it told is applied
            with self._database.write() as connection:
                retries.finish(Transaction(connection), sorted(gone))
        if times_delivered > 1:
            # Whether a suspect has ended its worker is told by the row's own lease: nobody begins on it before.
            log.warning("rows_taken_over", times_delivered=times_delivered, rows=len(ids))
            ids = [row for row in ids if row not in suspects]
        if times_delivered > TRUSTED_TIMES:
            with self._database.write() as connection:
                retries.suspect(Transaction(connection), ids)
            return
        self._reader.look_again({each.connection_id for each in archived.values()})
        for row in sorted(row for row in set(ids) if row[0] in archived):
            if row in suspects:
                self._alone(archived[row[0]], row, left)
                continue
            with self._runs.shared():
                self._commit(wanted(self._reader, archived[row[0]], row, left, now))

    def _parts(self, batch: Sequence[Delivery | Undecodable], now: datetime) -> Iterator[list[Unit]]:
        """The units of a batch, whole deliveries together and no more of them than one transaction should have."""
        part: list[Unit] = []
        for delivery in batch:
            units = list(self._reader.units(delivery, now))
            if part and len(part) + len(units) > MAX_UNITS:
                yield part
                part = []
            part += units
        if part:
            yield part

    def _suspected(self, delivery: Delivery | Undecodable, now: datetime) -> Iterable[Unit]:
        """A delivery of a batch that has ended two workers: kept, and tried alone; nothing of it is read here."""
        if isinstance(delivery, Undecodable):
            yield from self._reader.units(delivery, now)
        else:
            yield Unit(delivery, PutOff(WHOLE_BODY, wait=NOW, alone=True))

    def _alone(self, kept: Delivery, row: retries.RowId, left: AbstractSet[retries.RowId]) -> None:
        """Works on a suspect while nothing else runs in this process; that it was begun is committed first.

        What has ended a worker as a whole delivery is taken apart into its events; what has ended three is buried.
        """
        with self._runs.alone():
            now = self._clock()
            with self._database.write() as connection:
                due = retries.begin(Transaction(connection), row, now=now, lease=SUSPECT_LEASE)
            if due is None:
                return
            ended = due.deaths >= MAX_DEATHS
            if ended and row[1] == WHOLE_BODY:
                self._transact([Unit(kept, Unmapped(WHOLE_BODY, deliveries.body_digest(kept.body), poison()), row=row)])
                return
            units = wanted(self._reader, kept, row, left, now)
            if ended:
                self._transact([replace(unit, item=Unmapped(unit.index, unit.digest, poison())) for unit in units])
            elif due.deaths and len(units) > 1:
                self._transact([replace(unit, item=PutOff(unit.index, wait=NOW, alone=True)) for unit in units])
            else:
                self._commit(units)

    def _commit(self, units: Sequence[Unit]) -> None:
        """Commits units in one transaction; if one of them stops it, finds that one and puts it aside."""
        try:
            self._transact(units)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001  # an effect's bug must cost one event, not the batch
            if len(units) == 1:
                self._transact([replace(units[0], item=failed(units[0], error))])
            elif units[0].row is not None:
                # A row for all of a delivery becomes a row for each of its events, so that each is tried alone.
                self._transact([replace(unit, item=PutOff(unit.index, wait=NOW)) for unit in units])
            else:
                self._commit(units[: len(units) // 2])
                self._commit(units[len(units) // 2 :])

    def _transact(self, units: Sequence[Unit]) -> None:
        began = nanoseconds()
        with self._database.write() as connection:
            tx = Transaction(connection)
            tally = Tally(self._clock())
            due = retries.take(tx, [unit.row for unit in units if unit.row is not None])
            held = {(each.delivery_id, each.index): each for each in due}
            mine = [unit for unit in units if unit.row is None or unit.row in held]
            batch = list({each.delivery.delivery_id: each.delivery for each in mine}.values())
            left = dead_letters.left_out(tx, deliveries.archive(tx, batch, tally.now))
            mine = [
                replace(unit, item=None) if left & named(unit.delivery.delivery_id, unit) else unit for unit in mine
            ]
            members = {unit.member for unit in mine if unit.member is not None}
            gone = distrust.left_set(tx, batch, members, tally.now)
            mine = [unit for unit in mine if not gone.has(unit.delivery, unit.member)]
            sent = replays.under_way(tx, [delivery for delivery, _ in held])
            outcomes = self._apply(tx, mine, tally)
            settled = [settle(each, held.get(each.row) if each.row else None, tally.now, self._dice) for each in mine]
            tally.buried(dead_letters.bury(tx, [each for each in settled if isinstance(each, Letter)], tally.now))
            tally.replayed(sent, mine, settled, outcomes)
            again = [each for each in settled if isinstance(each, retries.Row)]
            retries.schedule(tx, again, held)
            retries.finish(tx, sorted(held.keys() - {(row.delivery_id, row.index) for row in again}))
            tally.retried(again)
        tally.count()
        self._tell(list(ends(mine, settled, outcomes, sent)), began)

    def _apply(self, tx: Transaction, units: Sequence[Unit], tally: Tally) -> dict[events.Identity, str]:
        """Records the events that are new, applies them and notes how they ended, which it returns."""
        arrivals = [
            events.Arrival(unit.item, unit.delivery.delivery_id, unit.delivery.received_at, unit.map_fingerprint)
            for unit in units
            if isinstance(unit.item, Event)
        ]
        new = events.record(tx, arrivals, tally.now)
        done = applied.apply(tx, arrivals, new, effect_timed)
        told = [(arrival.event.connection_id, arrival.event.digest) for arrival in done.fresh.values()]
        dead_letters.supersede(tx, [*told, *bodies_read(units)])
        for arrival in done.again:
            tally.repeated(arrival.event)
        for arrival, outcome in zip(done.fresh.values(), done.outcomes, strict=True):
            tally.ended(arrival.event, outcome, arrival.received_at)
        return {identity: outcome.value for identity, outcome in zip(done.fresh, done.outcomes, strict=True)}
