"""A process that belongs to others: how it is started, whether it lives, and when it is started again."""

import dataclasses
import random
import signal
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from handlers.errors import MaintenworksError

FIRST_DELAY_SECONDS = 0.25
GREATEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 30.0
"""What has run for this long has started well: the next failure counts as the first."""
MOST_MISSED = 4
"""Looks in a row that may find that a child has said nothing since the last; at the next it is killed. Counted in looks
and not in seconds, so that a machine that slept as a whole kills nobody."""

log = structlog.get_logger()


class Process(Protocol):
    """What is asked of a child; `subprocess.Popen` is one."""

    pid: int

    def poll(self) -> int | None:
        """Its exit code, once it has ended."""

    def send_signal(self, number: int, /) -> None:
        """Sends it a signal; nothing to do once it has ended."""


@dataclasses.dataclass(frozen=True)
class Launched:
    """A child just started.

    Attributes:
        process: the child.
        ready: descriptor on which it will say that it is ready, and from then on that it lives; None for one that is
            ready already and says nothing.
    """

    process: Process
    ready: int | None = None


@dataclasses.dataclass(frozen=True)
class Part:
    """One of the processes that belong together.

    Attributes:
        name: for the log.
        launch: starts it.
        grace: seconds from SIGTERM until it is killed.
        release: lets go, when its draining begins, of what was kept for it.
        ended: told the process id of one that has ended.
    """

    name: str
    launch: Callable[[], Launched]
    grace: float
    release: Callable[[], None] = lambda: None
    ended: Callable[[int], None] = lambda _: None


class Child:
    """A part and its present process."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.process: Process | None = None
        self.ready = self.was_ready = False
        self.due = 0.0
        self._speaks = False
        self._missed = 0
        self._started = 0.0
        self._failures = 0

    def is_due(self) -> bool:
        """Whether it does not run and may be started."""
        return self.process is None and time.monotonic() >= self.due

    def start(self) -> int | None:
        """Launches it; returns the descriptor on which it will say that it is ready."""
        self._started = time.monotonic()
        try:
            launched = self.part.launch()
        except MaintenworksError as error:
            if not self.was_ready:
                raise
            log.warning("role_not_started", name=self.part.name, reason=str(error))
            self._wait()
            return None
        self.process = launched.process
        self._speaks = launched.ready is not None
        self._missed = 0
        self.ready = not self._speaks
        self.was_ready = self.was_ready or self.ready
        log.info("role_started", name=self.part.name, pid=launched.process.pid)
        return launched.ready

    def hear(self) -> None:
        """It said that it is ready, or lives."""
        self.ready = self.was_ready = True
        self._missed = 0

    def miss(self) -> None:
        """Counts a look at which nothing new had been heard; kills what has been silent at too many of them.

        A process that is stopped, or never comes back from the kernel, may stand inside a transaction: SQLite's one
        write lock, and PostgreSQL's on a unix socket, go only with it. Killing loses nothing.
        """
        if self.process is None or not self.ready or not self._speaks:
            return
        self._missed += 1
        if self._missed > MOST_MISSED:
            log.warning("role_silent", name=self.part.name, pid=self.process.pid)
            self.send(signal.SIGKILL)

    def reap(self) -> int | None:
        """Notices its end; returns the exit code if it has just ended."""
        code = None if self.process is None else self.process.poll()
        if code is None or self.process is None:
            return None
        self.part.ended(self.process.pid)
        log.info("role_ended", name=self.part.name, code=code)
        self.process = None
        self.ready = False
        self._wait()
        return code

    def _wait(self) -> None:
        """Sets when it is started again: doubling, and jittered, so that parts that fall together do not rise so."""
        if time.monotonic() - self._started >= STEADY_SECONDS:
            self._failures = 0
        delay = min(GREATEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**self._failures)
        self.due = time.monotonic() + delay * random.uniform(0.5, 1)  # noqa: S311  # jitter, not a secret
        self._failures = min(self._failures + 1, 32)

    def send(self, number: int) -> None:
        """Sends it a signal, if it runs."""
        if self.process is not None:
            self.process.send_signal(number)
