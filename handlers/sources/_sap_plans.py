"""SAP's maintenance plans: what makes work due again and again."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from handlers.sources._converters import EXACT, SECONDS_AN_HOUR, joined, reference, text
from handlers.sources._mapping import Field, used
from handlers.sources._node import Node
from handlers.sources._sap_meters import from_si
from handlers.sources._sap_orders import object_of
from handlers.sources._sap_status import ORDER_TYPES, PRIORITIES
from handlers.sources._sap_tables import Entity, rows_of, told
from handlers.sources._sap_values import calendar_date, key_of, number_of, stamp
from handlers.sources._told import Told

UNITS: Final = {  # I but MON
    "DAY": "day",
    "D": "day",
    "WK": "week",
    "WCH": "week",
    "MON": "month",
    "YR": "year",
    "H": "second",
    "HR": "second",
}
INACTIVE: Final = {"INAC": "suspended", "I0320": "suspended", "DLFL": "ended", "I0076": "ended"}  # I
BASES: Final = {100: "floating", 0: "fixed"}  # I
ALL_OF: Final = "A"  # I: MaintPlanLogicalOperatorCode, all counters rather than the first
LATE_SHIFT: Final = "LateCompletionShiftInPercent"
"""100: the next date moves as far as the last was late; 0: it stays where it was planned; between is kept as it is."""

PLAN: Final = Entity(
    "pm_plan",
    {
        "MaintenancePlan": used("number"),
        "MaintenancePlanDesc": "name",
        "MaintenancePlanSystemStatus": used("status"),
        "BasicStartDate": used("start_date"),
        "SchedulingStartDate": used("start_date"),
        "SchedulingEndDate": Field("end_date", calendar_date),
        "MaintenanceLeadFloatInDays": "lead_time_days",
        "FactoryCalendar": Field("calendar", text),
        "MaintenanceCallNextPlannedDate": Field("next_due_at", calendar_date),
        "LastChangeDateTime": Field("source_updated_at", stamp),
        "to_StrategyCycle": used("cycles"),
        "to_MaintenanceCycle": used("cycles"),
        "to_Item": used("asset_refs"),
    },
    whole="MaintenancePlanInternalID",
)


def plan(node: Node) -> Iterator[Told]:
    """MaintenancePlan, with its cycles, items and calls where they were expanded."""
    key = key_of(node, "MaintenancePlan")
    stated = PLAN.tell(node)
    data = stated.data
    data |= {"number": key, "source_id": node.text("MaintenancePlan")}
    for name in ("SchedulingStartDate", "BasicStartDate"):
        if node.get(name) is not None:
            data["start_date"] = calendar_date(node.get(name), node, Field("start_date", name=name))
            break
    codes = (node.text("MaintenancePlanSystemStatus") or "").split()
    if codes:
        code = next((each for each in codes if each in INACTIVE), codes[0])
        data["status"] = {"value": INACTIVE.get(code, "active"), "source_code": code, "sub_codes": codes}
    shift = node.number(LATE_SHIFT)
    if shift is not None:
        stated.custom[LATE_SHIFT] = node.get(LATE_SHIFT)
        if shift in BASES:
            data["recurrence_basis"] = BASES[int(shift)]
    _cycles(node, data)
    items = rows_of(node, "Item")
    if items is not None:
        _items(items, data)
    yield told(node, PLAN, key, stated, "MaintenancePlan")


def _cycles(node: Node, data: dict[str, Any]) -> None:
    rows = [row for name in ("MaintenanceCycle", "StrategyCycle") for row in rows_of(node, name) or ()]
    by_time = by_meter = 0
    for row in rows:
        interval, unit = row.number("MaintPlanCycRcrrcIntervalQty"), row.text("MaintPlanCycRcrrcIntervalUnit")
        meter = number_of(row, "MeasuringPoint")
        if meter is not None:
            by_meter += 1
            if by_meter == 1:
                data["meter_ref"], data["meter_interval"] = reference(meter), interval
                reached = from_si(row, "MaintCycleNextPlndCntrRdng", unit, "next_meter_value")
                if reached is not None:
                    data["next_meter_value"] = reached
        elif interval is not None:
            by_time += 1
            data.setdefault("cycles", []).append(_cycle(row, interval, unit))
    if by_meter:
        both = "time_and_meter" if node.text("MaintPlanLogicalOperatorCode") == ALL_OF else "time_or_meter"
        data["trigger_kind"] = both if by_time else "meter"
    elif by_time:
        data["trigger_kind"] = "time"


def _cycle(row: Node, interval: Decimal, unit: str | None) -> dict[str, Any]:
    ours = UNITS.get((unit or "").upper())
    if ours == "second":
        interval = EXACT.multiply(interval, Decimal(SECONDS_AN_HOUR))
    return {"interval": interval, "unit": ours or unit, "label": row.text("MaintPlanCycleDesc")}


def _items(items: list[Node], data: dict[str, Any]) -> None:
    keys = [key for row in items if (key := _object(row)) is not None]
    data["asset_refs"] = [reference(key) for key in dict.fromkeys(keys)]
    for row in items[:1]:
        group = row.text("TaskListGroup")
        if group is not None:
            data["job_plan_ref"] = reference(joined(row.text("TaskListType"), group, row.text("TaskListGroupCounter")))
        made: dict[str, Any] = {}
        type_, priority = ORDER_TYPES.get(row.text("MaintenanceOrderType") or ""), row.text("MaintPriority")
        if type_ is not None:
            made["type"] = type_
        if priority is not None:
            made["priority"] = {"value": PRIORITIES.get(priority), "source_code": priority}
        if made:
            data["generates"] = made
    if "next_due_at" not in data:
        _next_call(items, data)


def _object(row: Node) -> str | None:
    return object_of(row) or row.text("FunctionalLocationLabelName")


def _next_call(items: list[Node], data: dict[str, Any]) -> None:
    """The first call that has made no order yet."""
    name = "PlannedStartDate"
    dates = [
        calendar_date(call.get(name), call, Field("next_due_at", name=name))
        for row in items
        for call in rows_of(row, "MaintPlanCallObjects") or ()
        if call.get(name) is not None
        and number_of(call, "MaintenanceOrder") is None
        and number_of(call, "MaintenanceNotification") is None
    ]
    if dates:
        data["next_due_at"] = min(dates)
