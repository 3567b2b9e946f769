"""ERPNext's doctypes and their words, and what each becomes; `erpnext` cites where they are from. I: INFERRED."""

from collections.abc import Callable
from typing import Any, Final

from handlers.sources._converters import amount, coded, flags, local_date, moment, text
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._node import Node

CHECKED: Final = flags(frozenset({1, "1"}), frozenset({0, "0"}))
UNCHECKED: Final = flags(frozenset({0, "0"}), frozenset({1, "1"}))

ASSET_STATUSES: Final = {
    # What accounting says of an asset says nothing of whether it runs.
    "Draft": "operating",
    "Submitted": "operating",
    "Partially Depreciated": "operating",
    "Fully Depreciated": "operating",
    "Issue": "operating",
    "Receipt": "operating",
    "Capitalized": "operating",
    "Work In Progress": "operating",
    "In Maintenance": "maintenance",
    "Out of Order": "down",
    "Scrapped": "decommissioned",
    "Sold": "decommissioned",
    "Cancelled": "unknown",
}
ORDER_STATUSES: Final = {
    "Draft": "requested",
    "On Hold": "on_hold",
    "To Receive and Bill": "approved",
    "To Receive": "in_progress",  # billed, not received
    "To Bill": "completed",
    "Delivered": "completed",
    "Completed": "closed",
    "Closed": "closed",
    "Cancelled": "cancelled",
}

_HEAD: Final[dict[str, str | Field]] = {
    "name": used("number"),
    "doctype": used(),
    "event": used(),
    "docstatus": used("status"),
    "naming_series": used(),
    "creation": Field("source_created_at", moment),
    "modified": Field("source_updated_at", moment),
}
"""What every document has."""


def labelled(name: str) -> "Callable[[Any, Node, Field], dict[str, Any]]":
    """A reference whose label is another member of the same document."""

    def convert(value: Any, node: Node, field: Field) -> dict[str, Any]:
        return {"key": text(value, node, field), "label": node.text(name)}

    return convert


ASSET_REPAIR: Final = Table(
    "work_order",
    _HEAD
    | {
        "asset": Field("asset_ref", labelled("asset_name")),
        "asset_name": used("title"),
        "failure_date": used("actual_start_at"),
        "completion_date": Field("completed_at", moment),
        "repair_status": used("status"),
        "description": used("description"),
        "actions_performed": Field("failure.remedy.label"),
        "company": "company_ref",
        "repair_cost": Field("costs.service.actual", amount),  # I: what an outside workshop bills
        "total_repair_cost": Field("costs.total.actual", amount),
        "stock_items": rows(
            "parts",
            Table(
                "",
                {
                    "doctype": used(),
                    "idx": used(),
                    "item_code": "item_ref",
                    "consumed_quantity": "used_qty",
                    "valuation_rate": Field("unit_cost", amount),
                    "warehouse": "warehouse_ref",
                },
            ),
        ),
    },
)
STOP: Final = Table(
    "downtime", {"failure_date": Field("started_at", moment), "completion_date": Field("ended_at", moment)}
)

ASSET: Final = Table(
    "asset",
    _HEAD
    | {
        "asset_name": "name",
        "item_code": "model_ref",
        "asset_category": "category",
        "status": Field("status", coded(ASSET_STATUSES)),
        "location": "location_ref",
        "company": "company_ref",
        "cost_center": "cost_center",
        "supplier": "vendor_ref",
        "purchase_date": Field("purchase_date", local_date),
        "available_for_use_date": Field("in_service_date", local_date),
        "disposal_date": Field("decommissioned_date", local_date),
        "net_purchase_amount": Field("purchase_cost", amount),
        "gross_purchase_amount": used("purchase_cost"),
    },
)

PURCHASE_ORDER: Final = Table(
    "purchase_order",
    _HEAD
    | {
        "title": "title",
        "status": used("status"),
        "supplier": Field("vendor_ref", labelled("supplier_name")),
        "supplier_name": "vendor_name",
        "supplier_address_display": Field("vendor_address.formatted"),  # I
        "transaction_date": Field("order_date", local_date),
        "schedule_date": Field("required_date", local_date),
        "company": "company_ref",
        "currency": "currency",
        "conversion_rate": "exchange_rate",
        "net_total": Field("subtotal", amount),
        "total": used("subtotal"),
        "total_taxes_and_charges": Field("tax_total", amount),
        "discount_amount": Field("discount_total", amount),  # I
        "grand_total": Field("total", amount),
        "per_received": used("receipt_status"),
        "per_billed": used("billing_status"),
        "payment_terms_template": "payment_terms",
        "shipping_address_display": Field("ship_to.formatted"),
        "billing_address_display": Field("bill_to.formatted"),
        "incoterm": "incoterms",
        "items": rows(
            "lines",
            Table(
                "",
                {
                    "doctype": used(),
                    "name": "line_id",
                    "idx": Field("line_number", text),
                    "item_code": Field("item_ref", labelled("item_name")),
                    "item_name": used(),
                    "description": "description",
                    "qty": "quantity_ordered",
                    "received_qty": "quantity_received",
                    "billed_qty": "quantity_billed",
                    "uom": "uom_source",
                    "stock_uom": Field("stock_conversion.uom"),
                    "conversion_factor": Field("stock_conversion.numerator"),
                    "rate": Field("unit_price", amount),
                    "amount": Field("line_amount", amount),
                    "warehouse": "warehouse_ref",
                    "schedule_date": Field("required_date", local_date),
                    "expected_delivery_date": Field("promised_date", local_date),  # I
                    "supplier_part_no": "vendor_item_number",
                    "cost_center": "cost_center",
                },
            ),
        ),
    },
)

ITEM: Final = Table(  # I
    "inventory_item",
    _HEAD
    | {
        "item_name": "name",
        "description": "description",
        "item_group": "category",
        "stock_uom": "uom",
        "purchase_uom": "purchase_uom",
        "valuation_rate": Field("unit_cost", amount),
        "is_stock_item": Field("is_stocked", CHECKED),
        "disabled": Field("is_active", UNCHECKED),
    },
)
SUPPLIER: Final = Table(  # I
    "vendor",
    _HEAD
    | {
        "supplier_name": "name",
        "supplier_type": "type_source",
        "default_currency": "currency",
        "payment_terms": "payment_terms",
        "tax_id": used("tax_ids"),
        "email_id": used("emails"),
        "mobile_no": used("phones"),
        "disabled": used("status"),
        "on_hold": used("status"),
    },
)
