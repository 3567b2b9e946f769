"""SAP's purchase orders: a price is for so many, a total stands nowhere, and lines say how far an order has come."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final

from handlers.rules import exact
from handlers.sources._converters import EXACT, joined, reference
from handlers.sources._node import Node
from handlers.sources._sap_purchasing_tables import ADDRESS, LINE, ORDER, SCHEDULE
from handlers.sources._sap_tables import rows_of, told
from handlers.sources._sap_values import key_of, number_of
from handlers.sources._told import Told

CANCELLED, ON_HOLD = "L", "S"
"""A line's deletion code: deleted, blocked."""
REJECTED, IN_RELEASE, ACTIVE, RELEASED = "08", "03", "02", "05"
"""Processing statuses of an order [KBA]."""
OF_ORDERS: Final = "F"
"""The account assignment category of a line that is bought for an order, an internal or a maintenance one (I)."""


def purchase_order(node: Node) -> Iterator[Told]:
    """A_PurchaseOrder, with its lines where they were expanded."""
    key = key_of(node, "PurchaseOrder")
    node.given.currency = node.text("DocumentCurrency")
    stated = ORDER.tell(node)
    data = stated.data
    data |= {"number": key, "source_id": node.text("PurchaseOrder")}
    _header(node, data)
    items = rows_of(node, "PurchaseOrderItem")
    if items is not None:
        data["lines"] = [_line(row) for row in items]
        _from_lines(items, data)
    _status(node, items, data)
    yield told(node, ORDER, key, stated, "A_PurchaseOrder")


def item(node: Node) -> Iterator[Told]:
    """A_PurchaseOrderItem alone: one line of its order."""
    key = key_of(node, "PurchaseOrder")
    node.given.currency = node.text("DocumentCurrency")
    yield Told(
        type="purchase_order.updated",
        key=key,
        data={"number": key, "lines": [_line(node)]},
        table=ORDER,
        entity="A_PurchaseOrderItem",
    )


def _header(node: Node, data: dict[str, Any]) -> None:
    if "Supplier" in node:
        supplier = number_of(node, "Supplier")
        data["vendor_ref"] = reference(supplier, node.text("AddressName"))
    address = _address(node, "Address")
    if address is not None:
        data["vendor_address"] = address
    if "AddressName" in node:
        data["vendor_name"] = node.text("AddressName")
    company = node.text("CompanyCode")
    if company is not None:
        data["bill_to"] = {"code": company}  # I: its address is in the company's own data
    group = node.text("PurchasingGroup")
    if group is not None:
        data["buyer"] = joined(node.text("PurchasingOrganization"), group)
    terms, days = node.text("PaymentTerms"), node.number("NetPaymentDays")
    if terms is not None or days:
        data["payment_terms"] = {"code": terms, **({"net_days": days} if days else {})}  # I: no days are none stated
    incoterms = [each for each in map(node.text, ("IncotermsClassification", "IncotermsLocation1")) if each is not None]
    if "IncotermsClassification" in node:
        data["incoterms"] = " ".join(incoterms) or None


def _address(node: Node, prefix: str) -> dict[str, Any] | None:
    parts = {ours: node.text(f"{prefix}{theirs}") for ours, theirs in ADDRESS.items()}
    if not any(parts.values()):
        return None
    street = [each for each in (parts.pop("street"), parts.pop("house")) if each is not None]
    return {**parts, "lines": [" ".join(street)] if street else []}


def _line(row: Node) -> dict[str, Any]:
    line = LINE.row(row)
    line["line_number"] = number_of(row, "PurchaseOrderItem") or row.key("PurchaseOrderItem")
    material = number_of(row, "Material")
    line["item_ref"], line["item_number"] = reference(material, row.text("PurchaseOrderItemText")), material
    code = row.text("PurchasingDocumentDeletionCode")
    line["is_cancelled"] = code == CANCELLED
    if code is not None:
        words = {CANCELLED: "cancelled", ON_HOLD: "on_hold"}
        line["status"] = {"value": words.get(code), "source_code": code}
    price, currency = row.number("NetPriceAmount"), row.text("DocumentCurrency") or row.given.currency
    if price is not None:
        line["unit_price"] = {"amount": price, "currency": currency}
    stated = row.number("NetAmount")
    amount = _computed(row, price) if stated is None else exact.kept(stated)
    if amount is not None:
        line["line_amount"] = {"amount": amount, "currency": currency}
    plant, place = row.text("Plant"), row.text("StorageLocation")
    if plant is not None and place is not None:
        line["warehouse_ref"] = reference(joined(plant, place))
    ship_to = _address(row, "DeliveryAddress")
    if ship_to is not None or plant is not None:
        line["ship_to"] = {**(ship_to or {}), "code": plant}
    _schedules(row, line)
    for assigned in rows_of(row, "AccountAssignment") or ():
        order = number_of(assigned, "OrderID")
        if order is not None and row.text("AccountAssignmentCategory") == OF_ORDERS:
            line["work_order_ref"] = reference(order)
        center = number_of(assigned, "CostCenter")
        if center is not None:
            line["cost_center"] = center
    return line


