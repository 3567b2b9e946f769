"""Makini's work orders, requests and maintenance plans: their members [G, D4]."""

from collections.abc import Iterable
from typing import Any, Final

from handlers.sources._converters import coded, moment, text
from handlers.sources._makini_spelt import NUMBER, STANDARD, Spelt, listed
from handlers.sources._makini_values import PRIORITIES, due, duration, money, name_of, notes, ref, refs, status
from handlers.sources._mapping import UNTOLD, Field, Stated, used
from handlers.sources._node import Node

SEVERITY: Final = Field("priority", coded(PRIORITIES))
"""There is no priority; severity is free text and serves as one [G]."""
CYCLE_UNITS: Final = {"day": "day", "week": "week", "month": "month", "year": "year", "second": "second"}  # I
TRIGGERS: Final = {"time": "time", "counter": "meter", "meter": "meter", "condition": "condition"}  # I

TASK: Final = Spelt(
    "", {"code": Field("sequence", text), "title": "title", "assetKey": Field("asset_ref", ref), "status": "status"}
)
PART: Final = Spelt(
    "",
    {
        "materialKey|partKey": Field("item_ref", ref),
        "name": "description",
        "requiredQuantity|quantity|qty": "planned_qty",
        "usedQuantity": "used_qty",
        "storeroomKey": Field("warehouse_ref", ref),
    },
)
"""Inside an order INFERRED: its materials have an address of their own."""


def _line_of_work(node: Node, stated: Stated) -> None:
    labor, name = ref(node.get("laborKey")), node.get("name")
    if isinstance(labor, dict) or labor is None or labor is UNTOLD:
        stated.data["person"] = labor if isinstance(labor, dict) else name
    else:
        stated.data["person"] = {"key": labor, "label": name}


WORK: Final = Spelt(
    "",
    {
        "laborKey": used("person"),
        "name": used("person"),
        "registeredTime": Field("seconds", duration),
        "rate": Field("rate", money),  # I: for an hour
        "cost": Field("cost", money),
        "startedAt": Field("started_at", moment),
        "finishedAt": Field("finished_at", moment),
    },
    _line_of_work,
)


def _work_order(node: Node, stated: Stated) -> None:
    data = stated.data
    data.setdefault("record_kind", "order")
    _status(node, data)
    due(node, data, stated.custom)
    _assignees(node, stated)
    if node.get("resources") is not None:
        standing = [
            (each, row)
            for each, row in zip(node.nodes("resources"), data["labor"], strict=True)
            if each.first("deletedAt", "_deletedAt") is None
        ]
        data["labor"] = [row for _, row in standing]
        bought = [each.text("poKey") for each, _ in standing]
        data["purchase_order_refs"] = list(dict.fromkeys(key for key in bought if key is not None))


def _request(node: Node, stated: Stated) -> None:
    stated.data["record_kind"] = "request"
    _status(node, stated.data)
    due(node, stated.data, stated.custom)
    _assignees(node, stated)
    if node.get("userRequestedKey") is not None:
        stated.data["requested_by"] = name_of(node.get("userRequestedKey"))


def _status(node: Node, data: dict[str, Any], *, may_complete: bool = True) -> None:
    stands = status(node, may_complete=may_complete)
    if stands is not None or "status" in node or "statusKey" in node:
        data["status"] = stands


def _assignees(node: Node, stated: Stated) -> None:
    name = next((each for each in ("laborAssignedKey", "userAssignedKey") if each in node), None)
    if name is None:
        return
    found = refs(node.get(name))
    if found is UNTOLD:
        stated.custom[name] = node.get(name)
    else:
        stated.data["assignees"] = [each if isinstance(each, dict) else {"key": each} for each in found]


