"""What events do to purchase orders, stock, vendors and plans, seen in the rows that come out."""

from pathlib import Path
from typing import Any

import pytest

from handlers.events import Event, Json, Outcome
from handlers.rules.printing import Kept, printed
from handlers.store import records
from handlers.store.engine import Database
from tests import folding

TABLES = {
    "purchase_order": "purchase_orders",
    "inventory_item": "inventory_items",
    "vendor": "vendors",
    "meter": "meters",
    "pm_plan": "pm_plans",
}


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return folding.sqlite(tmp_path)


def row(database: Database, kind: str, *events: Event) -> dict[str, Any]:
    """The record's row after events that came in one by one, with what it prints as `printed`."""
    folding.apply(database, [[event] for event in events])
    [found] = folding.state(database)[TABLES[kind]]
    record = records.read(found["fields"], found["registers"])
    return {**found, "printed": printed(Kept(kind, "c", found["key"], record, found["anomalies"]))}


def order(verb: str, at: int, full_fields: tuple[str, ...] | None = None, **fields: Json) -> Event:
    return folding.event(f"purchase_order.{verb}", "PO-1", fields, at=at, full_fields=full_fields)


def line(number: str, ordered: str = "4", **more: Json) -> Json:
    return {"line_number": number, "quantity_ordered": ordered, **more}


def asset(key: str) -> Json:
    return {"key": key, "label": None}


def history(database: Database) -> list[tuple[str, str | None, Any]]:
    return [(each["type"], each["asset_key"], each["detail"]) for each in folding.state(database)["asset_history"]]


@pytest.mark.parametrize("kind", TABLES)
def test_null_clears_absent_touches_nothing_and_a_full_record_clears_what_it_lacks(
    database: Database, kind: str
) -> None:
    name = "title" if kind == "purchase_order" else "name"
    whole = folding.event(f"{kind}.updated", "K", {"source_id": "1"}, at=3, full_fields=(name, "number"))
    facts = [
        folding.event(f"{kind}.created", "K", {name: "Old", "number": "7", "external_id": "e"}, custom={"x": "1"}),
        folding.event(f"{kind}.updated", "K", {name: None}, at=1),
    ]
    said = row(database, kind, *facts)["printed"]
    assert (said[name], said["number"], said["external_id"]) == (None, "7", "e")

    said = row(database, kind, whole, folding.event(f"{kind}.updated", "K", {name: "Late"}, at=2))["printed"]
    assert (said[name], said["number"], said["external_id"], said["source_id"]) == (None, None, "e", "1")
    assert said["custom_fields"] == {}


@pytest.mark.parametrize("kind", TABLES)
def test_a_deleted_record_folds_on_and_comes_back(database: Database, kind: str) -> None:
    deleted = folding.event(f"{kind}.deleted", "K", at=1)
    assert row(database, kind, folding.event(f"{kind}.created", "K"), deleted)["is_deleted"]
    late = folding.event(f"{kind}.updated", "K", {"number": "7"}, at=2)
    assert row(database, kind, late)["is_deleted"]
    back = row(database, kind, folding.event(f"{kind}.restored", "K", at=3))
    assert (back["is_deleted"], back["printed"]["number"]) == (False, "7")


def test_what_is_known_newer_is_stale(database: Database) -> None:
    facts = [order("updated", 5, title="New", lines=[line("10")]), order("updated", 1, title="Old", lines=[line("10")])]
    assert folding.apply(database, [facts]) == [Outcome.APPLIED, Outcome.STALE]


def test_lines_change_one_by_one_and_receipt_follows_them(database: Database) -> None:
    created = order("created", 0, lines=[line("10"), line("20", quantity_received="0")])
    assert row(database, "purchase_order", created)["receipt_status"] == "none"

    some = order("updated", 5, lines=[line("10", quantity_received="4")])
    assert row(database, "purchase_order", some)["receipt_status"] == "partial"

    found = row(database, "purchase_order", order("updated", 9, lines=[line("20", quantity_received="5")]))
    said = found["printed"]
    assert found["receipt_status"] == "complete"
    assert said["receipt_status"] == {"value": "complete", "source_code": None, "source_label": None}
    assert [each["line_number"] for each in said["lines"]] == ["10", "20"]
    assert [each["code"] for each in said["warnings"]] == ["over_receipt"]


