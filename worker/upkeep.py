"""What a role does beside its work, each in a thread of its own: looking at the connections, and at the clock."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import structlog

from handlers.connections import Registry
from handlers.errors import TransientError
from handlers.store.clock import DatabaseClock
from worker.doctor.findings import CLOCK_WARN_SECONDS
from worker.telemetry import CONFIGURATION_ERRORS

REFRESH_SECONDS = 1.0
"""A change of the connections is to be seen within 2 seconds."""
MEASURE_SECONDS = 10.0
"""Between two looks at the database's clock, so that one that is set anew meanwhile is noticed soon."""
END_SECONDS = 1.0
"""How long the end of a process waits for what it only looks at; a database that hangs must not keep it."""

log = structlog.get_logger()


@contextlib.contextmanager
def refreshing(registry: Registry, changed: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Looks at the connections file once a second, in a thread.

    Args:
        registry: read again.
        changed: called once another one serves.
    """
    counted = registry.bad_edits

    def refresh() -> None:
        nonlocal counted
        if registry.refresh():
            changed()
        if registry.bad_edits != counted:
            CONFIGURATION_ERRORS.inc(registry.bad_edits - counted)
            counted = registry.bad_edits
            log.error("connections_not_read", problems=list(registry.problems))

    with repeating("connections", REFRESH_SECONDS, refresh):
        yield


@contextlib.contextmanager
def measuring(clock: DatabaseClock) -> Iterator[None]:
    """Measures the database's clock now, and then now and again in a thread.

    Raises:
        TransientError: the database is away already.
    """
    told = 0.0

    def measure() -> None:
        nonlocal told
        off = clock.measure().total_seconds()
        if abs(off - told) > CLOCK_WARN_SECONDS:
            log.warning("clocks_disagree", database_ahead_seconds=off)
            told = off

    def measure_again() -> None:
        with contextlib.suppress(TransientError):  # what was measured last stands
            measure()

    measure()
    with repeating("clock", MEASURE_SECONDS, measure_again):
        yield


@contextlib.contextmanager
def repeating(name: str, seconds: float, work: Callable[[], None]) -> Iterator[None]:
    """Does something again and again in a thread, while the block runs."""
    stop = threading.Event()

    def repeat() -> None:
        while not stop.wait(seconds):
            try:
                work()
            except Exception:  # whatever it is, the next time may be better
                log.exception("upkeep_failed", name=name)

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(END_SECONDS)