def _computed(row: Node, price: Decimal | None) -> str | None:
    """Quantity times price, per the quantity that the price is for, in the unit that it is for."""
    quantity, ratio = row.number("OrderQuantity"), _conversion(row)
    if quantity is None or price is None or ratio is None:
        return None
    basis = row.number("NetPriceQuantity") or Decimal(1)
    amount = exact.product(EXACT.multiply(quantity, ratio[0]), price, EXACT.multiply(ratio[1], basis))
    return None if amount is None else exact.kept(amount)


def _conversion(row: Node) -> tuple[Decimal, Decimal] | None:
    """How many of the price's unit are how many of the order's; None where nobody says.

    BPUMZ and BPUMN: sapdatasheet.org, data elements, read in 2026.
    """
    unit, price_unit = row.text("PurchaseOrderQuantityUnit"), row.text("OrderPriceUnit")
    if unit == price_unit or price_unit is None:
        return Decimal(1), Decimal(1)
    above, below = row.number("OrderPriceUnitToOrderUnitNmrtr"), row.number("OrdPriceUnitToOrderUnitDnmntr")
    return (above, below) if above and below else None


def _schedules(row: Node, line: dict[str, Any]) -> None:
    """Deliveries asked for: the first is when something is needed; I: once all is committed, the last is promised."""
    schedules = rows_of(row, "ScheduleLine")
    if schedules is None:
        return
    line["schedules"] = [SCHEDULE.row(each) for each in schedules]
    dates = [each["date"] for each in line["schedules"] if each.get("date") is not None]
    line["required_date"] = min(dates, default=None)
    wanted, committed = (
        [each.number(f"ScheduleLine{name}Quantity") for each in schedules] for name in ("Order", "Committed")
    )
    if dates and all(some and all_ and some >= all_ for some, all_ in zip(committed, wanted, strict=True)):
        line["promised_date"] = max(dates)


def _from_lines(items: Sequence[Node], data: dict[str, Any]) -> None:
    """What the lines that stand say of the order together."""
    lines = [line for line in data["lines"] if not line["is_cancelled"]]
    alive = [row for row in items if row.text("PurchasingDocumentDeletionCode") != CANCELLED]
    amounts = [line.get("line_amount") for line in lines]
    if amounts and None not in amounts and len({each["currency"] for each in amounts}) == 1:
        total = exact.kept(exact.total(Decimal(each["amount"]) for each in amounts))
        if total is not None:
            data["subtotal"] = {"amount": total, "currency": amounts[0]["currency"]}
    needed = [line["required_date"] for line in lines if line.get("required_date") is not None]
    if needed:
        data["required_date"] = min(needed)
    for target, name in (("receipt_status", "IsCompletelyDelivered"), ("billing_status", "IsFinallyInvoiced")):
        done = [row.flag(name) for row in alive]
        if done and None not in done:
            data[target] = {"value": "complete" if all(done) else "partial" if any(done) else "none"}
    places = [line.get("ship_to") for line in lines]
    if places and all(place == places[0] for place in places):
        data["ship_to"] = places[0]
    plants = {row.text("Plant") for row in alive}
    if len(plants) == 1:
        data["site_ref"] = reference(plants.pop())


def _status(node: Node, items: Sequence[Node] | None, data: dict[str, Any]) -> None:
    """The status, in the order that SAP's note gives [KBA]: an archived header, a draft, a rejection, a release.

    Without its lines an order that is released may be at any point after, so nothing is said but the approval.
    """
    code = node.text("PurchasingProcessingStatus")
    deletion = node.text("PurchasingDocumentDeletionCode")
    codes = [row.text("PurchasingDocumentDeletionCode") for row in items or ()]
    told: dict[str, Any] = {"value": None, "source_code": code}
    if deletion == CANCELLED or (codes and all(each == CANCELLED for each in codes)):
        told = {"value": "cancelled", "source_code": CANCELLED}
    elif node.flag("PurchasingCompletenessStatus") is False:
        told["value"], data["approval_status"] = "requested", {"value": "draft", "source_code": code}
    elif code == REJECTED:
        told["value"], data["approval_status"] = "cancelled", {"value": "rejected", "source_code": code}
    elif node.flag("ReleaseIsNotCompleted") or code == IN_RELEASE:
        told["value"], data["approval_status"] = "requested", {"value": "in_approval", "source_code": code}
    elif code in {ACTIVE, RELEASED}:
        data["approval_status"] = {"value": "approved", "source_code": code}
        if items is None:
            return
        standing = [each for each in codes if each != CANCELLED]
        is_held = bool(standing) and all(each == ON_HOLD for each in standing)
        told["value"] = "on_hold" if is_held else _received(data)
    elif code is None:
        return
    data["status"] = told


def _received(data: dict[str, Any]) -> str:
    received, billed = (data.get(target, {}).get("value") for target in ("receipt_status", "billing_status"))
    if received == "complete":
        return "closed" if billed == "complete" else "completed"
    return "in_progress" if received == "partial" else "approved"
