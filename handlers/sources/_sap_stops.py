"""The down time that SAP's notifications report."""

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from handlers.sources._converters import EXACT, reference
from handlers.sources._mapping import UNTOLD, Stated, used
from handlers.sources._node import Node
from handlers.sources._sap_orders import object_of
from handlers.sources._sap_tables import Entity, told
from handlers.sources._sap_values import SECONDS, Clock, at_zone, later, number_of
from handlers.sources._told import Told

STOP: Final = Entity(
    "downtime",
    {
        "MalfunctionStartDate": used("started_at"),
        "MalfunctionEndDate": used("ended_at"),
        "MaintObjectDowntimeDuration": used("duration_source"),
    },
)


def stop(node: Node, key: str, *, is_void: bool, clock: Clock) -> Told:
    """The interval of a breakdown; void once nobody calls it one.

    It is told as restored, not as corrected: whoever takes a breakdown back may report it again, and nothing else
    lifts a void.
    """
    data: dict[str, Any] = {"planned": False, "request_ref": reference(key, number_of(node, "MaintenanceNotification"))}
    asset = object_of(node)
    data["asset_ref"] = reference(asset, node.text("TechnicalObjectDescription"))
    if "MaintenanceOrder" in node:
        data["work_order_ref"] = reference(number_of(node, "MaintenanceOrder"))
    if node.get("NotificationText") is not None:
        data["reason"] = node.get("NotificationText")
    for target, side in (("started_at", "Start"), ("ended_at", "End")):
        at = clock.read(node, target, "", f"Malfunction{side}Date", f"Malfunction{side}Time")
        if at is not UNTOLD and f"Malfunction{side}Date" in node:
            data[target] = at
    _length(node, data)
    verb = "voided" if is_void else "restored"
    return told(node, STOP, key, Stated(data, {}), "MaintenanceNotification", verb=verb)


def _length(node: Node, data: dict[str, Any]) -> None:
    """The length that SAP states, kept beside ours.

    It is in seconds whatever its unit says (a real record calls 48 hours 1.728E5 H), so it is used only where one end
    is missing, with a warning.
    """
    name = "MaintObjectDowntimeDuration"
    length, unit = node.number(name), node.text("MaintObjDowntimeDurationUnit")
    if not length:
        return
    data["duration_source"] = {"value": length, "unit": unit}
    began, ended = (
        None if data.get(target) is None else at_zone(node, f"Malfunction{side}Date", data[target])
        for target, side in (("started_at", "Start"), ("ended_at", "End"))
    )
    if began is not None and ended is not None:
        span = (ended - began) // timedelta(seconds=1)
        if EXACT.multiply(length, Decimal(SECONDS.get(unit or "", 1))) != span:
            detail = f"{name} is no {(unit or '')[:8]}: from start to end it is {span} seconds"
            node.given.warn("duration_unit_mismatch", "duration_source", detail)
        return
    whole = int(length.to_integral_value())
    at, target = None, "ended_at"
    if began is not None:
        at = later(began, whole)
    elif ended is not None:
        at, target = later(ended, -whole), "started_at"
    if at is not None:
        data[target] = at
        node.given.warn("duration_used", target, f"computed from {name}, taken as seconds")
