"""Every kind has the fields of the unified model's table, no more and no less, and its JSON Schema says so."""

import re
from typing import Any

import msgspec
import pytest

from handlers.events import MappingOptions
from handlers.model import MODELS
from handlers.model.reading import Context
from tests.handlers.model.samples import SAMPLES

EVERY_RECORD = "number external_id source_id source_url source_entity source_created_at source_updated_at"
FIELDS = {
    "purchase_order": """
        revision superseded title description status approval_status receipt_status billing_status vendor_ref
        vendor_name vendor_address order_date required_date promised_date approved_at closed_at currency exchange_rate
        subtotal discount_total tax_total freight_total total total_derived payment_terms incoterms shipping_method
        ship_to bill_to buyer requester site_ref company_ref lines""",
    "inventory_item": """
        name description names type category uom purchase_uom conversion unit_cost manufacturer mpn barcode
        preferred_vendor_ref vendors is_active is_stocked asset_refs totals stock_levels""",
    "vendor": """
        name legal_name type_source is_person status blocked_for tax_ids duns emails phones fax website addresses
        contacts currency payment_terms our_account_number parent_ref roles""",
    "meter": "name asset_ref location_ref unit unit_source is_counter rollover_at counts_down",
    "meter_reading": """
        meter_ref meter_name asset_ref location_ref work_order_ref read_at value value_text unit unit_source kind delta
        rollover meter_replaced reversed is_counter rollover_at counts_down read_by source""",
    "pm_plan": """
        name description status trigger_kind cycles meter_ref meter_interval next_meter_value recurrence_basis
        days_of_week start_date end_date next_due_at next_due_overridden last_generated_at last_completed_at
        lead_time_days calendar asset_refs location_refs job_plan_ref generates estimated_duration counter""",
}
PARTS = {
    ("purchase_order", "Line"): """
        line_number line_id status line_type item_ref item_number vendor_item_number mpn description quantity_ordered
        quantity_received quantity_rejected quantity_billed uom uom_source stock_conversion unit_price
        price_basis_quantity price_uom line_amount tax_code tax_amount required_date promised_date schedules
        warehouse_ref ship_to work_order_ref asset_ref cost_center is_received_complete is_cancelled custom_fields""",
    ("purchase_order", "Schedule"): "date quantity received",
    ("purchase_order", "Address"): "kind name lines city region postcode country phone formatted code",
    ("purchase_order", "PaymentTerms"): "code label net_days",
    ("inventory_item", "UnitCost"): "amount currency method",
    ("inventory_item", "ItemVendor"): "vendor_ref vendor_item_number price lead_time_days",
    ("inventory_item", "Totals"): "on_hand available reserved on_order",
    ("inventory_item", "StockLevel"): """
        warehouse_ref bin lot condition stock_type on_hand reserved available on_order reorder_point safety_stock
        maximum reorder_quantity counted_at as_of""",
    ("vendor", "BlockedFor"): "purchasing posting payment",
    ("vendor", "TaxId"): "type value",
    ("pm_plan", "Cycle"): "interval unit label",
    ("pm_plan", "Generates"): "type priority status",
}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_kind_has_the_fields_of_its_table(kind: str) -> None:
    assert MODELS[kind].fields == (*FIELDS[kind].split(), *EVERY_RECORD.split())


@pytest.mark.parametrize(("kind", "part"), PARTS)
def test_the_parts_of_a_record_have_the_members_of_its_table(kind: str, part: str) -> None:
    definitions = msgspec.json.schema(MODELS[kind].struct)["$defs"]

    assert list(definitions[part]["properties"]) == PARTS[kind, part].split()


def read(kind: str, data: dict[str, Any]) -> tuple[dict[str, Any], Context]:
    context = Context(MappingOptions())
    stated = MODELS[kind].read(data, context)
    assert stated.custom_fields == {}
    return stated.fields, context


def test_a_text_alone_stands_for_an_address_for_terms_a_tax_number_or_a_name() -> None:
    fields, _ = read("vendor", SAMPLES["vendor"])

    assert fields["payment_terms"] == {"label": "net 30"}
    assert fields["tax_ids"][0] == {"value": "BE0123456789"}
    assert fields["addresses"][1] == {"formatted": "1 Road"}
    assert fields["contacts"][0] == {"name": "Ann"}


def test_a_price_keeps_what_it_is_for_so_many_of() -> None:
    fields, _ = read("purchase_order", SAMPLES["purchase_order"])

    (line,) = fields["lines"]
    assert (line["unit_price"]["amount"], line["price_basis_quantity"]) == ("1000.00", "100")
    assert (line["quantity_received"], line["stock_conversion"]) == ("1.5", {"numerator": "12"})


@pytest.mark.parametrize(
    ("kind", "data", "path"),
    [
        ("pm_plan", {"days_of_week": [8]}, "$.data.days_of_week[0]"),
        ("pm_plan", {"lead_time_days": "1.5"}, "$.data.lead_time_days"),
        ("pm_plan", {"lead_time_days": -1}, "$.data.lead_time_days"),
        ("meter_reading", {"value": "RED"}, "$.data.value"),
        ("purchase_order", {"ship_to": ["1 Road"]}, "$.data.ship_to"),
        ("purchase_order", {"lines": [{"unit_price": "x"}]}, "$.data.lines[0].unit_price"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_path(kind: str, data: dict[str, Any], path: str) -> None:
    with pytest.raises(Exception, match=re.escape(path)):
        read(kind, data)


def test_an_unknown_cost_method_is_null_with_a_warning() -> None:
    fields, context = read("inventory_item", {"unit_cost": {"amount": 1, "currency": "EUR", "method": "guess"}})

    assert fields["unit_cost"] == {"amount": "1", "currency": "EUR", "method": None}
    assert [warning["path"] for warning in context.warnings] == ["$.data.unit_cost.method"]


def test_a_currency_that_is_none_is_kept_beside_its_field() -> None:
    context = Context(MappingOptions())

    stated = MODELS["purchase_order"].read({"currency": "1"}, context)

    assert (stated.fields, stated.custom_fields) == ({"currency": None}, {"currency": "1"})
    assert [warning["code"] for warning in context.warnings] == ["currency_unknown"]
