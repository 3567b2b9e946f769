"""Replays that the console runs: each in a thread of its own, and those that somebody else left lying.

A replay is rows in the database, sent a few at a time under a lock, so it goes on wherever somebody runs it; two that
run the same one send no letter twice.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from handlers.errors import MaintenworksError
from handlers.store import replays
from handlers.store.engine import Database
from handlers.store.replays import Replay
from handlers.store.rowset import Transaction
from worker import replay as replaying

LEFT_LYING = timedelta(seconds=60)
"""A replay that is run takes a step every few seconds, whatever its rate; one that took none for so long is not run."""
LOOK_SECONDS = 15.0

log = structlog.get_logger()


class _StoppingError(Exception):
    """This process ends; another goes on."""


class Runner:
    """Runs replays until it is closed.

    Args:
        database: where they are.
        clock: now (UTC).
    """

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._stop = threading.Event()
        self._running: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def run(self, replay: Replay) -> None:
        """Has a replay run, unless this process runs it already; returns at once."""
        with self._lock:
            known = self._running.get(replay.replay_id)
            if self._stop.is_set() or (known is not None and known.is_alive()):
                return
            thread = threading.Thread(target=self._run, args=(replay,), name=f"replay-{replay.replay_id}", daemon=True)
            self._running[replay.replay_id] = thread
            thread.start()

    def adopt(self) -> None:
        """Runs what is said to run and has taken no step for long: its process has died."""
        try:
            with self._database.read() as connection:
                found = replays.listed(Transaction(connection))
        except MaintenworksError:  # the database is away; nothing can be run now
            return
        oldest = self._clock() - LEFT_LYING
        for each in found:
            if each.state == replays.RUNNING and each.updated_at < oldest:
                self.run(each)

    def close(self, patience: float) -> None:
        """Lets each end after the step that it is at; whoever comes next goes on with them."""
        self._stop.set()
        with self._lock:
            threads = list(self._running.values())
        for each in threads:
            each.join(patience)

    def _run(self, replay: Replay) -> None:
        try:
            done = replaying.run(
                self._database, replay, clock=self._clock, wait=self._stop.wait, advance=self._go_on_or_end
            )
            log.info("replay_ended", replay=done.replay_id, state=done.state, sent=done.sent, skipped=done.skipped)
        except _StoppingError:
            log.info("replay_left", replay=replay.replay_id)
        except MaintenworksError as error:
            log.warning("replay_interrupted", replay=replay.replay_id, reason=str(error))

    def _go_on_or_end(self, _: int) -> None:
        if self._stop.is_set():
            raise _StoppingError
