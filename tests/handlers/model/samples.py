"""One object of each kind of record as a sender would state it, every reader of the kind used at least once."""

from decimal import Decimal
from typing import Any

ADDRESS: dict[str, Any] = {"name": "Yard", "lines": ["1 Road", 2], "city": "Ghent", "country": "BE", "code": "Y1"}
PURCHASE_ORDER: dict[str, Any] = {
    "number": "4500000001",
    "status": "approved",
    "approval_status": "in_approval",
    "receipt_status": "none",
    "billing_status": {"value": "partial", "source_code": "B"},
    "vendor_key": "V-1",
    "vendor_name": "Seals Ltd",
    "vendor_address": "1 Road, Ghent",
    "order_date": "2026-03-01",
    "approved_at": "2026-03-02T08:00:00+01:00",
    "currency": "EUR",
    "exchange_rate": Decimal("1.0825"),
    "total": {"amount": Decimal("40.00"), "currency": "EUR"},
    "total_derived": False,
    "payment_terms": {"code": "Z030", "net_days": "30"},
    "ship_to": ADDRESS,
    "lines": [
        {
            "line_number": 10,
            "status": "approved",
            "line_type": "stock",
            "item_key": "P-7",
            "quantity_ordered": Decimal(4),
            "quantity_received": "1.5",
            "uom": "C62",
            "stock_conversion": 12,
            "unit_price": {"amount": "1000.00", "currency": "EUR"},
            "price_basis_quantity": 100,
            "line_amount": {"amount": "40.00", "currency": "EUR"},
            "schedules": [{"date": "2026-04-01", "quantity": 4, "received": 0}],
            "asset_ref": {"key": "PUMP-7", "label": "Pump"},
            "is_cancelled": False,
            "custom_fields": {"shelf": 3},
        }
    ],
}
INVENTORY_ITEM: dict[str, Any] = {
    "name": "Seal",
    "names": {"de": "Dichtung"},
    "type": "stock",
    "uom": "C62",
    "conversion": {"numerator": 12, "denominator": 1, "uom": "C62"},
    "unit_cost": {"amount": "12.50", "currency": "EUR", "method": "average"},
    "vendors": [{"vendor_key": "V-1", "price": {"amount": 11, "currency": "EUR"}, "lead_time_days": 14}],
    "is_stocked": True,
    "asset_keys": ["PUMP-7"],
    "totals": {"on_hand": 5, "available": {"value": "4", "unit": "C62"}},
    "stock_levels": [
        {"warehouse_key": "W", "bin": "A1", "stock_type": "quality", "on_hand": 5, "counted_at": "2026-03-01"},
    ],
}
VENDOR: dict[str, Any] = {
    "name": "Seals",
    "is_person": False,
    "status": "blocked",
    "blocked_for": {"payment": True},
    "tax_ids": ["BE0123456789", {"type": "EIN", "value": "12-3"}],
    "emails": ["sales@example.com"],
    "addresses": [{"kind": "billing", **ADDRESS}, "1 Road"],
    "contacts": ["Ann", {"name": "Bob", "role": "sales", "phone": "+32 1"}],
    "currency": "EUR",
    "payment_terms": "net 30",
    "parent_key": "V-0",
    "roles": ["vendor", "courier"],
}
METER: dict[str, Any] = {
    "name": "Hours",
    "asset_key": "PUMP-7",
    "unit": "HUR",
    "is_counter": True,
    "rollover_at": 10000,
}
METER_READING: dict[str, Any] = {
    "meter_key": "M-1",
    "asset_key": "PUMP-7",
    "read_at": "2026-03-01T08:00:00Z",
    "value": Decimal("1024.50"),
    "value_text": "1/16",
    "unit": "HUR",
    "kind": "absolute",
    "rollover": False,
    "counts_down": False,
    "read_by": "Ann",
    "source": "sensor",
}
PM_PLAN: dict[str, Any] = {
    "name": "Quarterly",
    "status": "active",
    "trigger_kind": "time_or_meter",
    "cycles": [{"interval": 3, "unit": "month", "label": "3M"}],
    "meter_key": "M-1",
    "meter_interval": "250",
    "recurrence_basis": "floating",
    "days_of_week": [1, 5],
    "start_date": "2026-01-01",
    "next_due_at": "2026-04-01",
    "lead_time_days": 7,
    "asset_keys": ["PUMP-7"],
    "location_keys": ["L-1"],
    "generates": {"type": "preventive", "priority": "high", "status": "approved"},
    "estimated_duration": 3600,
    "counter": 4,
}
SAMPLES: dict[str, dict[str, Any]] = {
    "purchase_order": PURCHASE_ORDER,
    "inventory_item": INVENTORY_ITEM,
    "vendor": VENDOR,
    "meter": METER,
    "meter_reading": METER_READING,
    "pm_plan": PM_PLAN,
}
