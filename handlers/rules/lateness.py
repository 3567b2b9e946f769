"""Whether a work order is late: past its due moment, or past the end of its due day where it stands."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo

from handlers.events import Json
from handlers.rules.lifecycle import UNFINISHED
from handlers.rules.order import word
from handlers.rules.recurrence import end_of_day
from handlers.rules.times import is_date, parse_instant

SECOND = timedelta(seconds=1)


def due_end(order: Mapping[str, Json], zone: tzinfo) -> datetime | None:
    """The moment at which an unfinished order becomes late: `due_at`, else the midnight that ends `due_date`.

    Args:
        order: its fields, in kept form.
        zone: of its site.

    Returns:
        In UTC; None where nothing says, and for a day that no calendar goes beyond.
    """
    due = parse_instant(order.get("due_at"))
    day = order.get("due_date")
    if due is not None or not isinstance(day, str) or not is_date(day):
        return due
    try:
        return end_of_day(date.fromisoformat(day), zone)
    except (OverflowError, ValueError):
        return None


def is_unfinished(order: Mapping[str, Json]) -> bool:
    """Whether work on it is still to be done or going on; a deleted order's is not."""
    return order.get("is_deleted") is not True and word(order.get("status")) in UNFINISHED


def lateness(order: Mapping[str, Json], zone: tzinfo, now: datetime) -> dict[str, Json]:
    """What an order prints of it: `overdue`, null where it has no due time or nobody knows how far it is.

    `overdue_by` is the seconds since; null where it is not overdue.
    """
    end = due_end(order, zone)
    if end is None or word(order.get("status")) in {None, "unknown"}:
        return {"overdue": None, "overdue_by": None}
    late = is_unfinished(order) and now >= end
    return {"overdue": late, "overdue_by": (now - end) // SECOND if late else None}
