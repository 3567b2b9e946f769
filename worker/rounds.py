"""Long work of the scheduler's leader in short rounds: meanwhile it says that it leads, and rings for what is due."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from worker.scheduler import LEADERSHIP

EVERY = timedelta(seconds=60)
"""From the end of one run to the start of the next, or longer: what takes long is done a tenth of the time at most."""
REST = 9
"""Times as long as a run took it rests afterwards."""
BUDGET_SECONDS = LEADERSHIP.total_seconds() / 10
"""How long one round may take."""


class Rounds:
    """Does some work again and again, a part in each round.

    Args:
        work: does it all, and yields after each part how much of it was done.
        monotonic: seconds.
    """

    def __init__(self, work: Callable[[], Iterator[int]], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._work = work
        self._monotonic = monotonic
        self._run: Iterator[int] | None = None
        self._next_at = monotonic()
        self._spent = 0.0

    def round(self) -> int:
        """Goes on with the run that is under way, or begins one whose time has come; returns how much was done."""
        if self._run is None:
            if self._monotonic() < self._next_at:
                return 0
            self._run, self._spent = self._work(), 0.0
        started, done = self._monotonic(), 0
        run, self._run = self._run, None  # one that fails is not gone on with
        for count in run:
            done += count
            if self._monotonic() >= started + BUDGET_SECONDS:
                self._spent += self._monotonic() - started
                self._run = run
                return done
        ended = self._monotonic()
        self._next_at = ended + max(EVERY.total_seconds(), REST * (self._spent + ended - started))
        return done
