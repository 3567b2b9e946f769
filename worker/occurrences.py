"""The scheduler's tick that keeps the table of occurrences: makes it what plans, orders, readings and the time come to.

Each look is at everything, a piece at a time, and writes only what differs. So a scheduler that was away for a month
has nothing to catch up with, a second leader writes the same rows, and nothing is made due twice.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import structlog

from handlers.connections.plan_file import FilePlan, read_plan_file
from handlers.connections.zones import Zones
from handlers.errors import ConfigurationError
from handlers.rules.pm_schedule import all_occurrences
from handlers.store import occurrences
from handlers.store.engine import Database
from handlers.store.occurrences import Change
from handlers.store.read_pm import Book, Known, connections_with_plans, known_plans, load_plans, plan_keys
from handlers.store.rowset import Transaction
from worker.rounds import Rounds
from worker.scheduler import BEAT, Tick
from worker.telemetry import CONFIGURATION_ERRORS

log = structlog.get_logger()


class PlanFile:
    """The plans of a file, read again once it has changed; a bad edit keeps the last good one.

    Args:
        path: where it is; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._plans: tuple[FilePlan, ...] = ()

    def plans(self) -> tuple[FilePlan, ...]:
        """The plans as the file last said without a mistake."""
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError:
            seen = (0, 0, 0)
        if seen != self._seen:
            self._seen = seen
            try:
                self._plans = read_plan_file(self._path)
            except ConfigurationError as error:
                CONFIGURATION_ERRORS.inc()
                log.error("plan_file_not_read", problems=list(error.problems))  # noqa: TRY400  # no bug of ours
        return self._plans


class Looks:
    """Looks at all plans, again and again, some in each round.

    Args:
        database: where they are.
        plans: those of the file, as it stands.
        zones: of sites.
        clock: now, as an aware UTC time.
        monotonic: seconds.

    Attributes:
        rounds: in which it is done; each says how many rows changed.
    """

    def __init__(
        self,
        database: Database,
        plans: Callable[[], tuple[FilePlan, ...]],
        zones: Callable[[], Zones],
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._plans = plans
        self._zones = zones
        self._clock = clock
        self.rounds = Rounds(self._all, monotonic)

    def _all(self) -> Iterator[int]:
        book = Book(self._plans(), self._zones())
        for connection in connections_with_plans(self._database, book):
            keys = plan_keys(self._database, connection, book)
            with self._database.read() as session:
                gone = occurrences.others(Transaction(session), connection, keys)
            if gone:
                with self._database.write() as session:
                    yield occurrences.forget(Transaction(session), connection, gone)
            yield from self._of(connection, keys, book)

    def _of(self, connection: str, keys: list[str], book: Book) -> Iterator[int]:
        wanted = set(keys)
        for known in known_plans(self._database, connection, keys, book):
            page = [each.plan.key for each in known if each.plan.key in wanted]
            try:
                yield self._kept(connection, known, wanted, book)
            except (ArithmeticError, ValueError):
                # A bug of ours must cost only the plan that has it: behind this tick waits every retry.
                if len(page) == 1:
                    log.exception("occurrences_not_made", connection=connection, plan=page[0])
                    continue
                for key in page:
                    yield from self._of(connection, [key], book)

    def _kept(self, connection: str, known: list[Known], wanted: set[str], book: Book) -> int:
        with self._database.read() as session:
            change = _change(Transaction(session), known, wanted, self._clock())
        return self._write(connection, [each.plan.key for each in known], wanted, book) if change else 0

    def _write(self, connection: str, keys: list[str], wanted: set[str], book: Book) -> int:
        """Asks again under the lock, so that of two leaders neither writes what the other has made old."""
        with self._database.write() as session:
            tx = Transaction(session)
            occurrences.lock(tx)
            change = _change(tx, load_plans(tx, connection, keys, book), wanted, self._clock())
            change.write(tx)
        return len(change)


def _change(tx: Transaction, known: list[Known], wanted: set[str], now: datetime) -> Change:
    plans = {each.plan.key: each.plan for each in known if each.plan.key in wanted}
    made = [each for each in all_occurrences(known, now) if each.plan in plans]
    rows = [occurrences.row_of(plans[each.plan], each) for each in made]
    connection = known[0].plan.connection
    return occurrences.differing(tx, connection, sorted(plans), rows)


def kept_occurrences(looks: Looks) -> Tick:
    """The tick that keeps the table of occurrences."""
    return Tick("pm_occurrences", BEAT, looks.rounds.round)
