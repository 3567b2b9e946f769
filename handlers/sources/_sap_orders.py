"""SAP's maintenance orders, their operations and components."""

from collections.abc import Iterator
from typing import Any, Final

from handlers.sources._converters import joined, reference
from handlers.sources._mapping import UNTOLD, Stated
from handlers.sources._node import Node
from handlers.sources._sap_order_tables import ORDER, PART, TASK, TIMES
from handlers.sources._sap_status import ORDER_TYPES, order_status, put_priority
from handlers.sources._sap_tables import live, rows_of, told
from handlers.sources._sap_values import Clock, canonical, changed_at, key_of, number_of, seconds
from handlers.sources._told import Told


def order(node: Node) -> Iterator[Told]:
    """MaintenanceOrder, with what of it was expanded."""
    key = key_of(node, "MaintenanceOrder")
    site = node.text("MaintenancePlant") or node.text("MaintenancePlanningPlant")
    node.given.context.at_site(site)
    stated = ORDER.tell(node)
    data = stated.data
    data |= {"number": key, "source_id": node.text("MaintenanceOrder"), "record_kind": "order"}
    if "MaintenancePlant" in node or site is not None:
        data["site_ref"] = reference(site)
    type_ = ORDER_TYPES.get(node.text("MaintenanceOrderType") or "")
    if type_ is not None:
        data["type"] = type_
    clock = Clock(stated.custom)
    for target, (twin, day, time) in TIMES.items():
        is_empty = target == "requested_at" and node.get(twin) is None
        clock.tell(node, data, target, "MaintOrderReferenceDateTime" if is_empty else twin, day, time)
    put_priority(node, data)
    put_objects(node, data, node.text("EquipmentName"))
    if "MaintenanceNotification" in node:
        number = number_of(node, "MaintenanceNotification")
        data["request_ref"] = reference(request_key(number), number)
    _people(node, data)
    _expanded(node, stated, clock)
    changed = changed_at(node)
    status, is_deleted = order_status(node, data.get("scheduled_start_at"), changed or node.given.received_at)
    if status is not None:
        data["status"] = status
    verb = "deleted" if is_deleted else "updated"
    yield told(node, ORDER, key, stated, "MaintenanceOrder", verb=verb, occurred_at=changed)


def request_key(number: str | None) -> str | None:
    """The key of a notification: its numbers are drawn apart from those of orders, and one may be both."""
    return None if number is None else joined("notification", number)


def object_of(node: Node) -> str | None:
    """The key of the asset that a record is about: the equipment, else the place.

    `TechnicalObject` has zeros before it where `TechnicalObjectLabel` has none, in one record.
    """
    equipment = number_of(node, "Equipment")
    if equipment is not None:
        return equipment
    label = node.text("TechnicalObjectLabel") or node.text("TechnicalObject")
    if node.text("TechObjIsEquipOrFuncnlLoc") == "EAMS_EQUI" and label is not None:
        return canonical(label)
    return node.text("FunctionalLocation") or label


def put_objects(node: Node, data: dict[str, Any], label: str | None) -> None:
    """Tells what a record is about, and where that is."""
    asset = object_of(node)
    if asset is not None:
        data["asset_ref"] = reference(asset, label)
    elif "Equipment" in node or "TechnicalObject" in node:
        data["asset_ref"] = None
    if "FunctionalLocation" in node:
        data["location_ref"] = reference(node.text("FunctionalLocation"), node.text("FunctionalLocationLabelName"))


def _people(node: Node, data: dict[str, Any]) -> None:
    if "MaintOrdPersonResponsible" in node:
        person = number_of(node, "MaintOrdPersonResponsible")
        data["assignees"] = [] if person is None else [{"key": person}]
    if "MainWorkCenter" in node:
        center = node.text("MainWorkCenter")
        data["team_ref"] = center and reference(joined(node.text("MainWorkCenterPlant"), center), center)


