"""What the scheduler's tick of due rows asks of the store, and how it rings for what it got."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from handlers.errors import TransientError
from handlers.store import retries
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker.logs import about
from worker.streams_leases import delivery_ids
from worker.streams_server import AGAIN
from worker.tracing import spans

log = structlog.get_logger(__name__)


class DueRows:
    """Leases rows that are due and rings for them.

    Args:
        database: where the rows are.
        ring: sends ids to the workers as one message.
        clock: now, as an aware UTC time.
    """

    def __init__(
        self, database: Database, ring: Callable[[Sequence[retries.RowId]], None], clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._ring = ring
        self._clock = clock
        self._steady_since: datetime | None = clock()

    def lease(self, limit: int, duration: timedelta) -> Sequence[retries.RowId]:
        """Takes so many rows for so long, and commits that, so that a lost ring costs no more than a lease."""
        now = self._clock()
        since = self._steady_since or now
        try:
            with self._database.write() as connection:
                leased = retries.lease_due(
                    Transaction(connection), now=now, lease=duration, limit=limit, steady_since=since
                )
        except TransientError:
            # A worker that could not write either must not count as ended by what it was at.
            self._steady_since = None
            raise
        self._steady_since = since
        return leased

    def ring(self, ids: Sequence[retries.RowId]) -> None:
        """Rings once for all, but for each that is suspected of ending workers by itself."""
        with self._database.read() as connection:
            suspects = retries.suspects(Transaction(connection), ids)
        others = [row for row in ids if row not in suspects]
        for rows in ([others] if others else []) + [[row] for row in sorted(suspects)]:
            began = time.time_ns()
            self._ring(rows)
            named = delivery_ids(rows)
            about(log.info, "retries_rung", named)
            tracing = spans()
            if tracing is not None:
                tracing.sent(AGAIN, named, began)
