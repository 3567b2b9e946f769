"""How far it is: the tables and the queue, looked at while the systems send and until nothing moves any more."""

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Final

from handlers.errors import TransientError
from handlers.store import balance as tables
from handlers.store import gauges
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker.address import embedded_socket, socket_url
from worker.demo.display import Row
from worker.demo.upstream import Upstream
from worker.queue import queue_state

LOOK_SECONDS: Final = 0.5
"""Between two looks while there is more to send; at least five times as long as one takes."""
LAST_LOOKS_SECONDS: Final = 0.1
"""Between two looks after that."""
STALLED_SECONDS: Final = 90.0
"""After so long without any progress what is not there counts as lost; a killed worker's work is taken up in 20."""


class Watch:
    """Looks at the tables and the queue while the systems send.

    Args:
        upstreams: those that send.
        database: the tables.
        home: where the broker is.

    Attributes:
        upstreams: as given.
    """

    def __init__(self, upstreams: Sequence[Upstream], database: Database, home: Path) -> None:
        self.upstreams = upstreams
        self._database = database
        self._broker = socket_url(embedded_socket(home))
        self._settled: dict[str, dict[str, int]] = {each.connection: {} for each in upstreams}
        self._waiting = True

    def look(self) -> None:
        """One look; what is away for a moment is looked at again."""
        with contextlib.suppress(TransientError):
            for count in tables.counts(self._database):
                self._settled.setdefault(count.connection, {})[count.fate] = count.events
            with self._database.read() as connection:
                retrying = gauges.waiting_retries(Transaction(connection))
            queued = sum(lane.ready + lane.in_flight for lane in queue_state(self._broker))
            self._waiting = retrying + queued > 0

    @property
    def done(self) -> bool:
        """Whether nothing waits anywhere, as of the last look."""
        return not self._waiting and all(row.behind == 0 for row in self.rows())

    def rows(self) -> list[Row]:
        """What there is to show."""
        return [self._row(each) for each in self.upstreams]

    def _row(self, upstream: Upstream) -> Row:
        figures, settled = upstream.figures, self._settled[upstream.connection]
        return Row(
            connection=upstream.connection,
            scheme=upstream.scheme.name,
            posted=figures.posted,
            accepted=figures.events,
            refused=figures.refused,
            failed=sum(figures.failed.values()),
            settled=dict(settled),
            duplicates=figures.events - len(figures.distinct),
            behind=max(0, len(figures.distinct) - sum(settled.values())),
        )

    def until_settled(self, sending: "Future[None]", show: Callable[[Sequence[Row]], None]) -> None:
        """Looks until everything was sent and nothing waits, or nothing has moved for long.

        Args:
            sending: whatever sends; what it raises is raised here.
            show: called after each look.
        """
        moved, before = time.monotonic(), self.rows()
        while True:
            began = time.monotonic()
            sent = sending.done()
            self.look()
            rows = self.rows()
            show(rows)
            if rows != before:
                moved, before = time.monotonic(), rows
            if sent and (self.done or time.monotonic() - moved > STALLED_SECONDS):
                return sending.result()
            pause = max(LAST_LOOKS_SECONDS if sent else LOOK_SECONDS, 5 * (time.monotonic() - began))
            if sent:
                time.sleep(pause)
            else:
                wait([sending], pause)