def _expanded(node: Node, stated: Stated, clock: Clock) -> None:
    data = stated.data
    texts = rows_of(node, "MaintenanceOrderLongText")
    if texts is not None:
        found = [each for row in texts if (each := row.text("MaintenanceOrderLongText")) is not None]
        data["description"] = found[0] if found else None
    objects = rows_of(node, "MaintOrderObjectListItem")
    if objects is not None:
        keys = [key for row in objects if (key := object_of(row)) is not None]
        data["asset_refs"] = [reference(key) for key in dict.fromkeys(keys)]
    operations = rows_of(node, "MaintenanceOrderOperation")
    if operations is not None:
        _work(operations, data, clock)
    if node.get("MainWorkCompletedDateTime") is not None:
        clock.tell(node, data, "actual_end_at", "MainWorkCompletedDateTime", "", "")


def _work(operations: list[Node], data: dict[str, Any], clock: Clock) -> None:
    """Tasks, and what they say of the order: work added up, begun with the first, ended once each has ended."""
    data["tasks"] = [_task(row, f"tasks[{index}]", clock) for index, row in enumerate(operations)]
    counted = [task for row, task in zip(operations, data["tasks"], strict=True) if not row.flag("IsMarkedForDeletion")]
    for target, name in (("estimated_labor", "planned_labor"), ("actual_labor", "actual_labor")):
        amounts = [task.get(name) for task in counted]
        if amounts and None not in amounts:
            data[target] = sum(amounts)
    begun = [task["started_at"] for task in counted if task.get("started_at") is not None]
    ended = [task.get("ended_at") for task in counted]
    data["actual_start_at"] = min(begun, default=None)
    data["actual_end_at"] = max(ended) if ended and None not in ended else None
    parts = [
        _part(row)
        for operation in live(operations, "IsMarkedForDeletion")
        for row in rows_of(operation, "MaintOrderOpComponent") or ()
    ]
    if parts or all(rows_of(each, "MaintOrderOpComponent") is not None for each in operations):
        data["parts"] = parts


_ACTUAL: Final = {
    "started_at": ("OpActualExecutionStartDateTime", "OpActualExecutionStartDate", "OpActualExecutionStartTime"),
    "ended_at": ("OpActualExecutionEndDateTime", "OpActualExecutionEndDate", "OpActualExecutionEndTime"),
}


def _task(row: Node, place: str, clock: Clock) -> dict[str, Any]:
    task = TASK.row(row)
    sub = row.text("MaintenanceOrderSubOperation")
    number = row.text("MaintenanceOrderOperation")
    task["sequence"] = number if sub is None else joined(number, sub)
    for target, name in (("planned_labor", "MaintOrdOperationWorkDuration"), ("actual_labor", "ActualWorkQuantity")):
        amount = seconds(row, name, "MaintOrdOpWorkDurationUnit", f"{place}.{target}")
        if amount is not None:
            task[target] = amount
        elif row.get(name) is not None:
            kept = task.setdefault("custom_fields", {})
            kept |= {name: row.get(name), "MaintOrdOpWorkDurationUnit": row.get("MaintOrdOpWorkDurationUnit")}
    for target, names in _ACTUAL.items():
        at = clock.read(row, f"{place}.{target}", *names)
        if at is not None and at is not UNTOLD:
            task[target] = at
    return task


def _part(row: Node) -> dict[str, Any]:
    part = PART.row(row)
    price, quantity = row.number("MaintOrderOpComponentPrice"), row.number("MaintOrdOpCompRequiredQuantity")
    part["item_ref"] = reference(number_of(row, "Product"), row.text("MaintOrdOperationComponentText"))
    if quantity is not None:
        part["planned_qty"] = {"value": quantity, "unit": row.text("BaseUnit")}
    if price is not None:
        part["unit_cost"] = {"amount": price, "currency": row.text("MaintOrdOpComponentCurrency")}
    plant, place = row.text("Plant"), row.text("StorageLocation")
    if plant is not None:
        part["warehouse_ref"] = reference(plant if place is None else joined(plant, place))
    reservation, item = number_of(row, "Reservation"), number_of(row, "ReservationItem")
    if reservation is not None:
        part["reservation"] = reservation if item is None else joined(reservation, item)
    return part
