"""`get` and `schema` for every kind: what is printed is what the schema says, and filters narrow it."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest

from handlers.model import MODELS
from tests.handlers.model.samples import SAMPLES
from tests.worker.cli.plant import Plant, event
from worker.shapes.kinds import COLUMNS, KINDS

OTHERS: dict[str, dict[str, Any]] = {
    "work_order": {"title": "Seal", "status": "approved", "asset_key": "PUMP-7", "asset_down": True},
    "asset": {"name": "Pump", "status": "down_planned", "purchase_cost": {"amount": 1, "currency": "EUR"}},
    "downtime": {"asset_key": "PUMP-7", "reason": "no power"},
}
FIRST = {"downtime": "downtime.started", "meter_reading": "meter_reading.recorded"}


def told(kind: str, key: str = "K-1", **more: Any) -> dict[str, Any]:
    """The event that tells of a record with every field of its sample."""
    data = json.loads(json.dumps({**SAMPLES, **OTHERS}[kind] | {"shelf": 3} | more, default=str))
    return event(FIRST.get(kind, f"{kind}.created"), key, "08:00", **data)


@pytest.mark.parametrize("command", KINDS)
def test_a_record_is_as_its_schema_says(local: Plant, command: str) -> None:
    kind = KINDS[command]
    local.send(told(kind), told("meter_reading", "R-1", meter_key="K-1"), event("meter.reset", "K-1", "07:00"))

    schema = local.run("schema", command, "--json").row
    rows = local.run("get", command, "--json").rows

    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for row in rows for error in validator.iter_errors(row)] == []
    assert set(rows[0]) == set(schema["properties"])
    assert rows[0]["key"] == "K-1"
    assert rows[0]["custom_fields"] == {"shelf": 3}


@pytest.mark.parametrize("command", KINDS)
def test_a_schema_refuses_what_is_no_such_record(local: Plant, command: str) -> None:
    local.send(told(KINDS[command]))
    schema = local.run("schema", KINDS[command], "--json").row
    row = local.run("get", command, "--json").rows[0]

    def faults(**change: Any) -> bool:
        return any(jsonschema.Draft202012Validator(schema).iter_errors(row | change))

    assert not faults()
    assert faults(kind="other")
    assert faults(source_url=7)
    assert faults(warnings=[{}])


def test_a_schema_says_what_things_are(local: Plant) -> None:
    schema = json.loads(local.run("schema", "purchase-orders").out)
    price = schema["$defs"]["Line"]["properties"]["price_basis_quantity"]["anyOf"][0]
    assert price["description"] == "unit_price is for so many; 1 if null"
    assert schema["$defs"]["Address"]["description"].startswith("Where something is or goes")


def test_schemas_are_listed_and_an_unknown_kind_is_refused_with_them(local: Plant) -> None:
    assert [row["name"] for row in local.run("schema", "--json").rows] == list(KINDS)
    assert local.run("schema").out.count("\n") == 1 + len(KINDS)
    done = local.run("schema", "pumps")
    assert (done.code, done.out) == (2, "")
    assert "pm-plans; not 'pumps'" in done.said
    assert set(KINDS.values()) == set(MODELS) == set(COLUMNS)


def test_a_list_for_people_has_a_line_a_record(local: Plant) -> None:
    local.send(*(told(kind) for kind in ("purchase_order", "inventory_item", "vendor", "meter", "pm_plan")))
    local.send(told("meter_reading", "R-1", meter_key="K-1"))

    orders, items, meters = (local.run("get", each).out for each in ("purchase-orders", "inventory-items", "meters"))

    assert orders.splitlines()[1].split() == [
        *("plant", "K-1", "4500000001", "approved", "in_approval", "none", "partial", "V-1", "40.00", "EUR")
    ]
    assert "on_hand=5 available=4 C62" in items
    assert "1024.50 HUR" in meters
    for each in ("vendors", "pm-plans", "meter-readings"):
        assert local.run("get", each).out.count("\n") == 2
    assert "lines" in local.run("get", "purchase-orders", "K-1").out


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A plant in which there are two of everything."""
    home = tmp_path_factory.mktemp("stocked")
    plant = Plant(home, f"sqlite:///{home / 'kept.db'}")
    low = {"warehouse_key": "W", "on_hand": 1, "reorder_point": 5}
    plant.send(
        told("purchase_order", "PO-1", site_key="NORTH", required_date="2026-04-01"),
        event("purchase_order.created", "PO-2", "08:00", approval_status="approved", required_date="2026-05-01"),
        event("inventory_item.created", "I-1", "08:00", preferred_vendor_key="V-1", type="stock", stock_levels=[low]),
        event("inventory_item.created", "I-2", "08:00", type="tool", stock_levels=[{**low, "on_hand": 9}]),
        event("vendor.created", "V-1", "08:00", status="active"),
        event("vendor.created", "V-2", "08:00", status="blocked"),
        event("meter.created", "M-1", "08:00", asset_key="PUMP-7"),
        event("meter_reading.recorded", "R-1", "08:00", meter_key="M-2", value=1),
        event("meter_reading.recorded", "R-2", "07:00", meter_key="M-2", value=2),
        event("meter_reading.recorded", "R-3", "07:00", value=2, asset_key="PUMP-7"),
        event("pm_plan.created", "P-1", "08:00", status="active", next_due_at="2026-04-01", meter_key="M-1"),
        event("pm_plan.created", "P-2", "08:00", status="draft", next_due_at="2026-04-01T08:00:00Z"),
        event("work_order.created", "W-1", "08:00", due_date="2026-04-01"),
        event("work_order.created", "W-2", "08:00", due_at="2026-04-01T08:00:00Z"),
    )
    yield plant
    plant.database.close()


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        ("purchase-orders --approval approved", "PO-2"),
        ("purchase-orders --receipt none", "PO-1"),
        ("purchase-orders --billing partial", "PO-1"),
        ("purchase-orders --vendor V-1", "PO-1"),
        ("purchase-orders --site NORTH --status approved", "PO-1"),
        ("purchase-orders --due-before 2026-05-01", "PO-1"),
        ("inventory-items --below-reorder", "I-1"),
        ("inventory-items --type tool", "I-2"),
        ("inventory-items --vendor V-1", "I-1"),
        ("vendors --status blocked", "V-2"),
        ("meters --asset PUMP-7", "M-1"),
        ("meters", "M-1 M-2"),
        ("meter-readings --meter M-2", "R-2 R-1"),
        ("meter-readings --asset PUMP-7", "R-3"),
        ("pm-plans --status active", "P-1"),
        ("pm-plans --meter M-1", "P-1"),
        ("pm-plans --due-before 2026-04-01T08:00:00Z", "P-1"),
        ("pm-plans --due-before 2026-04-02", "P-1 P-2"),
        ("work-orders --due-before 2026-04-01T09:00:00+01:00", "W-1"),
    ],
)
def test_filters_narrow_a_list(stocked: Plant, arguments: str, keys: str) -> None:
    rows = stocked.run("get", *arguments.split(), "--json").rows
    assert [row["key"] for row in rows] == keys.split()


