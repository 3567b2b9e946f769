"""The purchase order: what was ordered from whom, and how far approval, receipt and billing have come."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias, get_args

from msgspec import Meta, Struct

from handlers.model.record import Record
from handlers.model.scalars import Anything, Date, Flag, Instant, Number, Text
from handlers.model.trade import Address, Conversion, Currency, PaymentTerms
from handlers.model.values import Money, Ref, Word
from handlers.model.work_order import WorkOrderStatus

Approval: TypeAlias = Literal["draft", "in_approval", "approved", "rejected"]
Progress: TypeAlias = Literal["none", "partial", "complete"]


class PurchaseOrderStatus(WorkOrderStatus):
    """How far an order has come as a whole, in the words of work orders."""


class ApprovalStatus(Word):
    """How far its approval has come; null where the source's word is none of ours."""

    value: Approval | None

    words: ClassVar[Mapping[str, str]] = {word: word for word in get_args(Approval)}


class ProgressStatus(Word):
    """How much of it has been received, or billed; null where the source's word is none of ours."""

    value: Progress | None

    words: ClassVar[Mapping[str, str]] = {word: word for word in get_args(Progress)}


class Schedule(Struct, kw_only=True, omit_defaults=True):
    """One delivery of a line."""

    date: Date | None = None
    quantity: Number | None = None
    received: Number | None = None


class Line(Struct, kw_only=True, omit_defaults=True):
    """One line of a purchase order; its quantities are in `uom`.

    `line_number`, or `line_id` where there is none, tells a line from the others of its order.
    """

    line_number: Text | None = None
    line_id: Text | None = None
    status: PurchaseOrderStatus | None = None
    line_type: Literal["stock", "non_stock", "service", "charge", "comment"] | None = None
    item_ref: Ref | None = None
    item_number: Text | None = None
    vendor_item_number: Text | None = None
    mpn: Annotated[Text, Meta(description="the manufacturer's part number")] | None = None
    description: Text | None = None
    quantity_ordered: Number | None = None
    quantity_received: Number | None = None
    quantity_rejected: Number | None = None
    quantity_billed: Number | None = None
    uom: Annotated[Text, Meta(description="UN/ECE Rec 20 or UCUM where that is known")] | None = None
    uom_source: Text | None = None
    stock_conversion: Conversion | None = None
    unit_price: Money | None = None
    price_basis_quantity: Annotated[Number, Meta(description="unit_price is for so many; 1 if null")] | None = None
    price_uom: Text | None = None
    line_amount: Money | None = None
    tax_code: Text | None = None
    tax_amount: Money | None = None
    required_date: Date | None = None
    promised_date: Date | None = None
    schedules: list[Schedule] | None = None
    warehouse_ref: Ref | None = None
    ship_to: Address | None = None
    work_order_ref: Ref | None = None
    asset_ref: Ref | None = None
    cost_center: Text | None = None
    is_received_complete: Flag | None = None
    is_cancelled: Flag | None = None
    custom_fields: Annotated[Anything, Meta(description="the line's fields that are none of these")] | None = None


class PurchaseOrder(Record):
    """An order placed with a vendor."""

    revision: Text | None = None
    superseded: Flag | None = None
    title: Text | None = None
    description: Text | None = None
    status: PurchaseOrderStatus | None = None
    approval_status: ApprovalStatus | None = None
    receipt_status: ProgressStatus | None = None
    billing_status: ProgressStatus | None = None
    vendor_ref: Ref | None = None
    vendor_name: Text | None = None
    vendor_address: Address | None = None
    order_date: Date | None = None
    required_date: Date | None = None
    promised_date: Annotated[Date, Meta(description="when the vendor means to deliver")] | None = None
    approved_at: Instant | None = None
    closed_at: Instant | None = None
    currency: Currency | None = None
    exchange_rate: Number | None = None
    subtotal: Money | None = None
    discount_total: Money | None = None
    tax_total: Money | None = None
    freight_total: Money | None = None
    total: Money | None = None
    total_derived: (
        Annotated[Flag, Meta(description="the total is a sum of lines that the source did not state")] | None
    ) = None
    payment_terms: PaymentTerms | None = None
    incoterms: Text | None = None
    shipping_method: Text | None = None
    ship_to: Address | None = None
    bill_to: Address | None = None
    buyer: Text | None = None
    requester: Text | None = None
    site_ref: Ref | None = None
    company_ref: Ref | None = None
    lines: list[Line] | None = None
