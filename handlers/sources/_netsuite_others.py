"""NetSuite's vendors and inventory items."""

from collections.abc import Iterable
from typing import Any, Final

from handlers.sources import _netsuite_tables as tables
from handlers.sources._converters import amount, reference
from handlers.sources._mapping import Field, Stated
from handlers.sources._netsuite_orders import address, currency_of, put_currency, sublist
from handlers.sources._netsuite_values import FLAG, Names, last_segment, named, unit
from handlers.sources._node import Node

_LEVELS = Names(tables.LEVEL.names)
_TOTALS: Final = (
    ("on_hand", "quantityOnHand"),
    ("available", "quantityAvailable"),
    ("reserved", "quantityCommitted"),
    ("on_order", "quantityOnOrder"),
)


def vendor(node: Node) -> Stated:
    """The record vendor."""
    currency = currency_of(node)
    stated = tables.VENDOR.tell(node)
    data = stated.data
    put_currency(node, stated, currency)
    if node.text("companyName") is not None:
        data["name"] = node.text("companyName")
    _put_inactive(node, data, "status")
    if "entityId" in node:
        person = " ".join(name for name in map(node.text, ("firstName", "lastName")) if name is not None)
        if "name" not in data and (person or "companyName" in node):
            data["name"] = person or None
        _put_list(node, data, "emails", ("email", "altEmail"))
        _put_list(node, data, "phones", ("phone", "altPhone"))
        if "taxIdNum" in node or "vatRegNumber" in node:
            numbers = (("Tax ID", node.text("taxIdNum")), ("VAT", node.text("vatRegNumber")))
            data["tax_ids"] = [{"type": kind, "value": number} for kind, number in numbers if number is not None]
    book = sublist(node, "addressBook")
    if book is not None:
        data["addresses"] = [each for row in book if (each := _booked(row)) is not None]
    return stated


def _booked(row: Node) -> dict[str, Any] | None:
    found = address(row, "addressBookAddress")
    if found is None:
        return None
    kinds = [
        kind
        for kind, name in (("billing", "defaultBilling"), ("shipping", "defaultShipping"))
        if row.get(name) is not None and FLAG(row.get(name), row, Field("", name=name))
    ]
    label = row.text("label")
    return {"kind": " and ".join(kinds) or None, "name": label, **found}


def item(node: Node) -> Stated:
    """The record inventoryItem. Its amounts are in the account's base currency, which is not sent."""
    stated = tables.ITEM.tell(node)
    data = stated.data
    name = node.text("displayName") or node.text("description")
    if name is not None or "displayName" in node:
        data["name"] = name
    type_, _ = named(node, "itemType")
    if type_ is not None:
        data["type"] = tables.ITEM_TYPES.get(type_, type_)
    _put_inactive(node, data, "is_active")
    _units(node, data)
    if "itemId" in node:
        _purchasing(node, data)
        found = [(target, node.number(name)) for target, name in _TOTALS if name in node]
        if found:
            data["totals"] = {
                target: {"value": value, "unit": data.get("uom")} for target, value in found if value is not None
            }
    levels = sublist(node, "locations")
    if levels is not None:
        data["stock_levels"] = [_level(_LEVELS.seen(each)) for each in levels]
    return stated


def _units(node: Node, data: dict[str, Any]) -> None:
    """Stock is counted in one unit and bought in another: how many of the one make the other is not sent."""
    for target, name in (("uom", "stockUnit"), ("purchase_uom", "purchaseUnit")):
        if name in node:
            data[target] = unit(node, name, target)
    bought, held = data.get("purchase_uom"), data.get("uom")
    if bought is not None and held is not None and bought != held:
        node.given.warn("conversion_unknown", "purchase_uom", "the purchase unit is not the stock unit")


def _purchasing(node: Node, data: dict[str, Any]) -> None:
    vendor_id, label = named(node, "vendor")
    if "vendor" in node:
        data["preferred_vendor_ref"] = reference(vendor_id, label)
    price = node.number("cost")
    if vendor_id is not None:
        sold = {"vendor_ref": reference(vendor_id, label), "vendor_item_number": last_segment(node.text("vendorName"))}
        if price is not None:
            sold["price"] = amount(price, node, Field("vendors", name="cost"))
        data["vendors"] = [sold]
    method, _ = named(node, "costingMethod")
    chosen = tables.COST_METHODS.get(method or "AVG", tables.LAST_COST)
    for name, ours in (chosen, tables.LAST_COST, tables.COST_METHODS["AVG"]):
        cost = node.number(name)
        if cost is not None:
            data["unit_cost"] = {"amount": cost, "currency": None, "method": ours}
            return


def _level(row: Node) -> dict[str, Any]:
    stated = tables.LEVEL.tell(row)
    level = stated.data
    if level.get("warehouse_ref") is None:
        level["warehouse_ref"] = reference(row.text("locationId"))
    return level | stated.custom


def _put_inactive(node: Node, data: dict[str, Any], target: str) -> None:
    value = node.get("isInactive")
    if value is None:
        return
    is_inactive = FLAG(value, node, Field(target, name="isInactive"))
    if target == "is_active":
        data[target] = not is_inactive
    else:
        data[target] = {"value": "inactive" if is_inactive else "active", "source_code": "isInactive"}


def _put_list(node: Node, data: dict[str, Any], target: str, names: Iterable[str]) -> None:
    if any(name in node for name in names):
        data[target] = [value for value in map(node.text, names) if value is not None]
