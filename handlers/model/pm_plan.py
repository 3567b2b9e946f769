"""The maintenance plan: what is to be done again and again, and what makes it due."""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias, get_args

from msgspec import Struct

from handlers.model import work_order
from handlers.model.record import UNKNOWN, Record
from handlers.model.scalars import Count, Date, Flag, InstantOrDate, Number, Seconds, Text, Weekday
from handlers.model.values import Priority, Ref, Word

Status: TypeAlias = Literal["draft", "active", "suspended", "ended", "unknown"]


class PlanStatus(Word):
    """Whether a plan makes anything due."""

    value: Status

    words: ClassVar[Mapping[str, str]] = {word: word for word in get_args(Status)}
    fallback: ClassVar[str | None] = UNKNOWN


class Cycle(Struct, kw_only=True, omit_defaults=True):
    """How often: every `interval` units."""

    interval: Number | None = None
    unit: Literal["day", "week", "month", "year", "second"] | None = None
    label: Text | None = None


class Generates(Struct, kw_only=True, omit_defaults=True):
    """What the work orders it makes are like at first."""

    type: work_order.Type | None = None
    priority: Priority | None = None
    status: work_order.WorkOrderStatus | None = None


class PmPlan(Record):
    """A plan of preventive maintenance."""

    name: Text | None = None
    description: Text | None = None
    status: PlanStatus | None = None
    trigger_kind: Literal["time", "meter", "time_or_meter", "time_and_meter", "condition"] | None = None
    cycles: list[Cycle] | None = None
    meter_ref: Ref | None = None
    meter_interval: Number | None = None
    next_meter_value: Number | None = None
    recurrence_basis: Literal["fixed", "floating"] | None = None
    days_of_week: list[Weekday] | None = None
    start_date: Date | None = None
    end_date: Date | None = None
    next_due_at: InstantOrDate | None = None
    next_due_overridden: Flag | None = None
    last_generated_at: InstantOrDate | None = None
    last_completed_at: InstantOrDate | None = None
    lead_time_days: Count | None = None
    calendar: Text | None = None
    asset_refs: list[Ref] | None = None
    location_refs: list[Ref] | None = None
    job_plan_ref: Ref | None = None
    generates: Generates | None = None
    estimated_duration: Seconds | None = None
    counter: Count | None = None
