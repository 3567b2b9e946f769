"""What Fiix' tables alone cannot say of its objects: lists in texts, ids of lookup tables, sums."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from handlers.sources import _fiix_lookups as lookups
from handlers.sources import _fiix_tables as tables
from handlers.sources._converters import EXACT, SECONDS_AN_HOUR, amount, reference
from handlers.sources._mapping import Field
from handlers.sources._node import Node

PLACE: Final = 1
"""`intSysCode` of the category of places, in one example (INFERRED)."""


def work_order(node: Node, data: dict[str, Any]) -> None:
    """Completes a work order."""
    if "strDescription" in node:
        data["title"] = tables.title(node)
    status = lookups.status(node, "intWorkOrderStatusID", "WorkOrderStatus")
    if status is not None:
        data["status"] = status
    if "intPriorityID" in node:
        data["priority"] = lookups.priority(node, "intPriorityID")
    _type(node, data)
    assets = _listed(node, "strAssetIds", "strAssets")
    if assets is not None:
        data["asset_refs"] = [reference(key, label) for key, label in assets]
        data["asset_ref"] = data["asset_refs"][0] if assets else None
    people = _listed(node, "strAssignedUserIds", "strAssignedUsers")
    if people is not None:
        data["assignees"] = [{"key": key, "label": label} for key, label in people]
    vendors = _listed(node, "strVendorIds", "strVendors")
    if vendors is not None:
        data["vendor_refs"] = [reference(key, label) for key, label in vendors]
    _people(node, data)
    if "strCompletionNotes" in node or "strAdminNotes" in node:
        data["notes"] = _texts(node, "strCompletionNotes", "strAdminNotes")
    _sums(node, data)


def _type(node: Node, data: dict[str, Any]) -> None:
    if "intMaintenanceTypeID" not in node:
        return
    known = lookups.row(node, "intMaintenanceTypeID", "MaintenanceType")
    name = None if known is None else known.name
    data["type_source"] = name or node.text("intMaintenanceTypeID")
    if name is not None:
        data["type"] = tables.TYPES.get(lookups.plain(name), name)


def _people(node: Node, data: dict[str, Any]) -> None:
    if "intCompletedByUserID" in node:
        by = node.text("intCompletedByUserID")
        data["completed_by"] = None if by is None else {"key": by}
    if "intRequestedByUserID" in node or "strNameUserGuest" in node:
        data["requested_by"] = node.text("strNameUserGuest") or node.text("intRequestedByUserID")


def _sums(node: Node, data: dict[str, Any]) -> None:
    """Labour as the sum of the tasks', and the work's start as that of the first of them (INFERRED)."""
    tasks = node.nodes("WorkOrderTask")
    for target, name in (("estimated_labor", "dblTimeEstimatedHours"), ("actual_labor", "dblTimeSpentHours")):
        spent = [each for each in (task.number(name) for task in tasks) if each is not None]
        if spent:
            data[target] = _seconds(spent)
    started = [row["started_at"] for row in data.get("tasks") or () if isinstance(row.get("started_at"), str)]
    if started:
        data["actual_start_at"] = min(started)


def _seconds(spent: Iterable[Decimal]) -> int:
    total = Decimal(0)
    for each in spent:
        total = EXACT.add(total, each)
    return int(EXACT.multiply(total, Decimal(SECONDS_AN_HOUR)).to_integral_value())


def asset(node: Node, data: dict[str, Any]) -> None:
    """Completes an asset: its place among the kinds of asset, and whether it runs."""
    category = lookups.row(node, "intCategoryID", "AssetCategory")
    if "intCategoryID" in node:
        data["category"] = (None if category is None else category.name) or node.text("intCategoryID")
    if node.get("bolIsSite") in (1, "1") or (category is not None and category.system_code == PLACE):
        data["record_kind"] = "location"
    is_up = data.get("is_up")
    if is_up is not None:
        data["status"] = {"value": "operating" if is_up else "down", "source_code": node.text("bolIsOnline")}
    if "strAddress" in node:
        data["address"] = tables.address(node)


def item(node: Node, data: dict[str, Any]) -> None:
    """Completes a part."""
    category = lookups.row(node, "intCategoryID", "AssetCategory")
    if "intCategoryID" in node:
        data["category"] = (None if category is None else category.name) or node.text("intCategoryID")
    price = node.get("dblLastPrice")
    if price is not None:
        cost = amount(price, node, Field("unit_cost", name="dblLastPrice"))
        data["unit_cost"] = {**(cost if isinstance(cost, dict) else {"amount": cost}), "method": "last"}
    if node.get("qtyMinStockCount") is not None:
        level = {"on_hand": node.number("qtyStockCount"), "reorder_point": node.number("qtyMinStockCount")}
        data["stock_levels"] = [level]


def vendor(node: Node, data: dict[str, Any]) -> None:
    """Completes a vendor."""
    if "strAddress" in node:
        found = tables.address(node)
        data["addresses"] = [] if found is None else [found]
    for target, names in (
        ("phones", ("strPhone", "strPhone2")),
        ("emails", ("strPrimaryEmail", "strSecondaryEmail")),
    ):
        if any(name in node for name in names):
            data[target] = _texts(node, *names)


def plan(node: Node, data: dict[str, Any]) -> None:
    """Completes a plan; what triggers it is in no class of the client."""
    if "strDescription" in node:
        data["name"] = tables.title(node)
    status = lookups.status(node, "intScheduledMaintenanceStatusID", "ScheduledMaintenanceStatus", tables.PLAN_STATUSES)
    if status is not None:
        data["status"] = status
    generates: dict[str, Any] = {}
    kind = lookups.row(node, "intMaintenanceTypeID", "MaintenanceType")
    if kind is not None and kind.name is not None:
        generates["type"] = tables.TYPES.get(lookups.plain(kind.name), kind.name)
    priority = lookups.priority(node, "intPriorityID")
    if priority is not None:
        generates["priority"] = priority
    begins = lookups.status(node, "intStartAsWorkOrderStatusID", "WorkOrderStatus")
    if begins is not None:
        generates["status"] = begins
    if generates:
        data["generates"] = generates


def _texts(node: Node, *names: str) -> list[str]:
    return [each for each in map(node.text, names) if each is not None]


def _listed(node: Node, ids: str, names: str) -> list[tuple[str, str | None]] | None:
    """Ids of a comma-separated list, each with its name where that is sure; None where the element has none."""
    if ids not in node:
        return None
    keys = [each for each in map(str.strip, (node.text(ids) or "").split(",")) if each]
    labels: list[str | None] = list(map(str.strip, (node.text(names) or "").split(",")))
    return list(zip(keys, labels if len(labels) == len(keys) else [None] * len(keys), strict=True))
