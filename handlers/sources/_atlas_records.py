"""Atlas' objects as records: the same inside a webhook and in answers of its REST interface."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from handlers.model.times import instant_text
from handlers.sources import _atlas_tables as tables
from handlers.sources import _atlas_trade_tables as trade
from handlers.sources._atlas_tables import label, ref
from handlers.sources._converters import (
    EXACT,
    date_or_milliseconds,
    instant_or_milliseconds,
    reference,
    word,
)
from handlers.sources._mapping import Field, Stated, Table
from handlers.sources._marks import Marks
from handlers.sources._node import Node

MOST_SECONDS: Final = 10**11
"""Three thousand years: longer stops are no stops."""


class Entity(NamedTuple):
    """One of Atlas' kinds of object.

    Attributes:
        kind: ours.
        name: its own.
        table: of its members.
        complete: what the table alone cannot say.
    """

    kind: str
    name: str
    table: Table
    complete: Callable[[Node, dict[str, Any]], None]

    def state(self, node: Node) -> Stated:
        """What an object says."""
        stated = self.table.tell(node)
        for each in node.nodes("customFieldValues"):
            field = each.node("customField")
            name = None if field is None else field.text("label") or field.text("id")
            if name is not None:
                stated.custom[name] = each.get("value")
        self.complete(node, stated.data)
        return stated

    def key(self, number: str) -> str:
        """Of the record: a request's begins with its class, since orders have ids of their own."""
        return f"request/{number}" if self is REQUEST else number


def order_status(code: str, *, archived: bool) -> dict[str, Any]:
    """A work order's status; one that was archived before it was complete is given up (INFERRED)."""
    told = word(tables.ORDER_STATUSES, code)
    if archived and told["value"] not in {"completed", None}:
        return {"value": "cancelled", "source_code": f"{code}/archived"}
    return told


def purchase_status(code: str) -> dict[str, Any]:
    """A purchase order's status, which is that of its approval."""
    return {"status": word(tables.PURCHASE_STATUSES, code), "approval_status": word(tables.APPROVALS, code)}


def _work(node: Node, data: dict[str, Any]) -> None:
    people = [*node.nodes("assignedTo")]
    first = node.node("primaryUser")
    if first is not None:
        people.insert(0, first)
    if people or "assignedTo" in node:
        found = {each.key("id"): label(each) for each in people}
        data["assignees"] = [{"key": key, "label": name} for key, name in found.items()]


def _work_order(node: Node, data: dict[str, Any]) -> None:
    _work(node, data)
    code = node.text("status")
    if code is not None:
        data["status"] = order_status(code, archived=node.flag("archived") is True)
    request = node.node("parentRequest")
    if "parentRequest" in node:
        data["request_ref"] = None if request is None else reference(f"request/{request.key('id')}", label(request))
    if data.get("pm_plan_ref") is not None:
        data["type"] = "preventive"
    elif request is not None:
        data["type"] = "corrective"  # INFERRED


def _request(node: Node, data: dict[str, Any]) -> None:
    """A request names no status: it is cancelled, or has become an order, or waits (INFERRED)."""
    _work(node, data)
    data["record_kind"] = "request"
    if "cancelled" in node:
        answered = "APPROVED" if node.get("workOrder") is not None else "PENDING"
        code = "CANCELLED" if node.flag("cancelled") else answered
        data["status"] = request_status(code, node.text("cancellationReason"))


def request_status(code: str, reason: str | None) -> dict[str, Any]:
    """A request's status, with the reason why it was refused."""
    told = word(tables.REQUEST_STATUSES, code)
    return told if reason is None else told | {"reason": reason}


def _asset(node: Node, data: dict[str, Any]) -> None:
    code = node.text("status")
    if code is not None:
        data["status"], data["is_up"] = word(tables.ASSET_STATUSES, code), code not in tables.DOWN
    if "barCode" in node or "nfcId" in node:
        data["tag"] = node.text("barCode") or node.text("nfcId")
    if node.flag("archived") is not None:
        data["is_active"] = not node.flag("archived")
    vendors = node.nodes("vendors")
    if len(vendors) == 1:
        data["vendor_ref"] = reference(vendors[0].key("id"), label(vendors[0]))
    worth = node.node("deprecation")  # their spelling
    if worth is not None:
        data["book_value"] = worth.number("currentValue")
        if data.get("purchase_cost") is None:
            data["purchase_cost"] = worth.number("purchasePrice")
        bought = worth.get("purchaseDate")
        field = Field("purchase_date", name="purchaseDate")
        data["purchase_date"] = None if bought is None else date_or_milliseconds(bought, worth, field)