_WORK_ORDER: Final[dict[str, str | Field]] = {
    **STANDARD,
    **NUMBER,
    "title|_displayValue": "title",
    "status": used("status"),
    "statusKey": used("status"),
    "severity": SEVERITY,
    "siteKey": Field("site_ref", ref),
    "locationKey": Field("location_ref", ref),
    "assetKey": Field("asset_ref", ref),
    "teamKey": Field("team_ref", ref),
    "laborAssignedKey|userAssignedKey": used("assignees"),
    "estimatedTime": Field("estimated_duration", duration),
    "categoryName": "category",
    "notes": Field("notes", notes),
    "approvedAt": Field("approved_at", moment),
    "dueAt": used("due_at"),
}
WORK_ORDER: Final = Spelt(
    "work_order",
    {
        **_WORK_ORDER,
        "instructions|description": "description",
        "parentKey": Field("parent_ref", ref),
        "organizationKey": Field("company_ref", ref),
        "serviceRequestKey|workRequestKey": Field("request_ref", ref),
        "pmKey": Field("pm_plan_ref", ref),
        "actualTime": Field("actual_duration", duration),
        "scheduledAt": Field("scheduled_start_at", moment),
        "completedAt": Field("completed_at", moment),
        "tasks": listed("tasks", TASK),
        "resources": listed("labor", WORK),
        "materials": listed("parts", PART),
    },
    _work_order,
)
REQUEST: Final = Spelt(
    "work_order",
    {
        **_WORK_ORDER,
        "description": "description",
        "workOrderKey": Field("converted_to_ref", ref),
        "userRequestedKey": used("requested_by"),
    },
    _request,
)


def _plan(node: Node, stated: Stated) -> None:
    data = stated.data
    _status(node, data, may_complete=False)
    name = next((each for each in ("dueAt", "nextScheduledAt") if node.get(each) is not None), None)
    if name is not None:
        told = moment(node.get(name), node, Field("next_due_at", name=name))
        if told is UNTOLD:
            stated.custom[name] = node.get(name)
        else:
            data["next_due_at"] = told
    elif "dueAt" in node:
        data["next_due_at"] = None
    if "triggers" in node:
        stated.custom["triggers"] = node.get("triggers")
        _triggers(node.nodes("triggers"), data)


def _triggers(triggers: Iterable[Node], data: dict[str, Any]) -> None:
    """Cycles, and what makes it due; a trigger of a type unknown here leaves that untold."""
    kinds, cycles, steps = [], [], []
    for each in triggers:
        type_ = each.get("type")
        kinds.append(TRIGGERS.get(type_.lower()) if isinstance(type_, str) else None)
        unit = each.get("uomKey")
        if kinds[-1] == "time":
            word = CYCLE_UNITS.get(unit.lower().removesuffix("s")) if isinstance(unit, str) else None
            cycles.append(
                {"interval": each.number("interval"), "unit": word, "label": unit if isinstance(unit, str) else None}
            )
        elif kinds[-1] == "meter":
            steps.append(each.number("interval"))
    data["cycles"] = cycles
    data["meter_interval"] = steps[0] if len(steps) == 1 else None
    known = {each for each in kinds if each is not None}
    if None in kinds or not kinds:
        data["trigger_kind"] = None
    else:
        data["trigger_kind"] = known.pop() if len(known) == 1 else "time_or_meter" if "condition" not in known else None


PLAN: Final = Spelt(
    "pm_plan",
    {
        **STANDARD,
        "_idValue": Field("number", text),
        "title|name|_displayValue": "name",
        "description": "description",
        "status": used("status"),
        "statusKey": used("status"),
        "severity": Field("generates.priority", coded(PRIORITIES)),
        "assetKeys": Field("asset_refs", refs),
        "estimatedTime": Field("estimated_duration", duration),
        "dueAt": used("next_due_at"),
        "nextScheduledAt": used("next_due_at"),
        "lastScheduledAt": Field("last_generated_at", moment),
        "lastCompletedAt": Field("last_completed_at", moment),
        "triggers": used("cycles"),
    },
    _plan,
)
