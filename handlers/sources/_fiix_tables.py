"""Fiix' members and names, and what each becomes; `fiix` cites where they are from. I: INFERRED."""

from typing import Any, Final

from handlers.sources._converters import (
    amount,
    flags,
    hours,
    moment_or_milliseconds,
    text,
)
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._node import Node

STATUSES: Final = {  # I, all but draft; each customer names and numbers its own
    "requested": "requested",
    "draft": "requested",
    "assigned": "approved",
    "open": "approved",
    "scheduled": "scheduled",
    "work in progress": "in_progress",
    "on hold": "on_hold",
    "waiting for parts": "on_hold",
    "closed": "closed",
    "closed, complete": "closed",
    "completed": "completed",
    "closed, incomplete": "completed",
    "cancelled": "cancelled",
    "rejected": "cancelled",
}
PURCHASE_STATUSES: Final = {  # I
    "draft": "requested",
    "requested": "requested",
    "approved": "approved",
    "ordered": "in_progress",
    "partially received": "in_progress",
    "received": "completed",
    "closed": "closed",
    "cancelled": "cancelled",
}
PLAN_STATUSES: Final = {"draft": "draft", "active": "active", "paused": "suspended", "inactive": "suspended"}  # I
PRIORITIES: Final = {  # I
    "highest": "critical",
    "high": "high",
    "medium": "medium",
    "low": "low",
    "lowest": "low",
    "none": "none",
}
RANKS: Final = ("critical", "high", "medium", "low")
"""By `intOrder`, from 1; whatever comes behind is low too (I)."""
TYPES: Final = {  # I
    "preventive": "preventive",
    "corrective": "corrective",
    "reactive": "corrective",
    "damage": "corrective",
    "breakdown": "corrective",
    "inspection": "inspection",
    "calibration": "calibration",
    "project": "project",
    "predictive": "predictive",
}

_moment = moment_or_milliseconds
_set = flags(frozenset({1, "1"}), frozenset({0, "0"}))


def _first_line(value: Any, node: Node, field: Field) -> str | None:
    told = text(value, node, field)
    return None if told is None else told.strip().partition("\n")[0].strip() or None


def contact(value: Any, node: Node, field: Field) -> list[Any]:
    """A person's name as the one contact."""
    return [{"name": text(value, node, field)}]


TASK: Final = Table(
    "",
    {
        "id": used(),
        "intOrder": Field("sequence", text),
        "strDescription": Field("title", text),
        "intAssetID": Field("asset_ref", text),
        "dblTimeEstimatedHours": Field("planned_labor", hours),
        "dblTimeSpentHours": Field("actual_labor", hours),
        "dtmStartDate": Field("started_at", _moment),
        "dtmDateCompleted": Field("ended_at", _moment),
    },
)
PART_USED: Final = Table(
    "",
    {
        "id": used(),
        "intPartID": Field("item_ref", text),
        "qtySuggestedQuantity": "planned_qty",
        "qtyActualQuantityUsed": "used_qty",
        "intStockID": Field("reservation", text),
    },
)
WORK_ORDER: Final = Table(
    "work_order",
    {
        "id": Field("source_id", text),
        "strCode": Field("number", text),
        "strDescription": Field("description", text),
        "intWorkOrderStatusID": used("status"),
        "intPriorityID": used("priority"),
        "intMaintenanceTypeID": used("type"),
        "dtmDateCreated": Field("source_created_at", _moment),
        "dtmDateLastModified": Field("source_updated_at", _moment),
        "dtmSuggestedCompletionDate": Field("due_at", _moment),
        "dtmDateCompleted": Field("completed_at", _moment),
        "intSiteID": Field("site_ref", text),
        "strAssetIds": used("asset_refs"),
        "strAssignedUserIds": used("assignees"),
        "intCompletedByUserID": used("completed_by"),
        "intRequestedByUserID": used("requested_by"),
        "strNameUserGuest": used("requested_by"),
        "strVendorIds": used("vendor_refs"),
        "intRCAProblemID": Field("failure.mode", text),
        "intRCACauseID": Field("failure.cause", text),
        "intRCAActionID": Field("failure.remedy", text),
        "strCompletionNotes": used("notes"),
        "strAdminNotes": used("notes"),
        "WorkOrderTask": rows("tasks", TASK),
        "WorkOrderPart": rows("parts", PART_USED),
    },
)
ADDRESS: Final = ("strAddress", "strCity", "strProvince", "strPostalCode")
ASSET: Final = Table(
    "asset",
    {
        "id": Field("source_id", text),
        "strName": Field("name", text),
        "strCode": Field("number", text),
        "strDescription": Field("description", text),
        "strSerialNumber": Field("serial_number", text),
        "strMake": Field("manufacturer", text),
        "strModel": Field("model", text),
        "strBarcode": Field("tag", text),
        "intAssetParentID": Field("parent_ref", text),
        "intAssetLocationID": Field("location_ref", text),
        "intSiteID": Field("site_ref", text),
        "intCategoryID": used("category"),
        "bolIsOnline": Field("is_up", _set),
        "dblLastPrice": Field("purchase_cost", amount),
        **{name: used("address") for name in ADDRESS},
    },
)
STOP: Final = Table(
    "downtime",
    {
        "id": Field("source_id", text),
        "intAssetID": Field("asset_ref", text),
        "dtmOfflineFrom": Field("started_at", _moment),
        "dtmOffLineTo": Field("ended_at", _moment),
        "intReasonOfflineID": Field("reason_code", text),
        "intWorkOrderID": Field("work_order_ref", text),
        "strOfflineAdditionalInfo": Field("reason", text),
    },
)
READING: Final = Table(
    "meter_reading",
    {
        "id": Field("source_id", text),
        "intAssetID": Field("asset_ref", text),
        "dblMeterReading": "value",
        "dtmDateSubmitted": Field("read_at", _moment),
        "intMeterReadingUnitsID": used("meter_ref"),
        "intWorkOrderID": Field("work_order_ref", text),
        "intSubmittedByUserID": Field("read_by", text),  # I
    },
)
PLAN: Final = Table(
    "pm_plan",
    {
        "id": Field("source_id", text),
        "strCode": Field("number", text),
        "strDescription": Field("description", text),
        "intScheduledMaintenanceStatusID": used("status"),
        "intPriorityID": used("generates"),
        "intMaintenanceTypeID": used("generates"),
        "intStartAsWorkOrderStatusID": used("generates"),
        "dblSuggestedTime": Field("estimated_duration", hours),  # I: hours
        "dtmCreateDate": Field("source_created_at", _moment),
        "dtmUpdatedDate": Field("source_updated_at", _moment),
    },
)


def title(node: Node) -> str | None:
    """What a description begins with."""
    value = node.get("strDescription")
    return None if value is None else _first_line(value, node, Field("title", name="strDescription"))


def address(node: Node) -> dict[str, Any] | None:
    """An address, where its street is there."""
    street = node.text("strAddress")
    told = {
        "lines": [] if street is None else [street],
        "city": node.text("strCity"),
        "region": node.text("strProvince"),
        "postcode": node.text("strPostalCode"),
    }
    return told if any(told.values()) else None
