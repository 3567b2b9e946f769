"""Finance & Supply Chain Management: work orders with their lines, and assets."""

from typing import Any, Final

from handlers.sources import _dynamics_fo_tables as tables
from handlers.sources._converters import EXACT
from handlers.sources._dynamics_fo_values import company_of, link, put_link, state
from handlers.sources._mapping import Stated
from handlers.sources._node import Node
from handlers.sources._odata import own_in_row, put_address

ORDER_STATES: Final = {  # I
    "new": "requested",
    "created": "requested",
    "active": "approved",
    "released": "approved",
    "approved": "approved",
    "scheduled": "scheduled",
    "dispatched": "scheduled",
    "inprogress": "in_progress",
    "started": "in_progress",
    "pending": "on_hold",
    "waiting": "on_hold",
    "onhold": "on_hold",
    "completed": "completed",
    "ended": "completed",
    "finished": "completed",
    "closed": "closed",
    "posted": "closed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "rejected": "cancelled",
}
IN_USE: Final = frozenset({"operating", "standby", "maintenance", "down"})
FIRST_LINE: Final = 1


def work_order(node: Node) -> Stated:
    """AssetMaintenanceWorkOrderTablesV2."""
    company = company_of(node)
    stated = tables.WORK_ORDER.tell(node)
    data = stated.data
    data["number"], data["record_kind"] = node.key("WorkOrderId"), "order"
    kind, code = node.text("WorkOrderTypeId"), node.text("WorkOrderLifecycleStateId")
    if kind is not None:
        data["type_source"] = kind
    if code is not None:
        data["status"] = {"value": state(ORDER_STATES, code), "source_code": code}
    if "ExpectedEnd" in node:
        data["due_at"] = node.get("ExpectedEnd")
    put_link(node, data, "parent_ref", "ParentWorkOrderId", company)
    put_link(node, data, "request_ref", "MaintenanceRequestId", company)
    workers = ("ResponsibleWorkerPersonnelNumber", "ScheduledWorkerPersonnelNumber")
    if any(name in node for name in workers):
        found = dict.fromkeys(number for number in map(node.text, workers) if number is not None)
        data["assignees"] = [{"key": number} for number in found]
    if node.get("WorkOrderLines") is not None:
        _tasks(data, node.nodes("WorkOrderLines"), company)
    return stated


def _tasks(data: dict[str, Any], lines: list[Node], company: str) -> None:
    assets: dict[str, dict[str, Any]] = {}
    planned = 0
    for row, line in zip(data["tasks"], lines, strict=True):
        asset = link(line, "MaintenanceAssetId", company)
        if asset is not None:
            row["asset_ref"] = assets.setdefault(asset["key"], asset)
        planned += row.get("planned_labor") or 0
        own_in_row(line, row)
    first = next((line for line in lines if _is_first(line)), lines[0] if lines else None)
    data["asset_ref"] = None if first is None else link(first, "MaintenanceAssetId", company)
    data["asset_refs"] = list(assets.values())
    if first is not None and "FunctionalLocationId" in first:  # I
        data["location_ref"] = link(first, "FunctionalLocationId", company)
    data["estimated_labor"] = planned


def _is_first(line: Node) -> bool:
    number = line.number("LineNumber")
    return number is not None and EXACT.compare(number, FIRST_LINE) == 0


def work_order_line(node: Node) -> Stated:
    """AssetMaintenanceWorkOrderLines: a line by itself only asks for its order; the first has the order's asset."""
    data: dict[str, Any] = {}
    if _is_first(node) and "MaintenanceAssetId" in node:
        data["asset_ref"] = link(node, "MaintenanceAssetId", company_of(node))
    return Stated(data, {})


def asset(node: Node) -> Stated:
    """AssetMaintenanceAssetsV2."""
    company = company_of(node)
    stated = tables.ASSET.tell(node)
    data = stated.data
    data["number"], data["record_kind"] = node.key("MaintenanceAssetId"), "equipment"
    code = node.text("MaintenanceAssetLifecycleStateId")
    if code is not None:
        value = state(tables.ASSET_STATES, code)
        data["status"] = {"value": value, "source_code": code}
        stands = node.given.options.status_map.get(code) or value
        if stands is not None:
            data["is_active"] = stands in IN_USE
    put_link(node, data, "location_ref", "FunctionalLocationId", company)
    put_link(node, data, "parent_ref", "ParentMaintenanceAssetId", company)
    put_link(node, data, "vendor_ref", "VendAccount", company)
    put_address(node, data, "address", tables.ADDRESS)
    return stated
