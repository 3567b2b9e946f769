"""Odoo's models and their words, and what each becomes; `odoo` cites where they are from. I: INFERRED."""

from typing import Any, Final

from handlers.sources._converters import amount, coded, hours, local_date, words
from handlers.sources._mapping import Field, Table, rows, used
from handlers.sources._node import Node

STAGES: Final = {  # the default ones, in English; I
    "New Request": "requested",
    "In Progress": "in_progress",
    "Repaired": "completed",
    "Scrap": "completed",
}
PRIORITIES: Final = {"0": "low", "1": "low", "2": "medium", "3": "high"}  # I: "very low" is low too
TYPES: Final = {"corrective": "corrective", "preventive": "preventive"}
ORDER_STATES: Final = {  # I
    "draft": "requested",
    "sent": "requested",
    "to approve": "requested",
    "purchase": "approved",
    "done": "approved",
    "cancel": "cancelled",
}
APPROVALS: Final = {  # I
    "draft": "draft",
    "sent": "draft",
    "to approve": "in_approval",
    "purchase": "approved",
    "done": "approved",
}
RECEIPTS: Final = {"pending": "none", "partial": "partial", "full": "complete"}  # I


def link(value: Any, node: Node, field: Field) -> dict[str, Any]:
    """A many2one: an id, or an id with a name, by version."""
    if isinstance(value, list):
        parts = dict(zip(("key", "label"), value, strict=False))
        if not isinstance(parts.get("key"), int | str) or not isinstance(parts.get("label", ""), str):
            raise node.wrong_type(field.name, "an id, or an array of id and name")
        return parts
    return {"key": value}


def name_of(value: Any, node: Node, field: Field) -> str | None:
    """A many2one whose name is what counts; its id where that is all there is."""
    told = link(value, node, field)
    label = told.get("label")
    return label if isinstance(label, str) else node.text(field.name)


def utc(value: Any, _: Node, __: Field) -> Any:
    """A time without a zone: Odoo's are UTC [MNT]."""
    return f"{value}Z" if isinstance(value, str) and value[-1:].isdigit() and "+" not in value else value


_HEAD: Final[dict[str, str | Field]] = {
    "id": used("source_id"),
    "_id": used("source_id"),
    "_model": used(),
    "_action": used(),
    "_name": used(),
    "create_date": Field("source_created_at", utc),
    "write_date": Field("source_updated_at", utc),
}

REQUEST: Final = Table(
    "work_order",
    _HEAD
    | {
        "name": "title",
        "description": "description_html",
        "maintenance_type": Field("type", words(TYPES)),
        "stage_id": used("status"),
        "done": used("status"),
        "kanban_state": used("status"),
        "archive": used("status"),
        "priority": Field("priority", coded(PRIORITIES)),
        "equipment_id": Field("asset_ref", link),
        "category_id": Field("category", name_of),
        "request_date": Field("requested_at", local_date),
        "schedule_date": Field("scheduled_start_at", utc),
        "schedule_end": Field("scheduled_end_at", utc),
        "duration": Field("estimated_duration", hours),  # I: also used for what it took
        "user_id": used("assignees"),
        "technician_user_id": used("assignees"),
        "owner_user_id": used("requested_by"),
        "employee_id": used("requested_by"),
        "maintenance_team_id": Field("team_ref", link),
        "company_id": Field("company_ref", link),
        "recurring_maintenance": used("pm_plan_ref"),
        "repeat_interval": used(),
        "repeat_unit": used(),
        "repeat_type": used(),
        "repeat_until": used(),
    },
)
EQUIPMENT: Final = Table(
    "asset",
    _HEAD
    | {
        "name": "name",
        "note": "description",
        "serial_no": "serial_number",
        "model": "model",
        "category_id": Field("category", name_of),
        "partner_id": Field("vendor_ref", link),
        "location": "location_ref",
        "company_id": Field("company_ref", link),
        "effective_date": Field("in_service_date", local_date),
        "warranty_date": Field("warranty_end_date", local_date),
        "scrap_date": Field("decommissioned_date", local_date),
        "cost": Field("purchase_cost", amount),
        "active": used("is_active"),
        "period": used(),
        "next_action_date": used(),
        "maintenance_duration": used(),
    },
)
PLAN: Final = Table(
    "pm_plan",
    {
        "repeat_interval": Field("cycles"),
        "repeat_until": Field("end_date", local_date),
        "next_action_date": Field("next_due_at", local_date),
        "maintenance_duration": Field("estimated_duration", hours),
    },
)
PURCHASE_ORDER: Final = Table(  # I
    "purchase_order",
    _HEAD
    | {
        "name": "number",
        "state": Field("status", coded(ORDER_STATES)),
        "receipt_status": Field("receipt_status", coded(RECEIPTS)),
        "partner_id": Field("vendor_ref", link),
        "partner_ref": "external_id",
        "date_order": Field("order_date", local_date),
        "date_planned": Field("required_date", local_date),
        "currency_id": Field("currency", name_of),
        "amount_untaxed": Field("subtotal", amount),
        "amount_tax": Field("tax_total", amount),
        "amount_total": Field("total", amount),
        "payment_term_id": Field("payment_terms", name_of),
        "company_id": Field("company_ref", link),
        "order_line": rows(
            "lines",
            Table(
                "",
                {
                    "id": "line_id",
                    "product_id": Field("item_ref", link),
                    "name": "description",
                    "product_qty": "quantity_ordered",
                    "qty_received": "quantity_received",
                    "qty_invoiced": "quantity_billed",
                    "product_uom": Field("uom_source", name_of),
                    "price_unit": Field("unit_price", amount),
                    "price_subtotal": Field("line_amount", amount),
                    "date_planned": Field("required_date", local_date),
                },
            ),
        ),
    },
)
PRODUCT: Final = Table(  # I
    "inventory_item",
    _HEAD
    | {
        "default_code": "number",
        "name": "name",
        "standard_price": Field("unit_cost", amount),
        "qty_available": Field("totals.on_hand"),
        "virtual_available": Field("totals.available"),
        "uom_id": Field("uom", name_of),
        "barcode": "barcode",
        "active": used("is_active"),
    },
)
PARTNER: Final = Table(  # I
    "vendor",
    _HEAD
    | {
        "name": "name",
        "email": used("emails"),
        "phone": used("phones"),
        "vat": used("tax_ids"),
        "street": used("addresses"),
        "city": used("addresses"),
        "zip": used("addresses"),
        "country_id": used("addresses"),
        "supplier_rank": used(),
        "active": used("status"),
    },
)
