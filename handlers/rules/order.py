"""The order of facts: one comparable text per event, the same wherever and whenever it is computed.

The order key is (version or -1, `occurred_at` in microseconds, lifecycle rank, event id, digest), compared as a whole.
It is kept as one *stamp*, a text whose byte order is the key's order, so that Python, SQLite and PostgreSQL
(`COLLATE "C"`) agree without knowing its parts. Neither an arrival time nor a delivery id is in it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from handlers.events import Action, Event, Json

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

VERSION_OFFSET = 2**63
"""Lifts a signed 64-bit version above zero, so that sixteen hexadecimal digits order it."""
TIME_OFFSET = 2**62
"""Lifts microseconds since 1970 above zero; years 1 to 9999 need 59 bits."""
TIME_DIGITS = slice(16, 32)

CREATED_RANK = 0
NO_STATUS_RANK = 1
OTHER_STATUS_RANK = 10
"""A status that the lifecycle does not know (`unknown`): after plain updates, before every known one."""
STATUS_RANKS: Mapping[str, Mapping[str, int]] = {
    "work_order": {
        "requested": 11,
        "approved": 12,
        "scheduled": 13,
        "in_progress": 14,
        "on_hold": 15,
        "completed": 16,
        "closed": 17,
        "cancelled": 19,
    },
    "asset": {"down": 11, "maintenance": 12, "standby": 13, "operating": 14},
}
ACTION_RANKS: Mapping[Action, int] = {
    Action.CREATED: CREATED_RANK,
    Action.REOPENED: 18,
    Action.STARTED: 11,
    Action.ENDED: 12,
    Action.CORRECTED: 13,
    Action.DELETED: 90,
    Action.RESTORED: 91,
}
"""Actions that decide the rank alone, whatever status the event states."""


def stamp(event: Event) -> str:
    """The event's order key as one text: version, time and rank in fixed width, then id and digest.

    The id is written in hexadecimal: that keeps the order of its bytes, and the dot that ends it sorts before every
    digit, so a shorter id sorts before a longer one that it begins.
    """
    version = -1 if event.version is None else event.version
    micros = (event.occurred_at - EPOCH) // MICROSECOND
    return (
        f"{version + VERSION_OFFSET:016x}{micros + TIME_OFFSET:016x}{rank(event):02d}."
        f"{event.event_id.encode().hex()}.{event.digest}"
    )


def occurred_at(stamped: str) -> datetime:
    """The time inside a stamp (UTC)."""
    return EPOCH + (int(stamped[TIME_DIGITS], 16) - TIME_OFFSET) * MICROSECOND


def event_of(stamped: str) -> str:
    """The id of the event inside a stamp."""
    return bytes.fromhex(stamped.split(".", 2)[1]).decode()


def rank(event: Event) -> int:
    """Which of two facts of equal version and time comes first: the lower, as a life usually runs."""
    decided = ACTION_RANKS.get(event.action)
    if decided is not None:
        return decided
    status = word(event.fields.get("status"))
    if status is None:
        return NO_STATUS_RANK
    return STATUS_RANKS.get(event.kind, {}).get(status, OTHER_STATUS_RANK)


def word(status: Json) -> str | None:
    """The unified word of a kept status (`{"value": …}` or the plain word); None where it states none."""
    value = status.get("value") if isinstance(status, dict) else status
    return value if isinstance(value, str) else None
