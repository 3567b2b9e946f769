"""Processes that belong together: started in order, started again when they die, drained in the opposite order.

One thread and one loop, which sleeps until a child says that it is ready or lives, a child dies, a signal comes, or a
start is due.
"""

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterator, Sequence

import structlog

from worker.parts import Child, Part

HOPELESS = (2, 69)
"""Exit codes of a wrong configuration and an unreachable service: on the first start, trying again cannot mend it."""
STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
LOOK_SECONDS = 2.0
"""How often it is asked whether each child lives: one that does not is ended after 8 to 10 s of silence, by which time
the leases of what it held run out too; with its successor's start that is within the 20 s in which its work is done."""
CHORE_SECONDS = 5.0
"""How often the chore is done."""
KILL_SECONDS = 5.0
"""A killed process that has not ended by then waits for a disk; nobody can help it."""

log = structlog.get_logger()


class Supervisor:
    """Keeps the parts running until it is told to stop.

    Args:
        parts: in the order of starting; what is started last is drained first.
        on_ready: called once, when all of them are ready for the first time.
        on_end: called whenever one of them has ended, before it is started again.
        chore: called every `CHORE_SECONDS`, in this thread like all of these.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        on_ready: Callable[[], None],
        *,
        on_end: Callable[[], None] = lambda: None,
        chore: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = [Child(part) for part in parts]
        self._on_ready = on_ready
        self._on_end = on_end
        self._chore = chore
        self._look_due = time.monotonic() + LOOK_SECONDS
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

    def _do_due(self) -> float:
        """Does all that is due; returns the seconds until something is again."""
        until_start = self._start_due()
        if time.monotonic() >= self._look_due:
            for child in self._children:
                child.miss()
            self._look_due = time.monotonic() + LOOK_SECONDS
        if time.monotonic() >= self._chore_due:
            self._chore()
            self._chore_due = time.monotonic() + CHORE_SECONDS
        until_next = max(0.0, min(self._look_due, self._chore_due) - time.monotonic())
        return until_next if until_start is None else min(until_start, until_next)

    def _start_due(self) -> float | None:
        """Starts what is due; returns the seconds until the next start, or None while nothing waits for one."""
        for child in self._children:
            if child.is_due() and (descriptor := child.start()) is not None:
                self._selector.register(descriptor, selectors.EVENT_READ, (child, child.process))
        waits = [child.due - time.monotonic() for child in self._children if child.process is None]
        return max(0.0, min(waits)) if waits else None

    def _stopped(self, wakeup: int, timeout: float) -> int | None:
        """Sleeps until something happens; returns the number of a stopping signal if that was it."""
        for key, _ in self._selector.select(timeout):
            if key.fileobj == wakeup:
                for number in os.read(wakeup, 4096):
                    if number in STOPPING:
                        return number
            else:
                self._hear(key)
        return None

    def _hear(self, key: selectors.SelectorKey) -> None:
        """A child said something, or let go of its descriptor."""
        child, process = key.data
        if not os.read(key.fd, 64):
            self._selector.unregister(key.fileobj)
            os.close(key.fd)
        elif child.process is process:
            child.hear()

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

    def _await_end(self, child: Child, wakeup: int, seconds: float) -> int | None:
        """Waits for a child's end, so long at most; returns the number of a stopping signal that came first."""
        deadline = time.monotonic() + seconds
        while child.reap() is None and child.process is not None and time.monotonic() < deadline:
            number = self._stopped(wakeup, deadline - time.monotonic())
            if number is not None:
                return number
        return None


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
