"""Finance & Supply Chain Management: purchase orders, released products, what is on hand, vendors."""

from typing import Any, Final

from handlers.sources import _dynamics_fo_tables as tables
from handlers.sources._converters import amount, joined, reference, word
from handlers.sources._dynamics_fo_values import company_of, link, price_each, put_first, put_link
from handlers.sources._mapping import Field, Stated
from handlers.sources._node import Node
from handlers.sources._odata import address, own_in_row, put_address, put_list

FINAL: Final = {"Received": "completed", "Invoiced": "closed", "Canceled": "cancelled"}
"""Statuses that count whatever the approval is: a received order that is being changed stays received."""
BEFORE: Final = {"Draft": "requested", "InReview": "requested", "Rejected": "cancelled", "Finalized": "closed"}
"""Approvals that count before the other statuses."""
LET_GO: Final = frozenset({None, "Approved", "InExternalReview", "Confirmed"})
"""Approvals with which an open order is one; none at all is INFERRED to be."""
RECEIVED: Final = frozenset({"Received", "Invoiced"})


WHOLE: Final = (
    *("PurchaseOrderNumber", "OrderVendorAccountNumber", "PurchaseOrderStatus", "DocumentApprovalStatus"),
    *("CurrencyCode", "AccountingDate", "RequestedDeliveryDate", "PurchaseOrderLinesV2"),
)
"""An order that has all of these came whole (I), so that a line it lacks is gone."""


def purchase_order(node: Node) -> Stated:
    """PurchaseOrderHeadersV2."""
    company = company_of(node)
    node.given.currency = node.text("CurrencyCode")
    stated = tables.PURCHASE_ORDER.tell(node)
    data, lines = stated.data, node.nodes("PurchaseOrderLinesV2")
    data["number"] = node.key("PurchaseOrderNumber")
    name = node.text("PurchaseOrderName")
    if "PurchaseOrderName" in node:
        data["vendor_name"] = name
    if "OrderVendorAccountNumber" in node:
        data["vendor_ref"] = link(node, "OrderVendorAccountNumber", company, name)
    put_first(node, data, "order_date", "AccountingDate", "CreatedDateTime")  # I
    put_first(node, data, "required_date", "RequestedDeliveryDate", "RequestedShipDate")
    put_first(node, data, "promised_date", "ConfirmedDeliveryDate", "ConfirmedShipDate")
    put_address(node, data, "ship_to", tables.DELIVERY)
    put_address(node, data, "bill_to", tables.INVOICE)
    put_link(node, data, "site_ref", "DefaultReceivingSiteId", company)
    for row, line in zip(data.get("lines") or (), lines, strict=False):
        _line(line, row, company)
    _order_status(node, data, lines)
    return stated


def purchase_order_line(node: Node) -> Stated:
    """PurchaseOrderLinesV2: a line by itself, as a second request sends it."""
    row, custom = tables.LINE.tell(node)
    if custom:
        row["custom_fields"] = custom
    _line(node, row, company_of(node))
    return Stated({"lines": [row]}, {})


def _line(node: Node, row: dict[str, Any], company: str) -> None:
    if "ItemNumber" in node:
        row["item_ref"] = link(node, "ItemNumber", company, node.text("LineDescription"))
        if row["item_ref"] is None and node.text("ProcurementProductCategoryName") is not None:
            row["line_type"] = "non_stock"  # I: bought by its category
    put_link(node, row, "warehouse_ref", "ReceivingWarehouseId", company)
    status = node.text("PurchaseOrderLineStatus")
    if status is not None:
        row["is_received_complete"], row["is_cancelled"] = status in RECEIVED, status == "Canceled"
    own_in_row(node, row)


def _order_status(node: Node, data: dict[str, Any], lines: list[Node]) -> None:
    """Both axes make the status; `Backorder` is what an open order is called, and waits for nothing."""
    code, approval = node.text("PurchaseOrderStatus"), node.text("DocumentApprovalStatus")
    if code is None and approval not in BEFORE:
        return
    value = FINAL.get(code or "") or BEFORE.get(approval or "")
    if value is None and code == "None":
        value = "requested"
    if value is None and code == "Backorder" and approval in LET_GO:
        is_received = any(line.text("PurchaseOrderLineStatus") in RECEIVED for line in lines)
        value = "in_progress" if is_received else "approved"
    data["status"] = {"value": value, "source_code": code or approval}
    if code is not None:
        data["receipt_status"] = {"value": "complete", "source_code": code} if code in RECEIVED else None
        data["billing_status"] = {"value": "complete", "source_code": code} if code == "Invoiced" else None


def item(node: Node) -> Stated:
    """ReleasedProductsV2. Its price is for so many, in the legal entity's currency, which is not sent."""
    stated = tables.ITEM.tell(node)
    data = stated.data
    data["number"] = node.key("ItemNumber")
    if "ProductName" in node or "SearchName" in node:
        data["name"] = node.text("ProductName") or node.text("SearchName")
    if data.get("type") is not None:
        data["is_stocked"] = data["type"] == "stock"
    if "PurchasePrice" in node:
        each = price_each(node)
        if each is not None:
            data["unit_cost"] = amount(each, node, Field("unit_cost", name="PurchasePrice"))
        else:
            stated.custom.update(
                {name: node.get(name) for name in ("PurchasePrice", "PurchasePriceQuantity") if name in node}
            )
    return stated


def on_hand(node: Node) -> Stated:
    """On-hand rows: what lies of an item in one warehouse (INFERRED but for four of its members)."""
    company = company_of(node)
    stated = tables.ON_HAND.tell(node)
    level = {
        target: node.get(name)
        for target, name in (
            ("on_hand", "OnHandQuantity"),
            ("available", "AvailableOnHandQuantity"),
            ("reserved", "ReservedOnHandQuantity"),
        )
        if name in node
    }
    warehouse = reference(joined(company, node.key("InventoryWarehouseId")))
    stated.data.update(number=node.key("ItemNumber"), stock_levels=[{"warehouse_ref": warehouse, **level}])
    return stated


def vendor(node: Node) -> Stated:
    """VendorsV2."""
    stated = tables.VENDOR.tell(node)
    data = stated.data
    data["number"] = node.key("VendorAccountNumber")
    put_list(node, data, "emails", "PrimaryEmailAddress")
    put_list(node, data, "phones", "PrimaryPhoneNumber")
    number = node.text("TaxExemptNumber")
    if number is not None:
        data["tax_ids"] = [{"value": number}]
    found = address(node, tables.ADDRESS)
    if found is not None:
        data["addresses"] = [found]
    hold = node.text("OnHoldStatus")
    if hold is not None:
        data["status"] = word(_HOLDS, hold)
        if hold in _HOLDS:
            data["blocked_for"] = {name: hold in holds for name, holds in _BLOCKS.items()}
    return stated


_HOLDS: Final = {  # I but for No, Invoice, All and Payment being words
    "No": "active",
    "Never": "active",
    "Invoice": "active",
    "Payment": "active",
    "Requisition": "blocked",
    "PurchaseOrder": "blocked",
    "All": "blocked",
}
_BLOCKS: Final = {
    "purchasing": frozenset({"All", "PurchaseOrder", "Requisition"}),
    "posting": frozenset({"All", "Invoice"}),
    "payment": frozenset({"All", "Payment"}),
}
