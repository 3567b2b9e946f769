"""MaintainX's members and enums, and what each becomes; `maintainx` cites where they are from. I: INFERRED."""

from typing import Any

from handlers.sources._converters import cents, coded, moment, reference, text
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._node import Node

WORK_ORDER_STATUSES = {
    "OPEN": "approved",  # status_map may say scheduled
    "IN_PROGRESS": "in_progress",
    "ON_HOLD": "on_hold",
    "DONE": "completed",
    "CANCELED": "cancelled",
    "SKIPPED": "cancelled",
}
"""Webhooks have the first four and a sub-status, REST has all six."""
GIVEN_UP = frozenset({"CANCELED", "SKIPPED"})
"""Sub-statuses with which DONE means the contrary."""
REQUEST_STATUSES = {"PENDING": "requested", "APPROVED": "approved", "REJECTED": "cancelled", "DONE": "completed"}
ASSET_STATUSES = {"ONLINE": "operating", "OFFLINE": "down", "IGNORE": "not_in_service"}
DOWNTIMES = {"PLANNED": True, "UNPLANNED": False}
PRIORITIES = {"NONE": "none", "LOW": "low", "MEDIUM": "medium", "HIGH": "high"}
TYPES = {"PREVENTIVE": "preventive", "REACTIVE": "corrective", "CYCLE_COUNT": "other", "OTHER": "other"}

RECORD: dict[str, Any] = {
    "id": Field("source_id", text),
    "createdAt": Field("source_created_at", moment),
    "updatedAt": Field("source_updated_at", moment),
    "deletedAt": used(),
    "extraFields": used(),
}
"""Members that every object may have."""


def _parties(value: Any, node: Node, field: Field) -> list[dict[str, Any]]:
    return [{"key": key} for key in _keys(value, node, field)]


def references(value: Any, node: Node, field: Field) -> list[Any]:
    """Ids as references."""
    return [reference(key) for key in _keys(value, node, field)]


def _first(value: Any, node: Node, field: Field) -> Any:
    """Of several the first, where ours has room for one."""
    return next(iter(references(value, node, field)), None)


def _keys(value: Any, node: Node, field: Field) -> list[str]:
    if not isinstance(value, list):
        raise node.wrong_type(field.name, "an array of ids")
    return [each if isinstance(each, str) else text(each, node, field) or "" for each in value]


def names(value: Any, node: Node, field: Field) -> str | None:
    """Categories and types: names, or objects with one."""
    if not isinstance(value, list):
        raise node.wrong_type(field.name, "an array")
    told = [each if isinstance(each, str) else each.get("name") for each in value if isinstance(each, str | dict)]
    return ", ".join(each for each in told if isinstance(each, str)) or None


PART_USED = Table(
    "",
    {
        "id": used("item_ref"),
        "name": "description",
        "quantityUsed": "used_qty",
        "unitCost": Field("unit_cost", cents),
        "locationId": Field("warehouse_ref", text),
    },
)

TIME = Table(
    "",
    {
        "type": used(),
        "userId": used("person"),
        "durationTotal": "seconds",
        "quantity": used(),  # hours, rounded; durationTotal is exact
        "costPerUnit": Field("rate", cents),  # an hour
        "rowTotal": Field("cost", cents),
    },
)


def _part_used(node: Node, row: dict[str, Any]) -> None:
    row["item_ref"] = reference(node.text("id"), node.text("name"))


def _time(node: Node, row: dict[str, Any]) -> None:
    person = node.text("userId")
    row["person"] = None if person is None else {"key": person}


WORK_ORDER = Table(
    "work_order",
    {
        **RECORD,
        "sequentialId": Field("number", text),
        "externalData": used("external_id"),
        "title": "title",
        "description": "description",
        "status": used("status"),
        "type": used("type"),
        "priority": Field("priority", coded(PRIORITIES)),
        "assetId": Field("asset_ref", text),
        "locationId": Field("location_ref", text),
        "organizationId": Field("site_ref", text),  # I: an organisation is a site in accounts of several
        "parentId": Field("parent_ref", text),
        "startDate": Field("planned_start_at", moment),
        "dueDate": used("due_at"),
        "dueDateIsFullDay": used("due_date"),
        "completedAt": used("completed_at"),
        "completerId": used("completed_by"),
        "estimatedTime": "estimated_duration",
        "requesterId": Field("requested_by", text),
        "assigneeIds": Field("assignees", _parties),
        "teamIds": Field("team_ref", _first),
        "vendorIds": Field("vendor_refs", references),
        "categories": Field("category", names),
        "parts": rows("parts", PART_USED, _part_used),
        "times": rows("labor", TIME, _time),
    },
)

REQUEST = Table(
    "work_order",
    {  # I: a request has the members of an order
        **RECORD,
        "title": "title",
        "description": "description",
        "status": used("status"),
        "priority": Field("priority", coded(PRIORITIES)),
        "assetId": Field("asset_ref", text),
        "locationId": Field("location_ref", text),
        "workOrderId": Field("converted_to_ref", text),
        "creatorId": Field("requested_by", text),
    },
)

ASSET = Table(
    "asset",
    {
        **RECORD,
        "globalUuid": "external_id",  # survives a transfer between organisations
        "name": "name",
        "description": "description",
        "barcode": Field("tag", text),
        "criticalityId": Field("criticality", coded({})),
        "assetTypes": Field("category", names),
        "parentId": Field("parent_ref", text),
        "locationId": Field("location_ref", text),
        "serialNumber": Field("serial_number", text),
        "manufacturer": "manufacturer",
        "model": "model",
        "vendorIds": Field("vendor_ref", _first),
        "status": used("status"),
        "depreciation": used("purchase_cost"),
    },
)

READING = Table(
    "meter_reading",
    {
        "id": Field("source_id", text),
        "meterId": used("meter_ref"),
        "value": "value",
        "readingDate": Field("read_at", moment),
    },
)
