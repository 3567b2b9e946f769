"""The codes of failures that an event may end with: labels of metrics, so they are few, and known before they happen.

A code that is not here (an older version's, in a table that it left behind) is counted as `other`.
"""

from typing import Final

from worker.retries import POISON, UNCLASSIFIED
from worker.shared import REVOKED_CONNECTION, UNKNOWN_CONNECTION

OTHER: Final = "other"

READING: Final = frozenset(
    {
        "clock_skew",
        "malformed_gzip",
        "malformed_json",
        "malformed_value",
        "map_failed",
        "map_incomplete",
        "map_missing",
        "misplaced_id",
        "missing_field",
        "missing_time_zone",
        "out_of_range",
        "reserved_key",
        "too_deep",
        "too_large",
        "too_many_events",
        "unknown_time_zone",
        "wrong_type",
    }
)
"""What a source finds wrong with a payload."""
ROAD: Final = frozenset(
    {
        POISON,
        REVOKED_CONNECTION,
        UNCLASSIFIED,
        UNKNOWN_CONNECTION,
        "event_gone",
        "refused_by_database",
        "undecodable_message",
    }
)
"""What is wrong on the way."""
KNOWN: Final = READING | ROAD
SERVICES: Final = frozenset({"database_pool_exhausted", "database_unavailable"})
"""What a worker waits out, a batch in its hands."""


def labelled(code: str, known: frozenset[str] = KNOWN) -> str:
    """A code as a label."""
    return code if code in known else OTHER
