"""The console's own short memory: every few seconds a beat, kept for half an hour, in no database.

It is for sparklines. What is to be kept longer, Prometheus keeps.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from handlers.errors import MaintenworksError
from handlers.store import gauges
from handlers.store.engine import Database
from handlers.store.read_letter_groups import Group, groups
from handlers.store.read_letters import Wanted
from handlers.store.read_pace import Pace, pace
from handlers.store.rowset import Transaction
from worker.address import broker_url
from worker.console import counts
from worker.console.counts import Counts, Schedule
from worker.queue import LaneState, queue_state
from worker.settings import WorkerSettings

EVERY_SECONDS: Final = 5.0
BEATS: Final = 360
"""Half an hour."""
CAUSES_EVERY: Final = 6
"""Beats."""
MOST_CAUSES: Final = 6
MEDIAN, HIGH = 0.5, 0.95
_END_SECONDS: Final = 1.0
"""How long the end of the process waits for a reading that hangs."""

log = structlog.get_logger()


class Beat(NamedTuple):
    """How things stood at a moment; None where it could not be read, or nothing had happened to measure.

    Attributes:
        at: when (UTC).
        accepted: webhooks a second; events a second where no counters are shared.
        refused: webhooks a second; None where no counters are shared.
        processed: events a second that ended well.
        buried: events a second that ended in a dead letter; None where no counters are shared.
        median: of the seconds from accepted to committed.
        high: the 95th of 100 of them.
        lanes: the queues.
        retrying: events that wait to be tried again.
        letters: open dead letters by code.
        schedules: what the scheduler does; none where no counters are shared.
        causes: groups of open dead letters by what caused them, the greatest first; read less often.
    """

    at: datetime
    accepted: float | None = None
    refused: float | None = None
    processed: float | None = None
    buried: float | None = None
    median: float | None = None
    high: float | None = None
    lanes: Sequence[LaneState] | None = None
    retrying: int | None = None
    letters: Mapping[str, int] | None = None
    schedules: Sequence[Schedule] = ()
    causes: Sequence[Group] | None = None

    @property
    def oldest(self) -> float | None:
        """Seconds that the oldest message of any queue has waited; 0 where all are empty."""
        if self.lanes is None:
            return None
        return max((each.oldest_age.total_seconds() for each in self.lanes if each.oldest_age is not None), default=0.0)

    @property
    def waiting(self) -> int | None:
        """Messages in all queues, those under way too."""
        return None if self.lanes is None else sum(each.ready + each.in_flight for each in self.lanes)

    @property
    def open(self) -> int | None:
        """Open dead letters."""
        return None if self.letters is None else sum(self.letters.values())


class Sources(NamedTuple):
    """Where a beat reads.

    Attributes:
        lanes: the queues.
        stored: how many events wait to be tried again, and open dead letters by code.
        counted: what the roles have counted; None where they count elsewhere.
        paced: the same by the database, from a moment to another; asked only then.
        causes: groups of open dead letters; asked seldom, for it reads all of them.
    """

    lanes: Callable[[], Sequence[LaneState]]
    stored: Callable[[], tuple[int, Mapping[str, int]]]
    counted: Callable[[], Counts | None]
    paced: Callable[[datetime, datetime], Pace]
    causes: Callable[[], Sequence[Group]]


class Pulse:
    """A ring of beats.

    Args:
        sources: where they are read.
        clock: now (UTC).
    """

    def __init__(self, sources: Sources, clock: Callable[[], datetime]) -> None:
        self._sources = sources
        self._clock = clock
        self._beats: deque[Beat] = deque(maxlen=BEATS)
        self._before: tuple[datetime, Counts] | None = None
        self._round = 0

    def beats(self) -> list[Beat]:
        """What is remembered, the oldest first."""
        return list(self._beats)

    def last(self) -> Beat | None:
        """The newest beat."""
        return self._beats[-1] if self._beats else None

    def beat(self) -> None:
        """Reads everything once; what is away is left out."""
        now = self._clock()
        beat = self._rates(now)
        with _away("queues"):
            beat = beat._replace(lanes=self._sources.lanes())
        with _away("database"):
            retrying, letters = self._sources.stored()
            beat = beat._replace(retrying=retrying, letters=letters, causes=self._causes(bool(letters)))
        self._beats.append(beat)

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Beats in a thread, the first time at once, while the block runs."""
        stop = threading.Event()

        def run() -> None:
            self.beat()
            while not stop.wait(EVERY_SECONDS):
                self.beat()

        thread = threading.Thread(target=run, name="pulse", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(_END_SECONDS)

    def _causes(self, any_open: bool) -> Sequence[Group]:  # noqa: FBT001  # one word, at one place
        self._round = (self._round + 1) % CAUSES_EVERY
        last = self.last()
        if not any_open:
            return ()
        if last is not None and last.causes and self._round:
            return last.causes
        return self._sources.causes()

    def _rates(self, now: datetime) -> Beat:
        found = self._sources.counted()
        before, self._before = self._before, None if found is None else (now, found)
        if found is None:
            return self._paced(now)
        beat = Beat(at=now, schedules=found.schedules)
        length = 0.0 if before is None else (now - before[0]).total_seconds()
        if before is None or length <= 0:
            return beat
        was = before[1]
        return beat._replace(
            accepted=_rate(found.accepted - was.accepted, length),
            refused=_rate(found.refused - was.refused, length),
            processed=_rate(found.processed - was.processed, length),
            buried=_rate(found.buried - was.buried, length),
            median=counts.quantile(MEDIAN, was, found),
            high=counts.quantile(HIGH, was, found),
        )

    def _paced(self, now: datetime) -> Beat:
        last = self.last()
        beat = Beat(at=now)
        if last is None or last.at >= now:
            return beat
        with _away("database"):
            found = self._sources.paced(last.at, now)
            beat = beat._replace(accepted=found.came, processed=found.ended)
            if found.lags:
                median, high = (
                    found.lags[min(int(share * len(found.lags)), len(found.lags) - 1)] for share in (MEDIAN, HIGH)
                )
                beat = beat._replace(median=median, high=high)
        return beat


def sources(settings: WorkerSettings, database: Database) -> Sources:
    """What an installation's console reads."""

    def stored() -> tuple[int, Mapping[str, int]]:
        with database.read() as connection:
            tx = Transaction(connection)
            return gauges.waiting_retries(tx), gauges.open_letters(tx)

    return Sources(
        lanes=lambda: queue_state(broker_url(settings)),
        stored=stored,
        counted=counts.shared,
        paced=lambda since, until: pace(database, since, until),
        causes=lambda: groups(database, Wanted(), "fingerprint")[:MOST_CAUSES],
    )


def _rate(grown: float, length: float) -> float | None:
    """A second; None where a process began anew and its count with it."""
    return None if grown < 0 else grown / length


@contextlib.contextmanager
def _away(what: str) -> Iterator[None]:
    try:
        yield
    except MaintenworksError as error:
        log.debug("beat_incomplete", part=what, reason=str(error))
