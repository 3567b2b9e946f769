"""Maximo's assets, what their meters read, and when they stood."""

import re
from collections.abc import Iterator
from typing import Any

from handlers.model.times import instant_text
from handlers.sources import _maximo_domains as domains
from handlers.sources import _maximo_tables as tables
from handlers.sources._converters import joined, reference, word
from handlers.sources._mapping import Table
from handlers.sources._maximo_parts import key, place, put, status, told
from handlers.sources._node import Node
from handlers.sources._told import Told

NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
KINDS = {"DELTA": "delta", "ACTUAL": "absolute", "CONTINUOUS": "absolute", "CHARACTERISTIC": "characteristic"}


def asset(node: Node) -> Iterator[Told]:
    """MXASSET, and the rows of ASSETMETER and ASSETSTATUS inside it (their place there is INFERRED)."""
    site, organisation = node.key("siteid"), node.text("orgid")
    stated = tables.ASSET.tell(node)
    data = stated.data
    data["number"] = node.key("assetnum")
    data["record_kind"] = "equipment"
    stands = status(node, domains.ASSET_STATUSES)
    if stands is not None:
        data["status"] = stands
    place(node, data)
    put(node, data, "location_ref", "location", site)
    put(node, data, "parent_ref", "parent", site)
    put(node, data, "vendor_ref", "vendor", organisation)
    put(node, data, "manufacturer_ref", "manufacturer", organisation)
    put(node, data, "model_ref", "itemnum", node.text("itemsetid"))
    if "priority" in node:
        data["criticality"] = word({}, node.text("priority")) if node.text("priority") else None
    if "assetspec" in node:
        data["attributes"] = [_attribute(each) for each in node.nodes("assetspec")]
    yield told(
        node, "asset", key(node, "siteid", "assetnum"), stated, tables.ASSET, own_number="assetuid", entity="MXASSET"
    )
    for each in node.nodes("assetmeter"):
        yield from reading(each, tables.LAST_READING, node)
    for each in node.nodes("assetstatus"):
        yield edge(each, node)


def reading(node: Node, table: Table, owner: Node | None = None) -> Iterator[Told]:
    """A row of METERREADING, or the last reading that a row of ASSETMETER holds; a meter never read tells nothing.

    A reading may be a number in a text, a fraction (`1/16`) or a word (`RED`) [MAF].
    """
    owner = owner or node
    read_at = node.instant("readingdate") or node.instant("lastreadingdate")
    value = node.text("reading") if isinstance(node.get("reading"), str) else _digits(node)
    if read_at is None or value is None:
        return
    site, asset_number = owner.key("siteid"), owner.text("assetnum")
    meter = joined(site, asset_number or node.text("location"), node.key("metername"))
    stated = table.tell(node)
    is_number = NUMBER.fullmatch(value) is not None
    stated.data["value" if is_number else "value_text"] = value
    stated.data["meter_ref"] = reference(meter, node.text("metername"))
    if asset_number is not None:
        stated.data["asset_ref"] = reference(joined(site, asset_number))
    put(node, stated.data, "location_ref", "location", site)
    given = KINDS.get(node.text("readingtype") or "ACTUAL", "absolute")
    stated.data["kind"] = given if is_number else "characteristic"
    yield Told(
        type="meter_reading.recorded",
        key=f"{meter}/{instant_text(read_at)}",
        data=stated.data,
        custom=stated.custom,
        table=table,
        occurred_at=read_at,
        entity="METERREADING" if table is tables.READING else "ASSETMETER",
    )


def edge(node: Node, owner: Node | None = None) -> Told:
    """A row of ASSETSTATUS: from then on the asset stood or ran.

    These are edges, never intervals; `downtime` (hours), on the row that ends a stop, is only kept beside it.
    INFERRED: a stop outside operating hours (`operational` false) is planned.
    """
    owner = owner or node
    changed = node.instant("changedate")
    if changed is None:
        raise node.error("missing_field", "changedate", "nothing", "a time")
    runs = node.text("currentstatus") == "UP" if "currentstatus" in node else node.flag("isrunning")
    if runs is None:
        raise node.error("missing_field", "isrunning", "nothing", "true or false")
    stopped = "maintenance" if node.flag("operational") is False else "down"
    told_status: dict[str, Any] = {"value": "operating" if runs else stopped, "source_code": node.text("code")}
    return Told(
        type="asset.status_changed",
        key=joined(owner.key("siteid"), owner.key("assetnum")),
        data={
            "status": told_status | ({} if node.get("downtime") is None else {"downtime_hours": node.get("downtime")})
        },
        occurred_at=changed,
        entity="ASSETSTATUS",
    )


def _digits(node: Node) -> str | None:
    value = node.first("reading", "lastreading")
    if value is None or isinstance(value, str):
        return value
    return format(node.decimal("reading" if node.get("reading") is not None else "lastreading", value), "f")


def _attribute(node: Node) -> dict[str, Any]:
    return {  # INFERRED: columns of ASSETSPEC
        "name": node.text("assetattrid"),
        "value": node.first("alnvalue", "numvalue"),
        "unit": node.text("measureunitid"),
    }
