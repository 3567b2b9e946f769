"""NetSuite's purchase orders: statuses by letter, lines of two sublists, currencies by id."""

from typing import Any, Final

from handlers.sources import _netsuite_tables as tables
from handlers.sources._converters import reference, word
from handlers.sources._mapping import Field, Stated
from handlers.sources._netsuite_values import FLAG, Names, is_iso_currency, last_segment, named, unit
from handlers.sources._node import Node

PREFIX: Final = "purchord:"
"""How searches and scripts write a status: `PurchOrd:B`."""
CLOSED: Final = "H"
_LINES = Names((*tables.LINE.names, *tables.EXPENSE.names))


def purchase_order(node: Node) -> Stated:
    """The record purchaseOrder."""
    currency = currency_of(node)
    stated = tables.PURCHASE_ORDER.tell(node)
    data = stated.data
    put_currency(node, stated, currency)
    if "entity" in node:
        vendor, name = named(node, "entity")
        data["vendor_ref"], data["vendor_name"] = reference(vendor, name), name
    for target, parts, whole in (
        ("ship_to", "shippingAddress", "shipAddress"),
        ("vendor_address", "billingAddress", "billAddress"),
    ):
        if parts in node or whole in node:
            data[target] = address(node, parts) or node.text(whole)
    lines = _lines(node, data)
    _order_status(node, data, lines)
    approval, label = named(node, "approvalStatus")
    if approval is not None:
        data["approval_status"] = word(tables.APPROVALS, approval, source_label=label)
    return stated


def currency_of(node: Node) -> str | None:
    """The record's currency by its name, for its amounts too: an id is the account's own and says nothing."""
    id_, label = named(node, "currency")
    names = [each for each in (label, id_) if each is not None]
    codes = (each if is_iso_currency(each) else tables.CURRENCIES.get(each.lower()) for each in names)
    node.given.currency = next((code for code in codes if code is not None), None)
    return node.given.currency


def put_currency(node: Node, stated: Stated, currency: str | None) -> None:
    """Tells the currency, where the record has one; one that cannot be read is the connection's, with a warning."""
    if "currency" not in node:
        return
    given = node.get("currency")
    stated.data["currency"] = currency
    if currency is None and given is not None:
        currency = node.given.options.currency
        detail = f"an id or name of the account's own, kept as it is; {currency or 'none'} was taken"
        node.given.warn("currency_unknown", "currency", detail)
        stated.data["currency"], stated.custom["currency"] = currency, given


def sublist(node: Node, name: str) -> list[Node] | None:
    """The rows of a sublist; None where it is only linked to, which is not the same as none."""
    given = node.get(name)
    if isinstance(given, list):  # I: as scripts write it
        return node.nodes_of(name, given)
    inner = node.node(name)
    return None if inner is None or inner.get("items") is None else inner.nodes("items")


def address(node: Node, name: str) -> dict[str, Any] | None:
    """An address that was sent with its parts; None for one that is only linked to."""
    inner = node.node(name)
    if inner is None:
        return None
    parts = {
        "name": inner.text("addressee") or inner.text("attention"),
        "lines": [line for line in map(inner.text, ("addr1", "addr2", "addr3")) if line is not None] or None,
        "city": inner.text("city"),
        "region": inner.text("state"),
        "postcode": inner.text("zip"),
        "country": named(inner, "country")[0],
        "phone": inner.text("addrPhone"),
        "formatted": inner.text("addrText"),
    }
    return {target: value for target, value in parts.items() if value is not None} or None


def _lines(node: Node, data: dict[str, Any]) -> list[Node] | None:
    """Tells the lines that were sent; the items among them, None where those were not."""
    items, expenses = sublist(node, "item"), sublist(node, "expense")
    if items is None and expenses is None:
        return None
    items = None if items is None else [_LINES.seen(each) for each in items]
    rows = [_item_line(each, index) for index, each in enumerate(items or ())]
    rows += [_expense_line(_LINES.seen(each)) for each in expenses or ()]
    is_known_empty = not rows and items is not None and expenses is not None
    data["lines"] = None if is_known_empty else rows
    return items


def _item_line(line: Node, index: int) -> dict[str, Any]:
    row = _row(line, tables.LINE.tell(line))
    if "item" in line:
        item, label = named(line, "item")
        row["item_ref"], row["item_number"] = reference(item, label), last_segment(label)
    if "units" in line:
        row["uom"] = unit(line, "units", f"lines[{index}].uom")
    if line.get("isClosed") is not None or line.get("isOpen") is not None:
        row["status"] = _line_status(line)
    return row


def _expense_line(line: Node) -> dict[str, Any]:
    """A cost without an item: its number is another sublist's, so it is told apart by an id."""
    row = _row(line, tables.EXPENSE.tell(line))
    number = line.text("line")
    return row | {"line_type": "service"} | ({} if number is None else {"line_id": f"expense/{number}"})


def _row(line: Node, stated: Stated) -> dict[str, Any]:
    row = stated.data
    if stated.custom:
        row["custom_fields"] = stated.custom
    for name in ("class", "department"):
        id_, label = named(line, name)
        if id_ is not None or label is not None:
            row["cost_center"] = label or id_
    return row


def _line_status(line: Node) -> dict[str, Any]:
    """Closed as the flag says; else by what was received of it (I)."""
    flag = Field("status", name="isClosed")
    if line.get("isClosed") is not None and FLAG(line.get("isClosed"), line, flag):
        return {"value": "closed", "source_code": "isClosed"}
    ordered, received = line.number("quantity"), line.number("quantityReceived")
    if not received or received <= 0:
        return {"value": "approved", "source_code": "isOpen"}
    is_complete = ordered is not None and received >= ordered
    return {"value": "completed" if is_complete else "in_progress", "source_code": "isOpen"}


def _order_status(node: Node, data: dict[str, Any], lines: list[Node] | None) -> None:
    """By the letter in `orderStatus`; `status` may have a text in its id, in the language of whoever asked."""
    code, label = named(node, "orderStatus")
    if code is None and label is None:
        code, label = named(node, "status")
    given = code or label
    if given is None:
        return
    bare = given[len(PREFIX) :] if given.lower().startswith(PREFIX) else given
    is_letter = len(bare) == 1
    letter = bare.upper() if is_letter else tables.STATUS_TEXTS.get(bare.lower().replace(" / ", "/"))
    value = node.given.options.status_map.get(letter or "") or tables.ORDER_STATUSES.get(letter or "")
    if letter is not None and not is_letter:
        node.given.warn("status_by_text", "status", "there is only a text, which follows the user's language")
    if letter == CLOSED and value == "closed" and lines and not any(line.number("quantityReceived") for line in lines):
        value = "cancelled"  # I
    data["status"] = {"value": value, "source_code": bare.upper() if is_letter else given, "source_label": label}
    if letter in tables.ORDER_STATUSES:
        for target, table in (("receipt_status", tables.RECEIPTS), ("billing_status", tables.BILLINGS)):
            done = table.get(letter)
            data[target] = None if done is None else {"value": done, "source_code": letter}
