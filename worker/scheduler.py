"""One leader, elected in SQL, that does what is due.

Every scheduler process asks each second whether it leads; the one that does runs its ticks. A tick that was missed
(a slow database, a suspended machine, a change of leader) is run once, not once for each time it was missed.
"""

import dataclasses
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from handlers.errors import TransientError
from worker.retries import UNCLASSIFIED
from worker.telemetry import SCHEDULE_DURATION, SCHEDULE_ERRORS, SCHEDULE_LAST_SUCCESS, SCHEDULE_PERIOD

LEADER = "scheduler"
LEADERSHIP = timedelta(seconds=10)
"""How long a leader that fell silent is waited for; it says that it lives three times as often."""
BEAT = timedelta(seconds=1)
GREATEST_PAUSE = timedelta(seconds=5)
"""Between attempts while the database is away: short enough that nobody waits for it once it is back."""
RING_LIMIT = 500
"""Rows in one message of `process_rows`."""
ROUNDS = 10
"""Messages of one beat: 5,000 rows a second is more than the workers take, so a flood waits in the table, where it is
safe, and not in the broker."""
RING_LEASE = timedelta(seconds=60)
"""After so long a ring counts as lost, and its rows are due again."""

RowId = tuple[str, int]
"""A row of `retries`: delivery id and event index."""

log = structlog.get_logger()


@dataclasses.dataclass(frozen=True)
class Tick:
    """Something that the leader does again and again.

    Attributes:
        name: in metrics and logs.
        every: from one start to the next.
        work: does it; returns how many things it did. May raise `TransientError`.
    """

    name: str
    every: timedelta
    work: Callable[[], int]


def due_rows(lease: Callable[[int, timedelta], Sequence[RowId]], ring: Callable[[Sequence[RowId]], None]) -> Tick:
    """The tick that sends due retries on their way.

    Args:
        lease: `lease(limit, duration)` takes due rows for so long and commits, so that a lost ring costs a minute.
        ring: tells the workers their ids.
    """

    def work() -> int:
        total = 0
        for _ in range(ROUNDS):
            rows = lease(RING_LIMIT, RING_LEASE)
            if rows:
                ring(rows)
            total += len(rows)
            if len(rows) < RING_LIMIT:
                break
        return total

    return Tick("due_rows", BEAT, work)


def waiting_letters(send: Callable[[int], int]) -> Tick:
    """The tick that sends dead letters on their way whose time has come by itself.

    Args:
        send: `send(limit)` sends so many at most, those whose connection is there by now and those from a clock that
            has been caught up with; returns how many it sent.
    """

    def work() -> int:
        total = 0
        for _ in range(ROUNDS):
            sent = send(RING_LIMIT)
            total += sent
            if sent < RING_LIMIT:
                break
        return total

    return Tick("waiting_letters", BEAT, work)


class Scheduler:
    """The loop.

    Args:
        ticks: what to do while leading.
        hold: `hold(name, owner, ttl)` takes or keeps the leadership and says whether we have it.
        release: `release(name, owner)` gives it up, so that the next one need not wait.
        owner: names this process among all schedulers.
        clock: monotonic seconds.
        hear: told of each run's end: the tick's name, and the code of its error, None for well.
    """

    def __init__(
        self,
        ticks: Sequence[Tick],
        hold: Callable[[str, str, timedelta], bool],
        release: Callable[[str, str], None],
        owner: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        hear: Callable[[str, str | None], None] = lambda *_: None,
    ) -> None:
        self._ticks = ticks
        self._hear = hear
        self._hold = hold
        self._release = release
        self._owner = owner
        self._clock = clock
        self._due = {tick.name: clock() for tick in ticks}
        for tick in ticks:
            SCHEDULE_PERIOD.labels(tick.name).set(tick.every.total_seconds())
            SCHEDULE_DURATION.labels(tick.name)
            SCHEDULE_ERRORS.labels(tick.name)
        self._leads = False
        self._renew_at = 0.0
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Beats until told to stop, whatever the database and the broker do meanwhile."""
        while not stop.is_set():
            stop.wait(self.beat())
        if self._leads:
            try:
                self._release(LEADER, self._owner)
            except TransientError as error:
                log.warning("leadership_not_released", error=error.code)

    def beat(self) -> float:
        """One round: lead if we may, and do what is due.

        Returns:
            Seconds until the next.
        """
        started = self._clock()
        try:
            leads = self._leads_now(started)
        except TransientError as error:
            self._became(leads=False)
            self._failures += 1
            if self._failures == 1:
                log.warning("leadership_unknown", error=error.code, reason=str(error))
            return min(GREATEST_PAUSE.total_seconds(), BEAT.total_seconds() * 2.0 ** min(self._failures, 8))
        self._failures = 0
        self._became(leads=leads)
        if leads:
            for tick in self._ticks:
                self._run(tick, started)
        return max(0.0, BEAT.total_seconds() - (self._clock() - started))

    def _leads_now(self, now: float) -> bool:
        if self._leads and now < self._renew_at:
            return True
        self._renew_at = now + LEADERSHIP.total_seconds() / 3
        return self._hold(LEADER, self._owner, LEADERSHIP)

    def _became(self, *, leads: bool) -> None:
        if leads != self._leads:
            log.info("leadership_taken" if leads else "leadership_lost", owner=self._owner)
        self._leads = leads

    def _run(self, tick: Tick, now: float) -> None:
        # Half a beat early is on time, else a beat that came a little late would make the next one skip.
        if now < self._due[tick.name] - BEAT.total_seconds() / 2:
            return
        # From now, not from when it was due: what was missed is not made up for.
        self._due[tick.name] = now + tick.every.total_seconds()
        try:
            with SCHEDULE_DURATION.labels(tick.name).time():
                count = tick.work()
        except TransientError as error:
            SCHEDULE_ERRORS.labels(tick.name).inc()
            self._hear(tick.name, error.code)
            log.warning("tick_failed", tick=tick.name, error=error.code, reason=str(error))
            return
        except Exception:  # a bug in one of them must not keep the others from their work
            SCHEDULE_ERRORS.labels(tick.name).inc()
            self._hear(tick.name, UNCLASSIFIED)
            log.exception("tick_failed", tick=tick.name, error=UNCLASSIFIED)
            return
        SCHEDULE_LAST_SUCCESS.labels(tick.name).set_to_current_time()
        self._hear(tick.name, None)
        if count:
            log.info("tick_done", tick=tick.name, count=count)