def test_a_full_order_takes_away_the_lines_that_it_does_not_give(database: Database) -> None:
    full = order("updated", 5, full_fields=("lines",), lines=[line("20")])
    late = order("updated", 4, lines=[line("30")])
    said = row(database, "purchase_order", order("created", 0, lines=[line("10")]), full, late)["printed"]
    assert [each["line_number"] for each in said["lines"]] == ["20"]


def test_a_doubt_about_a_line_stands_as_long_as_the_line(database: Database) -> None:
    def doubtful(at: int, lines: list[Json], *warnings: dict[str, str]) -> Event:
        return folding.event("purchase_order.updated", "PO-1", {"lines": lines}, at=at, warnings=warnings)

    doubt = {"code": "unit_unknown", "path": "$.data.lines[1].uom", "detail": "-"}
    first = doubtful(0, [line("10"), line("20")], doubt)
    assert row(database, "purchase_order", first, doubtful(1, [line("10")]))["printed"]["warnings"] == [doubt]
    assert row(database, "purchase_order", doubtful(2, [line("20")]))["printed"]["warnings"] == []


def test_a_line_stands_in_the_history_of_the_asset_it_is_for(database: Database) -> None:
    created = order("created", 0, number="4500", lines=[line("10", asset_ref=asset("PUMP-1")), line("20")])
    row(database, "purchase_order", created, order("updated", 1, title="No asset"))
    told = {"number": "4500", "elements": ["lines[10]"]}
    assert history(database) == [("purchase_order.created", "PUMP-1", told)]
    assert [each["key"] for each in folding.state(database)["assets"]] == ["PUMP-1"]


def test_parts_and_plans_stand_in_the_history_of_their_assets_and_vendors_in_none(database: Database) -> None:
    both: Json = [asset("PUMP-1"), asset("PUMP-2")]
    folding.apply(
        database,
        [
            [folding.event("inventory_item.created", "I", {"name": "Seal", "asset_refs": both})],
            [folding.event("pm_plan.created", "P", {"next_due_at": "2026-04-01", "asset_refs": [asset("PUMP-1")]})],
            [folding.event("vendor.created", "V", {"name": "Seals Ltd"})],
        ],
    )
    assert history(database) == [
        ("inventory_item.created", "PUMP-1", {"name": "Seal"}),
        ("inventory_item.created", "PUMP-2", {"name": "Seal"}),
        ("pm_plan.created", "PUMP-1", {"next_due_at": "2026-04-01"}),
    ]


def test_a_level_that_falls_below_its_point_marks_the_item_until_it_is_filled(database: Database) -> None:
    def level(warehouse: str, on_hand: str) -> Json:
        return {"warehouse_ref": asset(warehouse), "on_hand": on_hand, "reorder_point": "5"}

    def item(at: int, *levels: Json) -> Event:
        return folding.event("inventory_item.updated", "I", {"uom": "C62", "stock_levels": list(levels)}, at=at)

    assert row(database, "inventory_item", item(0, level("A", "9"), level("B", "9")))["below_reorder_point"] is False
    low = row(database, "inventory_item", item(1, level("A", "4")))
    assert (low["below_reorder_point"], low["printed"]["below_reorder_point"]) == (True, True)
    assert low["printed"]["totals"]["on_hand"] == {"value": "13", "unit": "C62"}
    assert row(database, "inventory_item", item(2, level("A", "6")))["below_reorder_point"] is False


@pytest.mark.parametrize(
    ("kind", "fields", "columns"),
    [
        ("vendor", {"name": "Seals", "status": {"value": "blocked"}}, {"name": "Seals", "status": "blocked"}),
        (
            "pm_plan",
            {"status": {"value": "active"}, "meter_ref": {"key": "M"}, "next_due_at": "2026-04-01"},
            {"status": "active", "meter_key": "M", "next_due_at": "2026-04-01"},
        ),
        (
            "purchase_order",
            {"approval_status": {"value": "draft"}, "vendor_ref": {"key": "V"}, "site_ref": {"key": "S"}},
            {"approval_status": "draft", "vendor_key": "V", "site_key": "S", "receipt_status": None},
        ),
        ("inventory_item", {"preferred_vendor_ref": {"key": "V"}, "type": "tool"}, {"vendor_key": "V", "type": "tool"}),
    ],
)
def test_what_lists_are_narrowed_by_has_a_column(
    database: Database, kind: str, fields: dict[str, Json], columns: dict[str, Json]
) -> None:
    found = row(database, kind, folding.event(f"{kind}.created", "K", fields))
    assert {name: found[name] for name in columns} == columns
