"""Atlas' members about parts, purchases and vendors; `atlas` cites where they are from. I: INFERRED."""

from typing import Any, Final

from handlers.sources._atlas_tables import AUDIT, label, listed, name_of, ref
from handlers.sources._converters import amount, date_or_milliseconds, reference, text
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._node import Node

SELLER: Final = Table("", {"id": used("vendor_ref"), "companyName": used("vendor_ref")})


def _seller(node: Node, row: dict[str, Any]) -> None:
    row["vendor_ref"] = reference(node.key("id"), label(node))


PART: Final = Table(
    "inventory_item",
    {
        **AUDIT,
        "name": "name",
        "description": Field("description", text),
        "cost": Field("unit_cost", amount),
        "category": Field("category", name_of),
        "quantity": used("totals"),
        "minQuantity": used("stock_levels"),
        "area": used("stock_levels"),
        "location": used("stock_levels"),
        "nonStock": used("is_stocked"),
        "unit": Field("uom", text),
        "barcode": Field("barcode", text),
        "vendors": rows("vendors", SELLER, _seller),
    },
)
LINE: Final = Table(
    "",
    {
        "id": Field("line_id", text),
        "quantity": "quantity_ordered",
        "part": used("item_ref"),
        "createdAt": used(),
        "updatedAt": used(),
    },
)


def _line(node: Node, row: dict[str, Any]) -> None:
    """The part's own members: its cost is that of now, not of when it was ordered (INFERRED)."""
    part = node.node("part")
    if part is not None:
        row["item_ref"] = reference(part.key("id"), part.text("name"))
        row["description"], row["uom"] = part.text("name"), part.text("unit")
        row["unit_price"] = part.number("cost")


PURCHASE_ORDER: Final = Table(
    "purchase_order",
    {
        **AUDIT,
        "name": "title",
        "status": used("status"),
        "vendor": Field("vendor_ref", ref),
        "shippingDueDate": Field("required_date", date_or_milliseconds),
        "shippingShipToName": used("ship_to"),
        "shippingCompanyName": used("ship_to"),
        "shippingAddress": used("ship_to"),
        "shippingCity": used("ship_to"),
        "shippingState": used("ship_to"),
        "shippingZipCode": used("ship_to"),
        "shippingPhone": used("ship_to"),
        "additionalInfoDate": Field("order_date", date_or_milliseconds),  # I
        "additionalInfoTerm": Field("payment_terms", text),
        "additionalInfoRequisitionedName": Field("requester", text),
        "additionalInfoNotes": Field("description", text),
        "partQuantities": rows("lines", LINE, _line),
    },
)
VENDOR: Final = Table(
    "vendor",
    {
        **AUDIT,
        "companyName": "name",
        "name": Field("contacts", listed),
        "vendorType": Field("type_source", text),
        "address": Field("addresses", listed),
        "phone": Field("phones", listed),
        "email": Field("emails", listed),
        "website": Field("website", text),
    },
)
