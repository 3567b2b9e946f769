"""The work order: what is to be done, by whom, to what, and how far it has come."""

from collections.abc import Mapping
from typing import ClassVar, Literal, TypeAlias, get_args

from msgspec import Struct, field

from handlers.model.record import UNKNOWN, Record
from handlers.model.scalars import Date, Flag, Instant, InstantOrDate, Seconds, Text
from handlers.model.values import Coded, Money, Party, Priority, Quantity, Ref, Word

Status: TypeAlias = Literal[
    "requested", "approved", "scheduled", "in_progress", "on_hold", "completed", "closed", "cancelled", "unknown"
]
"""In the order of an ordinary order's life, for display only: any transition is legal."""

Type: TypeAlias = Literal[
    "corrective", "preventive", "predictive", "inspection", "calibration", "project", "other", "unknown"
]


class WorkOrderStatus(Word):
    """How far a work order has come."""

    value: Status

    words: ClassVar[Mapping[str, str]] = {word: word for word in get_args(Status)}
    fallback: ClassVar[str | None] = UNKNOWN


class Failure(Struct, kw_only=True, omit_defaults=True):
    """What broke and why, in the terms of ISO 14224:2016, annex B."""

    class_: Coded | None = field(name="class", default=None)
    object_part: Coded | None = None
    mode: Coded | None = None
    mechanism: Coded | None = None
    cause: Coded | None = None
    remedy: Coded | None = None
    detection_method: Coded | None = None
    detected_at: Instant | None = None


class Task(Struct, kw_only=True, omit_defaults=True):
    """One step of the work; its status in the source's own words."""

    sequence: Text | None = None
    title: Text | None = None
    status: Text | None = None
    asset_ref: Ref | None = None
    work_center: Text | None = None
    planned_labor: Seconds | None = None
    actual_labor: Seconds | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None


class Part(Struct, kw_only=True, omit_defaults=True):
    """Material planned for the work or used up by it."""

    item_ref: Ref | None = None
    description: Text | None = None
    planned_qty: Quantity | None = None
    used_qty: Quantity | None = None
    unit_cost: Money | None = None
    warehouse_ref: Ref | None = None
    reservation: Text | None = None


class Labor(Struct, kw_only=True, omit_defaults=True):
    """Time that somebody spent; rate is per hour."""

    person: Party | None = None
    seconds: Seconds | None = None
    rate: Money | None = None
    cost: Money | None = None
    started_at: Instant | None = None
    finished_at: Instant | None = None


class Cost(Struct, kw_only=True, omit_defaults=True):
    """What something was to cost and what it did."""

    planned: Money | None = None
    actual: Money | None = None


class Costs(Struct, kw_only=True, omit_defaults=True):
    """Costs by kind; the total as the source states it, never our sum."""

    labor: Cost | None = None
    material: Cost | None = None
    service: Cost | None = None
    tool: Cost | None = None
    total: Cost | None = None


class WorkOrder(Record):
    """A work order, request, notification or task."""

    record_kind: Literal["order", "request", "notification", "task"] | None = None
    title: Text | None = None
    description: Text | None = None
    description_html: Text | None = None
    type: Type | None = None
    type_source: Text | None = None
    status: WorkOrderStatus | None = None
    priority: Priority | None = None
    asset_ref: Ref | None = None
    asset_refs: list[Ref] | None = None
    location_ref: Ref | None = None
    site_ref: Ref | None = None
    company_ref: Ref | None = None
    parent_ref: Ref | None = None
    request_ref: Ref | None = None
    converted_to_ref: Ref | None = None
    pm_plan_ref: Ref | None = None
    purchase_order_refs: list[Ref] | None = None
    requested_at: InstantOrDate | None = None
    requested_by: Text | None = None
    approved_at: Instant | None = None
    malfunction_start_at: Instant | None = None
    malfunction_end_at: Instant | None = None
    due_at: Instant | None = None
    due_date: Date | None = None
    planned_start_at: Instant | None = None
    planned_end_at: Instant | None = None
    scheduled_start_at: Instant | None = None
    scheduled_end_at: Instant | None = None
    actual_start_at: Instant | None = None
    actual_end_at: Instant | None = None
    completed_at: Instant | None = None
    closed_at: Instant | None = None
    cancelled_at: Instant | None = None
    estimated_duration: Seconds | None = None
    actual_duration: Seconds | None = None
    estimated_labor: Seconds | None = None
    actual_labor: Seconds | None = None
    requires_downtime: Flag | None = None
    asset_down: Flag | None = None
    assignees: list[Party] | None = None
    team_ref: Ref | None = None
    supervisor: Party | None = None
    completed_by: Party | None = None
    vendor_refs: list[Ref] | None = None
    category: Text | None = None
    tags: list[Text] | None = None
    failure: Failure | None = None
    tasks: list[Task] | None = None
    parts: list[Part] | None = None
    labor: list[Labor] | None = None
    costs: Costs | None = None
    notes: list[Text] | None = None
