"""What the work order behind a failure tells of how it was dealt with; what nobody said is None, never 0."""

from datetime import datetime, timedelta

import msgspec

from handlers.rules.registers import Record
from handlers.rules.times import parse_instant
from handlers.rules.work_times import work_times


class Repair(msgspec.Struct, frozen=True):
    """One order's part in a failure.

    Attributes:
        order: the order's key.
        detected_at: when the failure was detected, as the order states it.
        react: from its report to the first action (`handlers.rules.work_times`).
        active: how long it was in progress so far; None where it never was.
    """

    order: str
    detected_at: datetime | None = None
    react: timedelta | None = None
    active: timedelta | None = None


def repair(key: str, order: Record, horizon: datetime) -> Repair:
    """Reads one order.

    Args:
        key: its key.
        order: its registers.
        horizon: up to which what lasts is counted (UTC).
    """
    failure = order.fields.get("failure")
    times = work_times(order, horizon)
    return Repair(
        order=key,
        detected_at=parse_instant(failure.get("detected_at")) if isinstance(failure, dict) else None,
        react=times.react,
        active=times.in_progress or None,
    )
