"""The one clock by which due times, leases and leadership go: the database's.

Hosts disagree. Were each to go by its own clock, one that is ahead would take a living leader's duty away and put
retries off for longer than meant, and one that is behind would see leases run out early.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from handlers.store.engine import Database


def local() -> datetime:
    """This machine's time (UTC)."""
    return datetime.now(UTC)


class DatabaseClock:
    """Now, by the database's clock, as far as it was measured: our own, and what it was off.

    SQLite has none but ours.

    Args:
        database: whose clock.
        own: our own.
    """

    def __init__(self, database: Database, own: Callable[[], datetime] = local) -> None:
        self._database = database
        self._own = own
        self._off = timedelta(0)

    def __call__(self) -> datetime:
        """The time there (UTC)."""
        return self._own() + self._off

    def measure(self) -> timedelta:
        """Asks the database; a difference that the way there and back explains counts as none.

        Returns:
            By how much the database's clock is ahead of ours.

        Raises:
            TransientError: the database is away; what was measured last stands.
        """
        if self._database.dialect == "postgresql":
            with self._database.read() as connection:
                before = self._own()
                theirs: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
                after = self._own()
            self._off = min(theirs - before, timedelta(0)) + max(theirs - after, timedelta(0))
        return self._off
