"""The downtime interval: when an asset could not do its work, and why."""

from typing import Literal

from msgspec import Struct

from handlers.model.record import Record
from handlers.model.scalars import Flag, InstantOrDate, Number, Text
from handlers.model.values import Ref

ORDER_KEY_PREFIX = "work_order:"
"""How the key of an interval begins that a work order makes; no sender may use it (contract, section 5)."""


class SourceDuration(Struct, kw_only=True, omit_defaults=True):
    """The length that the source states; ours is always computed from start and end."""

    value: Number | None = None
    unit: Text | None = None


class Downtime(Record):
    """One interval. `planned` null is unknown, which is not the same as never stated.

    A start or end that is only a date is kept as a date: the interval is then known to the day.
    """

    asset_ref: Ref | None = None
    started_at: InstantOrDate | None = None
    ended_at: InstantOrDate | None = None
    planned: Flag | None = None
    failure: Flag | None = None
    cause: Literal["equipment", "external", "operational"] | None = None
    reason: Text | None = None
    reason_code: Text | None = None
    category: Text | None = None
    production_stop: Flag | None = None
    work_order_ref: Ref | None = None
    request_ref: Ref | None = None
    cause_asset_ref: Ref | None = None
    duration_source: SourceDuration | None = None
