"""Business Central's purchase orders, items and vendors."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from handlers.sources import _business_central_tables as tables
from handlers.sources._converters import amount, joined, reference, word
from handlers.sources._mapping import Field, Stated, Table
from handlers.sources._node import Node
from handlers.sources._odata import address, own_in_row, put_address, put_list, unescaped

Read: TypeAlias = tuple[str, Stated, Table]
"""The GUID of the record that is told of, what is stated of it, and by which table."""
Mapper: TypeAlias = Callable[[Node, str], Read]
"""Reads a record of a company."""
WHOLE: Final = (
    *("number", "orderDate", "vendorId", "status", "fullyReceived", "currencyCode", "totalAmountIncludingTax"),
    *("lastModifiedDateTime", "purchaseOrderLines"),
)
"""An order that has all of these came whole (I), so that a line it lacks is gone."""


def purchase_order(node: Node, company: str) -> Read:
    """A purchase order, with its lines where they were asked for."""
    code = _currency(node)
    stated = tables.PURCHASE_ORDER.tell(node)
    data, lines = stated.data, node.nodes("purchaseOrderLines")
    data["company_ref"] = reference(company)
    if "currencyCode" in node:
        data["currency"] = code
    if "vendorId" in node:
        data["vendor_ref"] = _link(node, "vendorId", company, node.text("vendorName"))
    put_address(node, data, "ship_to", tables.SHIP_TO)
    put_address(node, data, "vendor_address", tables.BUY_FROM)
    for row, line in zip(data.get("lines") or (), lines, strict=False):
        _line(line, row, company)
    _order_status(node, data, lines)
    return node.key("id"), stated, tables.PURCHASE_ORDER


def purchase_order_line(node: Node, company: str) -> Read:
    """A line by itself, of the order in `documentId`."""
    row, custom = tables.LINE.tell(node)
    if custom:
        row["custom_fields"] = custom
    _line(node, row, company)
    return node.key("documentId"), Stated({"lines": [row]}, {}), tables.PURCHASE_ORDER


def _line(node: Node, row: dict[str, Any], company: str) -> None:
    if "itemId" in node:
        row["item_ref"] = _link(node, "itemId", company, node.text("description"))
    if "locationId" in node:
        place = node.text("locationId")
        row["warehouse_ref"] = reference(place and place.lower())
    own_in_row(node, row)


def _order_status(node: Node, data: dict[str, Any], lines: list[Node]) -> None:
    received = node.flag("fullyReceived")
    if "fullyReceived" in node:
        data["receipt_status"] = {"value": "complete", "source_code": "fullyReceived"} if received else None
    given = node.text("status")
    code = None if given is None else unescaped(given)
    if code is not None:
        data["approval_status"] = word(tables.APPROVALS, code)
        data["status"] = word(tables.ORDER_STATUSES, code)
        if code == "Open" and any((line.number("receivedQuantity") or 0) > 0 for line in lines):
            data["status"]["value"] = "in_progress"
    if received:
        data["status"] = {"value": "completed", "source_code": code}


def item(node: Node, company: str) -> Read:
    """An item; its cost is in the company's own currency."""
    del company
    stated = tables.ITEM.tell(node)
    data = stated.data
    if node.get("blocked") is not None:
        data["is_active"] = not node.flag("blocked")
    if data.get("type") is not None:
        data["is_stocked"] = data["type"] == "stock"
    if "inventory" in node:
        on_hand, unit = node.number("inventory"), node.text("baseUnitOfMeasureCode")
        data["totals"] = None if on_hand is None else {"on_hand": {"value": on_hand, "unit": unit}}
    if "unitCost" in node:
        cost = node.get("unitCost")
        data["unit_cost"] = None if cost is None else amount(cost, node, Field("unit_cost", name="unitCost"))
    return node.key("id"), stated, tables.ITEM


def vendor(node: Node, company: str) -> Read:
    """A vendor."""
    del company
    code = _currency(node)
    stated = tables.VENDOR.tell(node)
    data = stated.data
    if "currencyCode" in node:
        data["currency"] = code
    put_list(node, data, "phones", "phoneNumber")
    put_list(node, data, "emails", "email")
    if "taxRegistrationNumber" in node:
        number = node.text("taxRegistrationNumber")
        data["tax_ids"] = [] if number is None else [{"value": number}]
    found = address(node, tables.ADDRESS)
    if found is not None:
        data["addresses"] = [found]
    blocked = node.text("blocked")
    if blocked is not None:
        data.update(_blocked(unescaped(blocked).strip()))
    return node.key("id"), stated, tables.VENDOR


def _blocked(code: str) -> dict[str, Any]:
    """A vendor's status by what it is blocked for; one blank is for nothing."""
    all_ = code == "All"
    status = {"": "active", "Payment": "active", "All": "blocked"}
    told: dict[str, Any] = {"status": word(status, code)}
    if code in status:
        told["blocked_for"] = {"purchasing": all_, "posting": all_, "payment": all_ or code == "Payment"}
    return told


def _currency(node: Node) -> str | None:
    """The record's currency, which its amounts are in; an empty one is the company's, which nobody sends."""
    code = node.text("currencyCode")
    node.given.currency = code
    if code is None and "currencyCode" in node:
        code = node.given.options.currency
        detail = f"an empty code is the company's own currency; {code or 'none'} was taken"
        node.given.warn("currency_missing" if code is None else "currency_assumed", "currency", detail)
    return code


def _link(node: Node, name: str, company: str, label: str | None) -> dict[str, Any] | None:
    record = node.text(name)
    return None if record is None else reference(joined(company, record.lower()), label)
