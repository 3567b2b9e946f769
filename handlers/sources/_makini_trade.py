"""Makini's purchase orders, materials, stocks and vendors: their members [G, D4]."""

from typing import Any, Final

from handlers.sources._converters import local_date, moment, text
from handlers.sources._makini_spelt import NUMBER, STANDARD, Spelt, listed
from handlers.sources._makini_values import (
    address,
    addresses,
    code,
    flag,
    money,
    name_of,
    place,
    ref,
    refs,
    sole,
    status,
)
from handlers.sources._mapping import Field, Stated, used
from handlers.sources._node import Node


def _line(node: Node, stated: Stated) -> None:
    stands = status(node, may_complete=False)
    if stands is not None:
        stated.data["status"] = stands
    if node.first("deletedAt", "_deletedAt") is not None:
        stated.data["is_cancelled"] = True
    place(node, stated.data, stated.custom)


LINE: Final = Spelt(
    "",
    {
        **{name: used() for name in ("createdAt|_createdAt", "updatedAt|_updatedAt", "deletedAt|_deletedAt")},
        "_implements": used(),
        "key|id": Field("line_id", text),
        "lineNo|_idValue": Field("line_number", text),
        "materialKey|productKey|partKey": Field("item_ref", ref),
        "code": Field("item_number", text),
        "description|name|_displayValue": "description",
        "status": used("status"),
        "statusKey": used("status"),
        "quantity|qty": "quantity_ordered",
        "receivedQuantity": "quantity_received",
        "uom": "uom",
        "uomKey": Field("uom_source", text),
        "currencyKey|currency": used(),
        "price": Field("unit_price", money),
        "lineTotalValue": Field("line_amount", money),
        "lineTaxValue": Field("tax_amount", money),
        "dueAt": Field("required_date", local_date),
        "deliveryAt": Field("promised_date", local_date),  # I: when it is to be delivered
        "storeroomKey": used("warehouse_ref"),
        "locationKey": used("warehouse_ref"),
        "assetKey": Field("asset_ref", ref),
        "accountKey": Field("cost_center", text),  # I
    },
    _line,
)


def _order(node: Node, stated: Stated) -> None:
    data = stated.data
    stands = status(node)
    if stands is not None or "status" in node or "statusKey" in node:
        data["status"] = stands
    if node.get("userRequestedKey") is not None:
        data["requester"] = name_of(node.get("userRequestedKey"))


PURCHASE_ORDER: Final = Spelt(
    "purchase_order",
    {
        **STANDARD,
        "orderNo|code|_idValue": Field("number", text),
        "title|_displayValue": "title",
        "description": "description",
        "status": used("status"),
        "statusKey": used("status"),
        "siteKey": Field("site_ref", ref),
        "organizationKey": Field("company_ref", ref),
        "vendorKey": Field("vendor_ref", ref),
        "userRequestedKey": used("requester"),
        "orderDate": Field("order_date", local_date),
        "dueAt": Field("required_date", local_date),
        "approvedAt": Field("approved_at", moment),
        "completedAt": Field("closed_at", moment),
        "shippingMethod": "shipping_method",
        "deliveryAddress|shipmentAddress": Field("ship_to", address),
        "billingAddress": Field("bill_to", address),
        "terms": "payment_terms",
        "currencyKey|currency": Field("currency", code),
        "totalNetValue": Field("subtotal", money),
        "totalTaxValue": Field("tax_total", money),
        "totalGrossValue": Field("total", money),
        "lineItems|lines": listed("lines", LINE),
    },
    _order,
)
SUPPLY: Final = Spelt(
    "",
    {
        "vendorKey": Field("vendor_ref", ref),
        "partNumber": Field("vendor_item_number", text),
        "price": Field("price", money),
        "currencyKey|currency": used(),
    },
)
"""For how many a price is (`uomQuantity`) is kept beside it, and nothing is divided."""
INVENTORY: Final = Spelt("", {"locationKey": Field("warehouse_ref", ref), "quantity|qty": "on_hand"})


MATERIAL: Final = Spelt(
    "inventory_item",
    {
        **STANDARD,
        **NUMBER,
        "name|_displayValue": "name",
        "description": "description",
        "categoryName": "category",
        "uom": "uom",
        "cost": Field("unit_cost", money),
        "currencyKey|currency": used(),
        "manufacturerName": "manufacturer",
        "partNumber": Field("mpn", text),  # I
        "vendorKeys": Field("preferred_vendor_ref", sole),
        "supplyOptions": listed("vendors", SUPPLY),
        "isActive": Field("is_active", flag),
        "assetKeys": Field("asset_refs", refs),
        "inventories|inventory": listed("stock_levels", INVENTORY),
    },
)
STOCK: Final = Spelt(
    "",
    {
        **STANDARD,
        "materialKey|productKey|partKey": used(),
        "storeroomKey": used("warehouse_ref"),
        "locationKey": used("warehouse_ref"),
        "position": Field("bin", text),
        "quantity|qty": "on_hand",
        "reorderPoint|reorderLevel": "reorder_point",
        "reorderQuantity": "reorder_quantity",
        "minLevel": "safety_stock",  # I
        "maxLevel": "maximum",
    },
)


OF_RECORD: Final = frozenset({"source_created_at", "source_updated_at"})
"""What a stock says of itself as a record, which it is not here."""


def stock_level(node: Node) -> dict[str, Any]:
    """A stock as a level of its material: of one that was deleted only where it was."""
    stated, _ = STOCK.tell(node)
    level = {name: value for name, value in stated.data.items() if name not in OF_RECORD}
    if node.first("deletedAt", "_deletedAt") is not None:
        level = {"bin": level.get("bin")}
    place(node, level, stated.custom)
    if stated.custom:
        level["custom_fields"] = stated.custom
    return {**level, "source_key": node.first("key", "id")}


VENDOR: Final = Spelt(
    "vendor",
    {
        **STANDARD,
        **NUMBER,
        "name|_displayValue": "name",
        "companyKey": Field("parent_ref", ref),  # it is a subdivision of a company [G]
        "currencyKey|currency": Field("currency", code),
        "address": Field("addresses", addresses),
    },
)
