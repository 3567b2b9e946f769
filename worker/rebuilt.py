"""What a rebuild came to."""

from typing import NamedTuple

from handlers.events import Json
from handlers.store.differences import DIFFERS, EXTRA, MISSING

PROBLEMS = (MISSING, EXTRA, DIFFERS)
FATES = ("applied", "buried", "retried")


class Rebuilt(NamedTuple):
    """What a rebuild came to.

    Attributes:
        deliveries: read.
        older: events that had been read by another map.
        events: how many rows of them were missing, extra and different.
        rows: likewise of state.
        failures: dead letters that were `applied` or `buried`; `retried` what is tried again.
        held_s: seconds for which nobody else could write, less those of the commit.
    """

    deliveries: int
    older: int
    events: dict[str, int]
    rows: dict[str, int]
    failures: dict[str, int]
    held_s: float = 0.0

    @property
    def told(self) -> dict[str, Json]:
        """As JSON."""
        return {
            "deliveries": self.deliveries,
            "older_map_events": self.older,
            "events": {name: self.events.get(name, 0) for name in PROBLEMS},
            "rows": {name: self.rows.get(name, 0) for name in PROBLEMS},
            "dead_letters": {name: self.failures.get(name, 0) for name in FATES},
        }
