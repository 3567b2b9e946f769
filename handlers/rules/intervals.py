"""Down time told as intervals: one `downtime` record read into one span, defaults and anomalies derived."""

from datetime import datetime

import msgspec

from handlers.events import Json
from handlers.rules.registers import Record
from handlers.rules.times import is_date, parse_moment

FAILURE_CAUSES = frozenset({None, "equipment"})
"""Only these causes make an unplanned stop a failure of the asset by default."""


class Interval(msgspec.Struct, frozen=True):
    """One interval as it counts; times as aware datetimes.

    Attributes:
        asset_key: whose down time it is; None belongs to no asset.
        started_at: None where only an end is known yet.
        ended_at: None while it lasts.
        planned: None is unknown, counted as unplanned.
        failure: whether it is a failure of the asset.
        void: it never happened.
        day_precision: one of its times was told as a plain date; it is read as that day's first midnight.
        anomalies: what cannot be, as `{"code": …}`.
    """

    asset_key: str | None
    started_at: datetime | None
    ended_at: datetime | None
    planned: bool | None
    failure: bool
    void: bool
    day_precision: bool
    anomalies: list[dict[str, Json]]


def interval(record: Record) -> Interval:
    """Reads the registers of one `downtime` record (contract, section 5)."""
    planned = read_planned(record)
    failure = record.fields.get("failure")
    if not isinstance(failure, bool):
        failure = planned is not True and record.fields.get("cause") in FAILURE_CAUSES
    times = record.read("started_at"), record.read("ended_at")
    started, ended = parse_moment(times[0]), parse_moment(times[1])
    return Interval(
        asset_key=record.ref("asset_ref"),
        started_at=started,
        ended_at=ended,
        planned=planned,
        failure=failure,
        void=record.fields.get("is_deleted") is True,
        day_precision=any(is_date(time) for time in times),
        anomalies=_anomalies(started, ended, planned=planned),
    )


def read_planned(record: Record) -> bool | None:
    """Never stated reads False; stated as null is None, unknown."""
    if "planned" not in record.fields:
        return False
    value = record.fields["planned"]
    return value if isinstance(value, bool) else None


def _anomalies(started: datetime | None, ended: datetime | None, *, planned: bool | None) -> list[dict[str, Json]]:
    found: list[dict[str, Json]] = []
    if ended is not None and started is None:
        found.append({"code": "end_without_start"})
    if ended is not None and started is not None and ended < started:
        found.append({"code": "end_before_start"})
    if planned is None:
        found.append({"code": "planned_unknown"})
    return found
