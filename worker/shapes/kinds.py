"""The kinds of record that can be looked at: what commands and the API call them, and what a line for people shows."""

from collections.abc import Mapping

KINDS: Mapping[str, str] = {
    "work-orders": "work_order",
    "assets": "asset",
    "purchase-orders": "purchase_order",
    "inventory-items": "inventory_item",
    "vendors": "vendor",
    "meters": "meter",
    "meter-readings": "meter_reading",
    "downtime": "downtime",
    "pm-plans": "pm_plan",
}
"""By what commands call it: the kind of record."""

_COLUMNS: Mapping[str, str] = {
    "work_order": "status type priority asset_ref due_at due_date completed_at title",
    "asset": "status site_ref parent_ref name",
    "purchase_order": "number status approval_status receipt_status billing_status vendor_ref required_date total",
    "inventory_item": "number type uom totals below_reorder_point name",
    "vendor": "number status name",
    "meter": "asset_ref unit last_reading name",
    "meter_reading": "meter_ref asset_ref read_at value value_text unit",
    "downtime": "asset_ref started_at ended_at planned failure work_order_ref reason",
    "pm_plan": "status trigger_kind next_due_at asset_refs name",
}
COLUMNS: Mapping[str, tuple[str, ...]] = {
    kind: ("connection", "key", *names.split()) for kind, names in _COLUMNS.items()
}
"""By kind: the fields in a line for people; a record's key alone shows all."""