def test_the_record_behind_a_reading_is_the_one_that_came(stocked: Plant) -> None:
    assert json.loads(stocked.run("get", "meter-readings", "R-3", "--raw").raw)["data"]["key"] == "R-3"


def test_readings_parts_plans_and_orders_stand_in_the_history_of_their_asset(local: Plant) -> None:
    local.send(*(told(kind) for kind in ("purchase_order", "inventory_item", "vendor", "meter_reading", "pm_plan")))

    rows = local.run("history", "PUMP-7", "--connection", "plant", "--json").rows

    details = {row["type"]: row["detail"] for row in rows}
    assert sorted(details) == [
        "inventory_item.created",
        "meter_reading.recorded",
        "pm_plan.created",
        "purchase_order.created",
    ]
    assert details["purchase_order.created"]["elements"] == ["lines[10]"]
    assert details["meter_reading.recorded"]["value"] == "1024.50"
    shown = local.run("history", "PUMP-7", "--connection", "plant").out
    assert "elements=lines[10]" in shown
    assert "value=1024.50" in shown


def test_every_type_of_the_new_kinds_is_handled(local: Plant) -> None:
    handled = {row["type"]: row["effects"] for row in local.run("routes", "--json").rows if "type" in row}
    assert handled["meter.reset"] == ["meters"]
    assert handled["purchase_order.deleted"] == ["purchase_orders"]
    for kind in ("inventory_item", "vendor", "pm_plan"):
        assert handled[f"{kind}.restored"] == [f"{kind}s"]
