"""What one run is to be; stream and schedule follow from it."""

from typing import NamedTuple

from tests.chaos.schedule import Fault, schedule
from tests.chaos.stream import Stream, stream

POSTGRESQL, SQLITE = "postgresql", "sqlite"
VALKEY, REDIS = "valkey", "redis"
DATABASES, BROKERS = (POSTGRESQL, SQLITE), (VALKEY, REDIS)

POSTS_PER_SECOND = 60.0
"""Well within what two cores commit while everything around fails, so that faults and not the backlog decide."""


class Plan(NamedTuple):
    """One run.

    Attributes:
        seed: decides stream and schedule.
        events: how many, each counted once.
        database: which kind.
        broker: which kind.
        pace: posts a second.
    """

    seed: int
    events: int
    database: str = POSTGRESQL
    broker: str = VALKEY
    pace: float = POSTS_PER_SECOND

    def stream(self) -> Stream:
        """What is told."""
        return stream(self.seed, self.events)

    def schedule(self) -> list[Fault]:
        """What goes wrong: faults begin for as long as posts do."""
        seconds = len(self.stream().posts) / self.pace
        return schedule(self.seed, seconds, has_database_server=self.database == POSTGRESQL)
