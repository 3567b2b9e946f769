"""SAP's equipment, which is told in slices of time, and the functional locations it is installed at."""

from collections.abc import Iterator
from typing import Any, Final

from handlers.sources._converters import joined, reference, text, word
from handlers.sources._mapping import Field, Stated, used
from handlers.sources._node import Node
from handlers.sources._sap_tables import Entity, rows_of, told
from handlers.sources._sap_values import alpha, calendar_date, key_of, put_ref, stamp
from handlers.sources._told import Told, unhandled

_SHARED: Final[dict[str, str | Field]] = {
    "TechnicalObjectType": Field("type_source", text),
    "AssetManufacturerName": "manufacturer",
    "ManufacturerPartTypeName": "model",
    "ManufacturerPartNmbr": Field("manufacturer_part_number", text),
    "InventoryNumber": Field("tag", text),
    "OperationStartDate": Field("in_service_date", calendar_date),
    "AcquisitionValue": used("purchase_cost"),
    "Currency": used(),
    "AcquisitionDate": Field("purchase_date", calendar_date),
    "ABCIndicator": used("criticality"),
    "CompanyCode": Field("company_ref", text),
    "CostCenter": Field("cost_center", alpha),
    "MaintenancePlant": Field("site_ref", text),
    "LastChangeDateTime": Field("source_updated_at", stamp),
    "MasterFixedAsset": used(),
    "FixedAsset": used(),
}

EQUIPMENT: Final = Entity(
    "asset",
    {
        **_SHARED,
        "Equipment": used("number"),
        "ValidityStartDate": Field("valid_from", calendar_date),
        "ValidityEndDate": Field("valid_to", calendar_date),
        "ValidityEndTime": used(),
        "EquipmentName": "name",
        "EquipmentCategory": Field("category", text),
        "ManufacturerSerialNumber": used("serial_number"),
        "SerialNumber": used("serial_number"),
        "FunctionalLocation": used("location_ref"),
        "FunctionalLocationLabelName": used("location_ref"),
        "SuperordinateEquipment": used("parent_ref"),
        "Material": Field("model_ref", alpha),
        "EquipmentIsAvailable": used("status"),
        "EquipmentIsInstalled": used("status"),
        "EquipmentIsInWarehouse": used("status"),
        "EquipmentIsInactive": used("status"),
        "EquipmentIsMarkedForDeletion": used("status"),
        "to_Warranty": used("warranty_end_date"),
    },
    whole="ConstructionMonth",
)

LOCATION: Final = Entity(
    "asset",
    {
        **_SHARED,
        "FunctionalLocation": used("source_id"),
        "FunctionalLocationLabelName": used("number"),
        "FunctionalLocationName": "name",
        "FunctionalLocationCategory": Field("category", text),
        "ManufacturerSerialNumber": Field("serial_number", text),
        "SuperiorFunctionalLocation": used("parent_ref"),
        "SuperiorFuncnlLocLabelName": used("parent_ref"),
        "FuncnlLocIsMarkedForDeletion": used("status"),
        "FuncnlLocIsDeleted": used("status"),
        "FuncnlLocIsDeactivated": used("status"),
        "FunctionalLocationIsActive": used("status"),
    },
    whole="FuncLocationStructure",
)

_FLAGS: Final = (
    ("EquipmentIsMarkedForDeletion", "decommissioned"),
    ("FuncnlLocIsDeleted", "decommissioned"),
    ("FuncnlLocIsMarkedForDeletion", "decommissioned"),
    ("EquipmentIsInactive", "not_in_service"),
    ("FuncnlLocIsDeactivated", "not_in_service"),
    ("EquipmentIsInWarehouse", "standby"),
    ("EquipmentIsInstalled", "operating"),
    ("EquipmentIsAvailable", "operating"),
    ("FunctionalLocationIsActive", "operating"),
)
"""The first that is set says the status."""
_GONE: Final = frozenset({"decommissioned", "not_in_service"})


def equipment(node: Node) -> Iterator[Told]:
    """Equipment; of its slices of time only the one without an end tells the asset, the others are its past."""
    key = key_of(node, "Equipment")
    if node.get("ValidityEndDate") is not None:
        yield unhandled("sap", "EquipmentHistory", node, key)
        return
    stated = EQUIPMENT.tell(node)
    data = stated.data
    data |= {"number": key, "source_id": node.text("Equipment"), "record_kind": "equipment"}
    if "ManufacturerSerialNumber" in node or "SerialNumber" in node:
        data["serial_number"] = node.text("ManufacturerSerialNumber") or node.text("SerialNumber")
    if "FunctionalLocation" in node:
        data["location_ref"] = reference(node.text("FunctionalLocation"), node.text("FunctionalLocationLabelName"))
    put_ref(node, data, "parent_ref", "SuperordinateEquipment")
    _rest(node, stated)
    warranties = rows_of(node, "Warranty")
    if warranties is not None:  # I: the name of its date
        name = "WarrantyEndDate"
        ends = [calendar_date(row.get(name), row, Field("", name=name)) for row in warranties if row.get(name)]
        data["warranty_end_date"] = max(ends, default=None)
    yield told(node, EQUIPMENT, key, stated, "Equipment")


def location(node: Node) -> Iterator[Told]:
    """FunctionalLocation: keyed by its id, which stays when it is relabelled; people know the label."""
    key = node.key("FunctionalLocation")
    stated = LOCATION.tell(node)
    label = node.text("FunctionalLocationLabelName") or key
    stated.data.update({"number": label, "source_id": key, "record_kind": "functional_location"})
    if "SuperiorFunctionalLocation" in node:
        above = node.text("SuperiorFunctionalLocation")
        stated.data["parent_ref"] = reference(above, node.text("SuperiorFuncnlLocLabelName"))
    _rest(node, stated)
    yield told(node, LOCATION, key, stated, "FunctionalLocation")


def _rest(node: Node, stated: Stated) -> None:
    data = stated.data
    value, currency = node.number("AcquisitionValue"), node.text("Currency")
    if value or currency is not None:
        data["purchase_cost"] = None if value is None else {"amount": value, "currency": currency}
    elif "AcquisitionValue" in node:
        data["purchase_cost"] = None  # 0.00 of no currency is how SAP writes that nobody knows
    if "ABCIndicator" in node:
        code = node.text("ABCIndicator")
        data["criticality"] = None if code is None else word({}, code)
    status = _status(node)
    if status is not None:
        data["status"] = status
        data["is_active"] = status["value"] not in _GONE
    master, sub = node.text("MasterFixedAsset"), node.text("FixedAsset")
    if master is not None:
        stated.custom["fixed_asset"] = master if sub is None else joined(master, sub)


def _status(node: Node) -> dict[str, Any] | None:
    flags = [(name, value) for name, value in _FLAGS if node.flag(name)]
    if flags:
        name, value = flags[0]
        return {"value": value, "source_code": name}
    if node.flag("FunctionalLocationIsActive") is False:
        return {"value": "not_in_service", "source_code": "FunctionalLocationIsActive"}
    return None
