"""An outage as the log tells it: one line when it begins, one every few seconds while it lasts, one when it is over."""

import logging
import threading
import time
from collections.abc import Callable

import structlog

EVERY_SECONDS = 10.0
"""Between two lines of an outage that lasts; attempts in between are counted."""
OF_DRAMATIQ = ("Consumer encountered a connection error: %s", "Restarting consumer in %0.2f seconds.")
"""What dramatiq 2 says at each attempt of each consumer, word for word (`dramatiq.worker.ConsumerThread.run`)."""

log = structlog.get_logger(__name__)


class Outage:
    """Whether something can be reached, told to the log.

    Args:
        away: the event of a line while it cannot.
        back: of the line once it can.
        clock: monotonic seconds.
        fields: of every line.
    """

    def __init__(self, away: str, back: str, *, clock: Callable[[], float] = time.monotonic, **fields: str) -> None:
        self._away = away
        self._back = back
        self._clock = clock
        self._fields = fields
        self._lock = threading.Lock()
        self._attempts = 0
        self._since = self._told = 0.0

    def failed(self, error: BaseException) -> None:
        """An attempt has failed."""
        with self._lock:
            now = self._clock()
            self._attempts += 1
            if self._attempts == 1:
                self._since = now
            elif now - self._told < EVERY_SECONDS:
                return
            self._told = now
            log.warning(self._away, **self._fields, attempts=self._attempts, reason=str(error) or type(error).__name__)

    def ended(self) -> None:
        """An attempt has succeeded; says nothing where none had failed before."""
        with self._lock:
            if self._attempts:
                seconds = round(self._clock() - self._since, 1)
                log.info(self._back, **self._fields, attempts=self._attempts, seconds=seconds)
            self._attempts = 0


def tell_instead_of_dramatiq(lane: str) -> None:
    """Keeps dramatiq from saying at each attempt what an `Outage` says of the lane; all else it goes on saying."""
    logging.getLogger(f"dramatiq.worker.ConsumerThread({lane})").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return record.msg not in OF_DRAMATIQ
