"""Maximo's preventive maintenance."""

from collections.abc import Iterator
from typing import Any

from handlers.sources import _maximo_domains as domains
from handlers.sources import _maximo_tables as tables
from handlers.sources._converters import joined, moment_or_date, reference, word
from handlers.sources._mapping import Field
from handlers.sources._maximo_parts import is_set, key, name_of, status, told, version
from handlers.sources._node import Node
from handlers.sources._told import Told


def plan(node: Node) -> Iterator[Told]:
    """PM. `extdate` overrides `nextdate`."""
    site = node.key("siteid")
    stated = tables.PLAN.tell(node)
    data = stated.data
    data["number"] = node.key("pmnum")
    stands = status(node, domains.PLAN_STATUSES)
    if stands is not None:
        data["status"] = stands
    for target, column in (("asset_refs", "assetnum"), ("location_refs", "location")):
        if column in node:
            data[target] = [reference(joined(site, name_of(node, column)))] if name_of(node, column) else []
    extended = node.get("extdate")
    due = extended if extended is not None else node.get("nextdate")
    if due is not None:
        data["next_due_at"] = moment_or_date(
            due, node, Field("next_due_at", name="extdate" if extended else "nextdate")
        )
        data["next_due_overridden"] = extended is not None
    if node.get("usetargetdate") is not None:
        data["recurrence_basis"] = "fixed" if node.flag("usetargetdate") else "floating"
    _cycles(node, data, site)
    _generates(node, data)
    days = [number for number, day in enumerate(domains.DAYS, start=1) if is_set(node, day)]
    if days:
        data["days_of_week"] = days
    yield told(
        node,
        "pm_plan",
        key(node, "siteid", "pmnum"),
        stated,
        tables.PLAN,
        own_number="pmuid",
        version=version(node),
        entity="MXPM",
    )


def _cycles(node: Node, data: dict[str, Any], site: str) -> None:
    """What makes a plan due: time, a meter, or whichever comes first (INFERRED: PMMETER's columns)."""
    frequency = node.number("frequency")
    unit = node.text("frequnit")
    if frequency:
        data["cycles"] = [{"interval": frequency, "unit": domains.CYCLE_UNITS.get(unit or "", unit)}]
        data["trigger_kind"] = "time"
    for meter in node.nodes("pmmeter")[:1]:
        asset = joined(site, node.text("assetnum"), meter.key("metername"))
        data["meter_ref"] = reference(asset, meter.text("metername"))
        data["meter_interval"] = meter.number("frequency")
        data["trigger_kind"] = "time_or_meter" if frequency else "meter"


def _generates(node: Node, data: dict[str, Any]) -> None:
    worktype, first = node.text("worktype"), node.text("wostatus")
    priority = node.text("wopriority") or node.text("priority")
    made: dict[str, Any] = {}
    if worktype is not None:
        made["type"] = domains.WORK_TYPES.get(worktype, worktype)
    if priority is not None:
        made["priority"] = word({}, priority)
    if first is not None:
        made["status"] = word(domains.WORK_ORDER_STATUSES, first)
    if made:
        data["generates"] = made
