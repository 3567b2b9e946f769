"""Processes that belong together: started in order, started again when they die, drained in the opposite order.

One thread and one loop, which sleeps until a child says that it is ready, a child dies, a signal comes, or a start
is due.
"""

import contextlib
import dataclasses
import os
import random
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import structlog

from handlers.errors import MaintenworksError

FIRST_DELAY_SECONDS = 0.25
GREATEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 30.0
"""What has run for this long has started well: the next failure counts as the first."""
HOPELESS = (2, 69)
"""Exit codes of a wrong configuration and an unreachable service: on the first start, trying again cannot mend it."""
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
CHORE_SECONDS = 5.0
"""How often what has to be looked at now and then is."""
KILL_SECONDS = 5.0
"""A killed process that has not ended by then waits for a disk; nobody can help it."""

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
        ready: descriptor on which it will say that it is ready; None for one that is ready already.
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
    """

    name: str
    launch: Callable[[], Launched]
    grace: float
    release: Callable[[], None] = lambda: None


class Supervisor:
    """Keeps the parts running until it is told to stop.

    Args:
        parts: in the order of starting; what is started last is drained first.
        on_ready: called once, when all of them are ready for the first time.
        on_end: called whenever one of them has ended, before it is started again.
        chore: called every `CHORE_SECONDS`, in this thread like all of these; None lets it sleep.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        on_ready: Callable[[], None],
        *,
        on_end: Callable[[], None] = lambda: None,
        chore: Callable[[], None] | None = None,
    ) -> None:
        self._children = [_Child(part) for part in parts]
        self._on_ready = on_ready
        self._on_end = on_end
        self._chore = chore
        self._chore_due = time.monotonic() + CHORE_SECONDS
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Starts everything and returns once everything has ended.

        Returns:
            0 after a drain; 128 + the signal's number where a second signal cut it short; the child's code where a
            child could not start and never will.

        Raises:
            MaintenworksError: whatever a part's first launch raised; the others have ended by then.
        """
        with _signals() as wakeup:
            self._selector.register(wakeup, selectors.EVENT_READ)
            try:
                return self._keep(wakeup)
            finally:
                for child in self._children:
                    child.send(signal.SIGKILL)
                self._selector.close()

    def _keep(self, wakeup: int) -> int:
        told = False
        while not self._stopped(wakeup, self._do_due()):
            for child in self._children:
                code = child.reap()
                if code is not None:
                    self._on_end()
                if code in HOPELESS and not child.was_ready:
                    self._drain(wakeup)
                    return code
            if not told and all(child.ready for child in self._children):
                told = True
                self._on_ready()
        return self._drain(wakeup)

    def _do_due(self) -> float | None:
        """Does all that is due; returns the seconds until something is again, or None where nothing will be."""
        until_start = self._start_due()
        if self._chore is None:
            return until_start
        if time.monotonic() >= self._chore_due:
            self._chore()
            self._chore_due = time.monotonic() + CHORE_SECONDS
        until_chore = max(0.0, self._chore_due - time.monotonic())
        return until_chore if until_start is None else min(until_start, until_chore)

    def _start_due(self) -> float | None:
        """Starts what is due; returns the seconds until the next start, or None while nothing waits for one."""
        for child in self._children:
            if child.is_due() and (descriptor := child.start()) is not None:
                self._selector.register(descriptor, selectors.EVENT_READ, (child, child.process))
        waits = [child.due - time.monotonic() for child in self._children if child.process is None]
        return max(0.0, min(waits)) if waits else None

    def _stopped(self, wakeup: int, timeout: float | None) -> int | None:
        """Sleeps until something happens; returns the number of a stopping signal if that was it."""
        for key, _ in self._selector.select(timeout):
            if key.fileobj == wakeup:
                for number in os.read(wakeup, 4096):
                    if number in STOPPING:
                        return number
            else:
                child, process = key.data
                if os.read(key.fd, 64) and child.process is process:
                    child.ready = child.was_ready = True
                self._selector.unregister(key.fileobj)
                os.close(key.fd)
        return None

    def _drain(self, wakeup: int) -> int:
        log.info("drain_started")
        for child in reversed(self._children):
            child.part.release()
            child.send(signal.SIGTERM)
            number = self._await_end(child, wakeup, child.part.grace)
            if number is None and child.process is not None:
                log.warning("role_overdue", name=child.part.name, seconds=child.part.grace)
                child.send(signal.SIGKILL)
                number = self._await_end(child, wakeup, KILL_SECONDS)
            if number is not None:
                log.warning("drain_cut_short", signal=signal.Signals(number).name)
                return 128 + number
        log.info("drained")
        return 0

    def _await_end(self, child: "_Child", wakeup: int, seconds: float) -> int | None:
        """Waits for a child's end, so long at most; returns the number of a stopping signal that came first."""
        deadline = time.monotonic() + seconds
        while child.reap() is None and child.process is not None and time.monotonic() < deadline:
            number = self._stopped(wakeup, deadline - time.monotonic())
            if number is not None:
                return number
        return None


class _Child:
    """A part and its present process."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.process: Process | None = None
        self.ready = self.was_ready = False
        self.due = 0.0
        self._started = 0.0
        self._failures = 0

    def is_due(self) -> bool:
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
        self.ready = launched.ready is None
        self.was_ready = self.was_ready or self.ready
        log.info("role_started", name=self.part.name, pid=launched.process.pid)
        return launched.ready

    def reap(self) -> int | None:
        """Notices its end; returns the exit code if it has just ended."""
        code = None if self.process is None else self.process.poll()
        if code is None:
            return None
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
        if self.process is not None:
            self.process.send_signal(number)


@contextlib.contextmanager
def _signals() -> Iterator[int]:
    """A descriptor on which the numbers of stopping signals, and of a child's end, arrive as bytes."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)
    watched = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, lambda *_: None) for number in (*watched, signal.SIGCHLD)}
    before_descriptor = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(before_descriptor)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
