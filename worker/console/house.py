"""What pages and the API work with."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from handlers.connections import Registry
from handlers.store.engine import Database
from worker.console.pulse import Pulse
from worker.console.replaying import Runner
from worker.settings import WorkerSettings


def utc_now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class House(NamedTuple):
    """The parts of the console that ask and act.

    Attributes:
        database: where everything is kept; it may be away.
        registry: the connections.
        settings: where the files are, and the broker.
        runner: sends the letters of replays.
        now: the clock (UTC).
        pulse: how things went in the last half an hour; None where nobody takes it.
    """

    database: Database
    registry: Registry
    settings: WorkerSettings
    runner: Runner
    now: Callable[[], datetime] = utc_now
    pulse: Pulse | None = None
