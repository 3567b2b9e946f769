"""The road's middle: a batch of deliveries becomes rows, all of them or none, and then counts as done.

Map each event (`worker.units`); then, in one transaction: archive, record once, apply, note outcomes, bury what cannot
be read, schedule what is tried again. A crash anywhere leaves both the rows and the broker's entry, or neither; a
repeat changes nothing.
"""

import random
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from handlers import effects
from handlers.errors import PermanentError, TransientError
from handlers.events import WHOLE_BODY, Delivery, Event, Outcome, Unmapped, element_of
from handlers.rules.fetching import counts_again
from handlers.store import dead_letters, deliveries, distrust, events, fetches, replays, retries
from handlers.store.dead_letters import Letter
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker.joint import Joint
from worker.queue import Undecodable, decode
from worker.retries import MAX_DEATHS, NOW, settle
from worker.runs import RunLock
from worker.streams_leases import Envelope
from worker.tally import Tally, effect_timed
from worker.telling import Tell, ends, nanoseconds, silent
from worker.units import UNDECODABLE, PutOff, Reader, Unit

MAX_UNITS = 1_000
"""Events that waiting threads' batches are joined up to; more would hold locks for too long."""

TRUSTED_TIMES = 2
"""A batch is run whole when it comes and when it was taken over once; after that it is taken apart."""
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
            units = [unit for delivery in batch for unit in self._reader.units(delivery, now)]
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

    def process_rows(self, ids: Sequence[retries.RowId]) -> None:
        """Tries what stands in retry rows once more; a row that is gone or held by another is nothing to do.

        Raises:
            TransientError: the database is away; no attempt is counted.
        """
        now = self._clock()
        with self._database.read() as connection:
            tx = Transaction(connection)
            archived = deliveries.load(tx, {delivery for delivery, _ in ids})
            left = dead_letters.left_out(tx, archived)
            suspects = retries.suspects(tx, ids)
        self._reader.look_again({each.connection_id for each in archived.values()})
        for row in sorted(row for row in set(ids) if row[0] in archived):
            if row in suspects:
                self._alone(archived[row[0]], row, left)
                continue
            with self._runs.shared():
                self._commit(self._wanted(archived[row[0]], row, left, now))

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
                self._transact(
                    [Unit(kept, Unmapped(WHOLE_BODY, deliveries.body_digest(kept.body), _poison()), row=row)]
                )
                return
            units = self._wanted(kept, row, left, now)
            if ended:
                self._transact([replace(unit, item=Unmapped(unit.index, unit.digest, _poison())) for unit in units])
            elif due.deaths and len(units) > 1:
                self._transact([replace(unit, item=PutOff(unit.index, wait=NOW, alone=True)) for unit in units])
            else:
                self._commit(units)

    def _wanted(
        self, kept: Delivery, row: retries.RowId, left: AbstractSet[retries.RowId], now: datetime
    ) -> list[Unit]:
        """What a row stands for, less what an operator has left out; an empty unit where nothing is left."""
        units = [unit for unit in self._again(kept, row, now) if not left & _named(row[0], unit)]
        return units or [Unit(kept, None, row=row)]

    def _again(self, kept: Delivery, row: retries.RowId, now: datetime) -> list[Unit]:
        """What a retry row stands for, read once more, by the connection as it is now.

        Skew is judged by now and not by when the delivery came: what had to wait for its time has done so (design,
        section 3, rule 7).
        """
        if kept.verdict == UNDECODABLE:
            decoded = decode(kept.body, kept.connection_id)
            if isinstance(decoded, Undecodable):
                return [replace(unit, delivery=kept, row=row) for unit in self._reader.units(decoded, now)]
            kept = decoded
        read = self._reader.units(replace(kept, read_at=max(now, kept.received_at)), now, row)
        units = [replace(unit, delivery=kept) for unit in read]
        meant = [unit for unit in units if WHOLE_BODY in {row[1], unit.index} or row[1] in _places(unit.index)]
        if meant:
            return meant
        error = PermanentError("event_gone", "its delivery, as it is read now, has no event of that number")
        return [Unit(kept, Unmapped(row[1], deliveries.body_digest(kept.body), error), row=row)]

    def _commit(self, units: Sequence[Unit]) -> None:
        """Commits units in one transaction; if one of them stops it, finds that one and puts it aside."""
        try:
            self._transact(units)
        except TransientError:
            raise
        except Exception as error:  # noqa: BLE001  # an effect's bug must cost one event, not the batch
            if len(units) == 1:
                self._transact([replace(units[0], item=_failed(units[0], error))])
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
                replace(unit, item=None) if left & _named(unit.delivery.delivery_id, unit) else unit for unit in mine
            ]
            if gone := distrust.left_set(tx, batch, tally.now):
                mine = [unit for unit in mine if unit.delivery.delivery_id not in gone]
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
        fresh: dict[events.Identity, events.Arrival] = {}
        again: list[events.Arrival] = []
        for arrival in arrivals:
            identity = events.identity(arrival.event)
            if identity in new and identity not in fresh:
                fresh[identity] = arrival
            else:
                again.append(arrival)
                tally.repeated(arrival.event)
        applied = [arrival.event for arrival in fresh.values()]
        outcomes = effects.apply(tx, applied, effect_timed)
        told_again = (each for each in again if counts_again(each.event))
        fetches.note(tx, [(each.event, each.received_at) for each in (*fresh.values(), *told_again)])
        ended = list(zip(applied, outcomes, strict=True))
        events.set_outcomes(tx, [(event, outcome) for event, outcome in ended if outcome is not Outcome.APPLIED])
        told = [(event.connection_id, event.digest) for event in applied]
        dead_letters.supersede(tx, [*told, *_bodies_read(units)])
        for arrival, outcome in zip(fresh.values(), outcomes, strict=True):
            tally.ended(arrival.event, outcome, arrival.received_at)
        return {identity: outcome.value for identity, outcome in zip(fresh, outcomes, strict=True)}


def _named(delivery_id: str, unit: Unit) -> set[retries.RowId]:
    """The letters that would speak of a unit: its own, its element's, and one of its whole delivery."""
    return {(delivery_id, place) for place in (*_places(unit.index), WHOLE_BODY)}


def _places(index: int) -> tuple[int, int]:
    """The rows that may mean an event: its own, and its element's, which was one letter while it could not be read."""
    return index, element_of(index)


def _bodies_read(units: Sequence[Unit]) -> set[tuple[str, str]]:
    """Connection and digest of each whole body that tells its events now: a letter of the same bytes has had its time.

    Whatever else such a body holds comes to an end of its own, in this transaction or before its message is done with.
    """
    whole = (unit for unit in units if unit.row is None or unit.row[1] == WHOLE_BODY)
    read = {unit.delivery.delivery_id: unit.delivery for unit in whole if isinstance(unit.item, Event)}
    return {(each.connection_id, deliveries.body_digest(each.body)) for each in read.values()}


def _poison() -> PermanentError:
    return PermanentError("poison", f"{MAX_DEATHS} workers ended while they worked on it alone")


def _failed(unit: Unit, error: Exception) -> Unmapped | PutOff:
    """What becomes of the one event that stopped its transaction."""
    if isinstance(error, PermanentError):
        return Unmapped(unit.index, unit.digest, error)
    return PutOff(unit.index, error, digest=unit.digest)
