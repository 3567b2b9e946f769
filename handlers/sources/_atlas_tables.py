"""Atlas' members and enums, and what each becomes; `atlas` cites where they are from. I: INFERRED."""

from typing import Any, Final

from handlers.sources._converters import (
    amount,
    coded,
    date_or_milliseconds,
    hours,
    moment_or_milliseconds,
    reference,
    text,
)
from handlers.sources._mapping import Field, Table, used
from handlers.sources._node import Node

ORDER_STATUSES: Final = {
    "OPEN": "approved",  # status_map may say scheduled
    "IN_PROGRESS": "in_progress",
    "ON_HOLD": "on_hold",
    "COMPLETE": "completed",
    "Ouvert": "approved",  # the French labels, which imports take
    "En cours": "in_progress",
    "En pause": "on_hold",
    "Terminé": "completed",
}
REQUEST_STATUSES: Final = {"PENDING": "requested", "APPROVED": "approved", "CANCELLED": "cancelled"}
PURCHASE_STATUSES: Final = {"PENDING": "requested", "APPROVED": "approved", "REJECTED": "cancelled"}
APPROVALS: Final = {"PENDING": "in_approval", "APPROVED": "approved", "REJECTED": "rejected"}
ASSET_STATUSES: Final = {
    "OPERATIONAL": "operating",
    "DOWN": "down",
    "EMERGENCY_SHUTDOWN": "down",
    "STANDBY": "standby",  # I, and so are the next three
    "MODERNIZATION": "maintenance",
    "INSPECTION_SCHEDULED": "maintenance",
    "COMMISSIONING": "not_in_service",
}
DOWN: Final = frozenset({"DOWN", "EMERGENCY_SHUTDOWN"})
"""The statuses in which an asset stands; the product counts every other as up."""
PRIORITIES: Final = {
    "NONE": "none",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "Basse": "low",
    "Moyenne": "medium",
    "Haute": "high",
}
UNITS: Final = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
BASES: Final = {"SCHEDULED_DATE": "fixed", "COMPLETED_DATE": "floating"}


def label(node: Node) -> str | None:
    """What an object is called: a thing by its name or title, a firm by the firm's, a person by both names."""
    for member in ("companyName", "name", "title"):
        named = node.text(member)
        if named is not None:
            return named
    person = " ".join(each for each in map(node.text, ("firstName", "lastName")) if each is not None)
    return person or node.text("customId")


def ref(value: Any, node: Node, field: Field) -> Any:
    """A reference to what an object with an id stands for, or the id alone."""
    inner = node.node(field.name) if isinstance(value, dict) else None
    return text(value, node, field) if inner is None else reference(inner.key("id"), label(inner))


def _alone(value: Any, node: Node, field: Field) -> list[Any]:
    return [ref(value, node, field)]


def name_of(value: Any, node: Node, field: Field) -> str | None:
    """What an object is called, or the text that stands in its place."""
    inner = node.node(field.name) if isinstance(value, dict) else None
    return text(value, node, field) if inner is None else label(inner)


def listed(value: Any, node: Node, field: Field) -> list[Any]:
    """A text where we have several of them."""
    found = text(value, node, field)
    return [] if found is None else [found]


AUDIT: Final[dict[str, Any]] = {
    "id": Field("source_id", text),
    "createdAt": Field("source_created_at", moment_or_milliseconds),
    "updatedAt": Field("source_updated_at", moment_or_milliseconds),
    "customFieldValues": used(),
}
_WORK: dict[str, Any] = {
    **AUDIT,
    "customId": Field("number", text),
    "title": "title",
    "description": Field("description", text),
    "priority": Field("priority", coded(PRIORITIES)),
    "asset": Field("asset_ref", ref),
    "location": Field("location_ref", ref),
    "team": Field("team_ref", ref),
    "category": Field("type_source", name_of),
    "dueDate": Field("due_at", moment_or_milliseconds),
    "estimatedStartDate": Field("planned_start_at", moment_or_milliseconds),
    "estimatedDuration": Field("estimated_duration", hours),
    "primaryUser": used("assignees"),
    "assignedTo": used("assignees"),
}
WORK_ORDER: Final = Table(
    "work_order",
    {
        **_WORK,
        "status": used("status"),
        "feedback": Field("notes", listed),
        "parentPreventiveMaintenance": Field("pm_plan_ref", ref),
        "parentRequest": used("request_ref"),
        "completedOn": Field("completed_at", moment_or_milliseconds),
        "completedBy": Field("completed_by", ref),
    },
)
REQUEST: Final = Table(
    "work_order",
    {
        **_WORK,
        "cancelled": used("status"),
        "cancellationReason": used("status"),
        "workOrder": Field("converted_to_ref", ref),
    },
)
ASSET: Final = Table(
    "asset",
    {
        **AUDIT,
        "customId": Field("number", text),
        "name": "name",
        "description": Field("description", text),
        "category": Field("category", name_of),
        "status": used("status"),
        "archived": used("is_active"),
        "barCode": used("tag"),
        "nfcId": used("tag"),
        "serialNumber": Field("serial_number", text),
        "model": Field("model", text),
        "manufacturer": Field("manufacturer", text),
        "acquisitionCost": Field("purchase_cost", amount),
        "inServiceDate": Field("in_service_date", date_or_milliseconds),
        "warrantyExpirationDate": Field("warranty_end_date", date_or_milliseconds),
        "parentAsset": Field("parent_ref", ref),
        "location": Field("location_ref", ref),
    },
)
METER: Final = Table(
    "meter",
    {
        **AUDIT,
        "name": "name",
        "unit": Field("unit", text),
        "asset": Field("asset_ref", ref),
        "location": Field("location_ref", ref),
    },
)
READING: Final = Table(
    "meter_reading",
    {
        "id": Field("source_id", text),
        "createdAt": Field("read_at", moment_or_milliseconds),
        "updatedAt": used(),
        "value": "value",
        "meter": Field("meter_ref", ref),
        "asset": Field("asset_ref", ref),
    },
)
DOWNTIME: Final = Table(
    "downtime",
    {
        "id": Field("source_id", text),
        "createdAt": Field("source_created_at", moment_or_milliseconds),
        "updatedAt": Field("source_updated_at", moment_or_milliseconds),
        "asset": Field("asset_ref", ref),
        "startsOn": Field("started_at", moment_or_milliseconds),
        "duration": used("ended_at"),
        "endsOn": used("ended_at"),
    },
)
PLAN: Final = Table(
    "pm_plan",
    {
        **AUDIT,
        "customId": Field("number", text),
        "name": "name",
        "description": Field("description", text),
        "nextWorkOrderDate": Field("next_due_at", moment_or_milliseconds),
        "priority": Field("generates.priority", coded(PRIORITIES)),
        "asset": Field("asset_refs", _alone),
        "location": Field("location_refs", _alone),
        "estimatedDuration": Field("estimated_duration", hours),
        "schedule": used("cycles"),
    },
)