def _part(node: Node, data: dict[str, Any]) -> None:
    quantity, least = node.number("quantity"), node.number("minQuantity")
    if "quantity" in node:
        data["totals"] = {"on_hand": quantity}
    if "quantity" in node or "minQuantity" in node:
        place = None if node.get("location") is None else ref(node.get("location"), node, Field("", name="location"))
        level = {"warehouse_ref": place, "bin": node.text("area"), "on_hand": quantity, "reorder_point": least}
        data["stock_levels"] = [level]
    is_out = node.flag("nonStock")
    if is_out is not None:
        data["is_stocked"], data["type"] = not is_out, "non_stock" if is_out else "stock"


def _purchase_order(node: Node, data: dict[str, Any]) -> None:
    code = node.text("status")
    if code is not None:
        data.update(purchase_status(code))
    vendor = node.node("vendor")
    if vendor is not None:
        data["vendor_name"] = label(vendor)
    if "shippingAddress" in node:
        lines = [each for each in map(node.text, ("shippingCompanyName", "shippingAddress")) if each is not None]
        address = {
            "name": node.text("shippingShipToName"),
            "lines": lines,
            "city": node.text("shippingCity"),
            "region": node.text("shippingState"),
            "postcode": node.text("shippingZipCode"),
            "phone": node.text("shippingPhone"),
        }
        data["ship_to"] = address if any(address.values()) else None


def _downtime(node: Node, data: dict[str, Any]) -> None:
    """A stop of 0 seconds is one that goes on, and its `endsOn` is its start then."""
    length, began = node.number("duration"), instant_or_milliseconds(node, "startsOn")
    if length is None or began is None:
        return
    if not 0 <= length <= MOST_SECONDS:
        raise node.error("out_of_range", "duration", "number", f"seconds from 0 to {MOST_SECONDS}")
    data["duration_source"] = {"value": length, "unit": "s"}
    try:
        data["ended_at"] = None if length == 0 else instant_text(began + timedelta(seconds=int(length)))
    except OverflowError:
        raise node.error("out_of_range", "duration", "number", "an end before the year 10000") from None


def _plan(node: Node, data: dict[str, Any]) -> None:
    data.setdefault("generates", {})["type"] = "preventive"
    schedule = node.node("schedule")
    if schedule is None:
        return
    repeats = schedule.text("recurrenceType")
    cycle = {"interval": schedule.number("frequency"), "unit": tables.UNITS.get(repeats or "", repeats)}
    data["cycles"], data["trigger_kind"] = [cycle], "time"
    basis = schedule.text("recurrenceBasedOn")
    data["recurrence_basis"] = tables.BASES.get(basis or "", basis)
    data["status"] = {"value": "suspended" if schedule.flag("disabled") else "active"}
    for target, name in (("start_date", "startsOn"), ("end_date", "endsOn")):
        given = schedule.get(name)
        field = Field(target, name=name)
        data[target] = None if given is None else date_or_milliseconds(given, schedule, field)
    days = schedule.get("daysOfWeek")
    if isinstance(days, list):
        data["days_of_week"] = [_iso_day(each, schedule) for each in days]


def _iso_day(day: Any, node: Node) -> Decimal:
    """0 is Monday there, 1 is Monday here."""
    return EXACT.add(node.decimal("daysOfWeek", day), Decimal(1))


def _nothing(node: Node, data: dict[str, Any]) -> None:
    """The table says it all."""


WORK_ORDER: Final = Entity("work_order", "workOrder", tables.WORK_ORDER, _work_order)
REQUEST: Final = Entity("work_order", "request", tables.REQUEST, _request)
ASSET: Final = Entity("asset", "asset", tables.ASSET, _asset)
PART: Final = Entity("inventory_item", "part", trade.PART, _part)
PURCHASE_ORDER: Final = Entity("purchase_order", "purchaseOrder", trade.PURCHASE_ORDER, _purchase_order)
VENDOR: Final = Entity("vendor", "vendor", trade.VENDOR, _nothing)
METER: Final = Entity("meter", "meter", tables.METER, _nothing)
READING: Final = Entity("meter_reading", "reading", tables.READING, _nothing)
DOWNTIME: Final = Entity("downtime", "assetDowntime", tables.DOWNTIME, _downtime)
PLAN: Final = Entity("pm_plan", "preventiveMaintenance", tables.PLAN, _plan)

MARKS: Final = Marks(
    (("partQuantities",), PURCHASE_ORDER),
    (("shippingDueDate",), PURCHASE_ORDER),
    (("startsOn", "duration"), DOWNTIME),
    (("nextWorkOrderDate",), PLAN),
    (("schedule", "name"), PLAN),
    (("cancelled", "workOrder"), REQUEST),
    (("completedOn",), WORK_ORDER),
    (("requiredSignature", "status"), WORK_ORDER),
    (("nonStock",), PART),
    (("minQuantity",), PART),
    (("updateFrequency",), METER),
    (("value", "meter"), READING),
    (("parentAsset",), ASSET),
    (("barCode",), ASSET),
    (("companyName",), VENDOR),
)
"""The members that tell an object of REST from the others, the first that fit win."""
