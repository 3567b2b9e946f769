"""Makini's assets, their down time, meters and readings: their members [G, D4]."""

from typing import Final

from handlers.sources._converters import coded, local_date, moment, text
from handlers.sources._makini_spelt import NUMBER, STANDARD, Spelt
from handlers.sources._makini_values import PRIORITIES, flag, measured, planned, ref, sole
from handlers.sources._mapping import Field, Stated, used
from handlers.sources._node import Node

ASSET: Final = Spelt(
    "asset",
    {
        **STANDARD,
        **NUMBER,
        "name|_displayValue": "name",
        "description": "description",
        "categoryName": "category",
        "criticality": Field("criticality", coded(PRIORITIES)),
        "isActive": Field("is_active", flag),
        "siteKey": Field("site_ref", ref),
        "parentKey": Field("parent_ref", ref),
        "locationKey": Field("location_ref", ref),
        "vendorKey": Field("vendor_ref", ref),
        "makeCompanyKey": Field("manufacturer_ref", ref),
        "assetTemplateKey|modelKey": Field("model_ref", ref),
        "makeName|manufacturerName": "manufacturer",
        "modelName": "model",
        "serialNumber": Field("serial_number", text),
        "activatedAt": Field("in_service_date", local_date),
        "deactivatedAt": Field("decommissioned_date", local_date),
    },
)


def _downtime(node: Node, stated: Stated) -> None:
    if "categoryName" in node:
        stated.data["planned"] = planned(node)


DOWNTIME: Final = Spelt(
    "downtime",
    {
        **STANDARD,
        "_idValue": Field("number", text),
        "assetKey": Field("asset_ref", ref),
        "description": "reason",
        "startedAt": Field("started_at", moment),
        "endedAt": Field("ended_at", moment),
        "categoryName": "category",
    },
    _downtime,
)
METER: Final = Spelt(
    "meter",
    {
        **STANDARD,
        "_idValue": Field("number", text),
        "name|_displayValue": "name",
        "assetKeys|assetKey": Field("asset_ref", sole),
        "uomName": "unit",
    },
)


def _reading(node: Node, stated: Stated) -> None:
    """`createdAt` is the only time that a reading has."""
    if node.get("reading") is not None:
        stated.data.update(measured(node.get("reading")))
    if stated.data.get("source_created_at") is not None:
        stated.data["read_at"] = stated.data["source_created_at"]


READING: Final = Spelt(
    "meter_reading",
    {
        **STANDARD,
        "meterKey|counterKey": Field("meter_ref", ref),
        "assetKey": Field("asset_ref", ref),
        "reading": used("value"),
    },
    _reading,
)
