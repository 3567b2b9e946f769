"""The traps of Makini, each from what it published; `handlers.sources.makini` cites it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.events import Event, Unmapped
from tests.handlers.sources.reading import RECEIVED, event, read, refusal

AT = "2026-03-04T10:00:00Z"
V3 = {
    "key": "0300071",
    "createdAt": "2026-03-01T00:00:00Z",
    "updatedAt": AT,
    "deletedAt": None,
    "code": "WO-1",
    "title": "Replace seal",
    "description": "Lock out",
    "userAssignedKey": "lab-1",
    "workRequestKey": "110007d",
    "status": "Waiting",
    "severity": "High",
}
V4 = {
    "id": "0300071",
    "_createdAt": "2026-03-01T00:00:00Z",
    "_updatedAt": AT,
    "_deletedAt": None,
    "_idValue": "WO-1",
    "_displayValue": "Replace seal",
    "_implements": ["WorkOrder"],
    "instructions": "Lock out",
    "laborAssignedKey": "lab-1",
    "serviceRequestKey": "110007d",
    "status": "Waiting",
    "severity": "High",
}


def webhook(name: str, data: Any, **members: Any) -> dict[str, Any]:
    return {"event": name, "timestamp": AT, "data": data, **members}


def order(**members: Any) -> dict[str, Any]:
    return webhook("work-orders.updated", {"key": "K", "updatedAt": AT, **members})


def word(found: Event, field: str = "status") -> Any:
    told = found.fields[field]
    assert isinstance(told, dict)
    return told["value"]


def codes(found: Event) -> list[str]:
    return [each["code"] for each in found.warnings]


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("work-orders.updated", "work_order.updated"),
        ("work_orders.inserted", "work_order.created"),
        ("workOrders.created", "work_order.created"),
        ("WORK-ORDER_UPDATED", "work_order.updated"),
        ("parts.deleted", "inventory_item.deleted"),
        ("counters.updated", "meter.updated"),
        ("preventive-maintenance.updated", "pm_plan.updated"),
        ("work-orders.update", "makini.work-orders.update"),
        ("work-order.s.updatedd", "makini.work-order.s.updatedd"),
        ("aset.updated", "makini.aset.updated"),
        ("part.s", "makini.part.s"),
        ("sites.updated", "makini.sites.updated"),
        ("sync.complete", "makini.sync.complete"),
        ("connection.on_line", "connection.online"),
        ("connections.online", "makini.connections.online"),
        ("inserted", "makini.inserted"),
    ],
)
def test_names_are_told_apart_by_each_letter_but_not_by_case_and_marks(name: str, type_: str) -> None:
    assert event("makini", webhook(name, ["K"])).type == type_


def test_v3_and_v4_spelling_of_an_event_give_the_same_record() -> None:
    old = event("makini", webhook("workOrders.updated", [V3]))
    new = event("makini", {"event_type": "work_orders.updated", "timestamp": AT, "body": [V4]})

    assert (old.type, old.key, old.occurred_at) == (new.type, new.key, new.occurred_at)
    assert old.fields == new.fields
    assert old.custom_fields == new.custom_fields == {}
    assert old.fields["assignees"] == [{"key": "lab-1", "label": None}]
    assert (old.fields["description"], old.fields["number"]) == ("Lock out", "WO-1")


def test_of_two_names_of_a_member_the_newer_counts_and_the_other_is_kept_where_it_says_something_else() -> None:
    both = event("makini", order(instructions="Lock out", description="By night", title="Seal", _displayValue="Seal"))
    only_old = event("makini", order(instructions=None, description="By night"))
    neither = event("makini", order(instructions=None, description=None))

    assert (both.fields["description"], both.custom_fields) == ("Lock out", {"description": "By night"})
    assert (only_old.fields["description"], only_old.custom_fields) == ("By night", {})
    assert neither.fields["description"] is None


def test_keys_alone_state_nothing_and_ask_for_a_fetch_each() -> None:
    """The one body that Makini ever published has neither id nor time."""
    told = read("makini", b'{"event":"assets.deleted","body":["0200071", "00042"]}')

    assert [(each.key, each.type, each.thin) for each in told if isinstance(each, Event)] == [
        ("0200071", "asset.updated", True),
        ("00042", "asset.updated", True),
    ]
    assert all(isinstance(each, Event) and each.fields == {"source_entity": "assets"} for each in told)


def test_keys_of_a_timed_event_ask_for_a_fetch_as_of_then_and_a_deletion_is_one() -> None:
    updated = event("makini", webhook("vendors.updated", ["V"], id="evt-1"))
    deleted = event("makini", webhook("vendors.deleted", [{"key": "V"}]))
    stop = event("makini", {"event": "assets-downtime.updated", "body": ["D"]})

    assert (updated.type, updated.thin, updated.event_id) == ("vendor.updated", True, "evt-1")
    assert updated.occurred_at == datetime(2026, 3, 4, 10, tzinfo=UTC)
    assert (deleted.type, deleted.thin) == ("vendor.deleted", False)
    assert (stop.type, stop.thin, stop.occurred_at) == ("downtime.corrected", True, RECEIVED)


def test_a_key_of_a_stock_or_a_reading_asks_for_nothing() -> None:
    assert [event("makini", webhook(f"{name}.updated", ["a", "b"])).type for name in ("stocks", "meter-readings")] == [
        "makini.stocks.updated",
        "makini.meter-readings.updated",
    ]


@pytest.mark.parametrize("name", ["deletedAt", "_deletedAt"])
@pytest.mark.parametrize(
    ("entity", "type_"),
    [
        ("assets", "asset.deleted"),
        ("meter-readings", "meter_reading.deleted"),
        ("assets-downtime", "downtime.voided"),
        ("service-requests", "work_order.deleted"),
    ],
)
def test_a_deletion_shows_on_the_record_and_not_in_the_events_name(name: str, entity: str, type_: str) -> None:
    body = webhook(f"{entity}.updated", {"key": "K", "updatedAt": "2026-03-01T00:00:00Z", name: AT})
    found = event("makini", body)

    assert (found.type, found.occurred_at) == (type_, datetime(2026, 3, 4, 10, tzinfo=UTC))
    assert event("makini", webhook(f"{entity}.inserted", {"key": "K", "createdAt": AT, name: None})).type != type_


def test_statuses_are_free_and_looked_up_by_text_or_key_alone() -> None:
    by_key = event("makini", order(status="Waiting", statusKey="st-4"), status_map={"st-4": "on_hold"})
    by_text = event("makini", order(status="Waiting", statusKey="st-4"), status_map={"Waiting": "scheduled"})
    unmapped = event("makini", order(statusKey="st-4"))
    open_ = event("makini", order(status="Open"))

    assert [word(each) for each in (by_key, by_text, unmapped, open_)] == ["on_hold", "scheduled", "unknown", "unknown"]
    assert by_key.fields["status"] == {"value": "on_hold", "source_code": "st-4", "source_label": "Waiting"}
    assert (codes(by_key), codes(unmapped), codes(open_)) == ([], ["status_unmapped"], ["status_unmapped"])


@pytest.mark.parametrize(
    ("mapped", "value", "warnings"),
    [
        ({}, "completed", []),
        ({"st-9": "closed"}, "closed", []),
        ({"st-9": "in_progress"}, "completed", ["status_overruled"]),
    ],
)
def test_an_order_with_a_completed_at_is_completed(mapped: Any, value: str, warnings: list[str]) -> None:
    found = event("makini", order(statusKey="st-9", completedAt="2026-03-04T09:00:00Z"), status_map=mapped)

    assert (word(found), found.fields["completed_at"]) == (value, "2026-03-04T09:00:00Z")
    assert codes(found) == warnings
    purchase = webhook("purchase-orders.updated", {"key": "P", "updatedAt": AT, "completedAt": AT, "statusKey": "x"})
    assert (word(event("makini", purchase)), event("makini", purchase).fields["closed_at"]) == ("completed", AT)


def test_severity_is_the_priority() -> None:
    mapped = event("makini", order(severity="P1 - now"), priority_map={"P1 - now": "critical"})

    assert [word(event("makini", order(severity="High")), "priority"), word(mapped, "priority")] == ["high", "critical"]
    assert word(event("makini", order(severity="whenever")), "priority") is None


@pytest.mark.parametrize("value", ["0200071", {"key": "0200071", "name": None}, {"id": "0200071"}])
def test_keys_are_references_with_their_leading_zeros(value: Any) -> None:
    assert event("makini", order(assetKey=value)).fields["asset_ref"] == {"key": "0200071", "label": None}


def test_plural_keys_are_a_text_here_and_an_array_there() -> None:
    one = event("makini", webhook("pm.updated", {"key": "K", "updatedAt": AT, "assetKeys": "A"}))
    two = event("makini", webhook("meters.updated", {"key": "K", "updatedAt": AT, "assetKeys": ["A", "B"]}))

    assert one.fields["asset_refs"] == [{"key": "A", "label": None}]
    assert ("asset_ref" in two.fields, two.custom_fields["assetKeys"]) == (False, ["A", "B"])


@pytest.mark.parametrize(
    ("category", "planned"),
    [
        ("Planned", True),
        ("Unplanned", False),
        ("Preventive maintenance", True),
        ("not planned", False),
        ("Breakdown", False),
        ("Mechanical", None),
        ("Explained", None),
        ("Changeover", True),
        ("Night", False),
        (None, None),
    ],
)
def test_only_the_category_may_say_whether_a_stop_was_planned(category: str | None, *, planned: bool | None) -> None:
    body = webhook("assets-downtime.updated", {"key": "D", "updatedAt": AT, "categoryName": category, "endedAt": ""})
    found = event("makini", body, status_map={"Changeover": "down_planned", "Night": "down"})

    assert (found.fields["planned"], found.fields["ended_at"]) == (planned, None)


def test_a_number_without_a_unit_of_time_is_kept_and_not_read() -> None:
    found = event("makini", order(estimatedTime=90, actualTime="1:30"))
    placed = event("makini", order(estimatedTime="90"), field_map={"estimatedTime": "work_order.estimated_duration"})

    assert (found.custom_fields, codes(found)) == ({"estimatedTime": 90}, ["unit_unknown"])
    assert (found.fields["actual_duration"], placed.fields["estimated_duration"]) == (5400, 90)


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({"currencyKey": "EUR"}, {"amount": "2.50", "currency": "EUR"}),
        ({"currencyKey": "cur-1"}, {"amount": "2.50", "currency": None}),
        ({}, {"amount": "2.50", "currency": "USD"}),
    ],
)
def test_a_currency_that_is_a_key_is_unknown_and_none_is_the_connections(members: Any, kept: Any) -> None:
    line = {"key": "L", "lineNo": "1", "price": "2.50"}
    body = webhook("purchase-orders.updated", {"key": "P", "updatedAt": AT, "lines": [line], **members})
    lines = event("makini", body, currency="USD").fields["lines"]

    assert isinstance(lines, list)
    assert [line["unit_price"] for line in lines if isinstance(line, dict)] == [kept]


def test_a_date_stays_one_in_any_zone() -> None:
    body = webhook("purchase-orders.updated", {"key": "P", "updatedAt": AT, "orderDate": "2026-03-01T23:30:00Z"})
    due = event("makini", order(dueAt="2026-03-06"), time_zone="Asia/Tokyo")

    assert event("makini", body, time_zone="Asia/Tokyo").fields["order_date"] == "2026-03-01"
    assert (due.fields["due_date"], due.fields["due_at"]) == ("2026-03-06", None)


@pytest.mark.parametrize("entity", ["pm", "work-orders", "service-requests"])
def test_a_due_time_without_a_zone_is_kept_unread(entity: str) -> None:
    found = event("makini", webhook(f"{entity}.updated", {"key": "K", "updatedAt": AT, "dueAt": "2026-03-06T08:00:00"}))

    assert (found.custom_fields["dueAt"], codes(found)) == ("2026-03-06T08:00:00", ["time_zone_missing"])


def test_one_record_asked_for_by_its_key_is_whole_and_a_part_of_it_blanks_nothing() -> None:
    whole = event("makini", {"data": V4 | {"completionRemarks": None}})
    part = event("makini", {"data": {"key": "K", "completionRemarks": "ok", "updatedAt": AT}})
    row = event("makini", {"data": [V3 | {"completionRemarks": None}], "meta": {"current_page": 1}})
    named_only = {name: value for name, value in V4.items() if name in {"id", "_idValue"} or name[1:3] in {"cr", "up"}}
    bare = event("makini", {"data": {**named_only, "_deletedAt": None, "_implements": "WorkOrder"}})

    assert [each.full for each in (whole, part, row, bare)] == [True, False, False, False]
    assert {"priority", "due_at", "tasks"} <= set(whole.full_fields)
    assert (part.fields.get("title", "absent"), whole.type) == ("absent", "work_order.updated")


def test_a_bad_row_of_an_answer_costs_no_other_and_is_found_by_its_path() -> None:
    good, bad = read("makini", {"data": [V4 | {"instructions": "x"}, V3 | {"title": [], "instructions": "x"}]})

    assert isinstance(good, Event)
    assert isinstance(bad, Unmapped)
    assert (bad.error.code, bad.error.path) == ("wrong_type", "$.data[1].title")


def test_a_bad_record_in_a_webhook_is_found_by_its_path() -> None:
    records = [{"key": "A", "name": "x", "updatedAt": AT}, {"id": "B", "_updatedAt": "soon", "name": "x"}]
    bad = refusal_of(webhook("assets.updated", records))

    assert (bad.error.code, bad.error.path) == ("malformed_value", "$.data[1]._updatedAt")
    assert refusal("makini", webhook("assets.updated", [7.5])).error.path == "$.data[0]"


def refusal_of(body: Any) -> Unmapped:
    (*_, last) = read("makini", body)
    assert isinstance(last, Unmapped)
    return last


def test_what_an_answer_is_of_is_said_beside_it_or_seen_by_its_members() -> None:
    bare = {"key": "K", "name": "Seals Ltd", "updatedAt": AT}
    named = event("makini", {"entity": "vendors", "data": bare})
    marked = event("makini", {"data": {"key": "K", "meterKey": "M", "reading": "1/16", "createdAt": AT}})
    return_order = {"key": "K", "orderNo": "R-1", "vendorKey": "V", "poKey": "P", "updatedAt": AT}

    assert (named.type, marked.type) == ("vendor.updated", "meter_reading.recorded")
    assert (marked.fields["value"], marked.fields["value_text"], marked.fields["read_at"]) == (None, "1/16", AT)
    assert [event("makini", {"data": each}).type for each in (bare, return_order)] == ["makini.unknown"] * 2


def test_a_stock_is_a_level_of_its_material_and_one_deleted_has_nothing() -> None:
    stock = {"key": "S", "materialKey": "M", "storeroomKey": "R", "quantity": "4", "reorderLevel": 5, "updatedAt": AT}
    found = event("makini", webhook("stocks.updated", stock))
    gone = event("makini", webhook("stocks.updated", {**stock, "deletedAt": AT}))

    place = {"warehouse_ref": {"key": "R", "label": None}, "source_key": "S"}
    assert (found.type, found.key) == ("inventory_item.updated", "M")
    assert found.fields["stock_levels"] == [{**place, "on_hand": "4", "reorder_point": "5"}]
    assert gone.fields["stock_levels"] == [{**place, "bin": None}]
    assert event("makini", webhook("stocks.updated", {**stock, "materialKey": None})).type == "makini.stocks"


@pytest.mark.parametrize(
    ("name", "details", "type_"),
    [
        ("sync.finished", {"status": "fulldone"}, "sync.completed"),
        ("sync.finished", {"result": "fail"}, "sync.failed"),
        ("sync.finished", {"status": "perhaps"}, "makini.sync.finished"),
        ("SyncFailed", "an error", "sync.failed"),
        ("connection.reauthentication_required", {}, "connection.auth_required"),
        ("connection-statuses.updated", [{"key": "c", "status": "Inactive"}], "connection.status_changed"),
        ("system-error", None, "system.error"),
    ],
)
def test_operational_events_are_about_the_connection(name: str, details: Any, type_: str) -> None:
    found = event("makini", {"event": name, "timestamp": AT, "connection_id": "conn-7", "details": details})

    subject = ("makini", "-") if type_.startswith("makini.") else ("connection", "acme")
    assert (found.type, found.kind, found.key) == (type_, *subject)


@pytest.mark.parametrize(
    ("status", "told", "warnings"),
    [("Active", "online", []), ("INACTIVE", "offline", []), ("Synchronizing", "unknown", ["status_unmapped"])],
)
def test_a_changed_status_is_up_or_down_or_unknown(status: str, told: str, warnings: list[str]) -> None:
    found = event("makini", webhook("connection.status_changed", {"status": status}))

    assert (found.fields["status"], found.fields["status_source"], codes(found)) == (told, status, warnings)


def test_an_error_keeps_its_code_and_message_and_all_else_that_it_says() -> None:
    error = {"code": "AUTHENTICATION_FAILED", "message": "log in again"}
    found = event("makini", {"event": "sync.failed", "timestamp": AT, "details": {"error": error, "entities": ["pm"]}})

    assert found.fields == {"error": error, "entities": ["pm"], "code": error["code"], "message": error["message"]}


def test_an_operational_event_without_a_time_states_nothing() -> None:
    found = event("makini", {"event": "connection.offline", "connection_id": "conn-7"})

    assert (found.type, found.thin, found.fields) == ("connection.offline", True, {})


@pytest.mark.parametrize(
    "body",
    [
        {"type": "pallet.overdue", "pallet": 7},
        {"event": 7, "type": {"no": "text"}, "data": "x"},
        {"hello": "world", "id": {"a": 1}},
        {"event": "assets.updated"},
        {"event": "assets.updated", "data": []},
    ],
)
def test_a_flows_own_webhook_is_kept_whatever_it_looks_like(body: Any) -> None:
    found = event("makini", body)

    assert found.type.startswith("makini.")
    assert found.fields == body


@pytest.mark.parametrize(
    ("name", "value"), [("timestamp", 1772618400), ("created_at", 1772618400000), ("occurred_at", AT)]
)
def test_times_of_webhooks_come_under_several_names_and_as_numbers_too(name: str, value: Any) -> None:
    found = event("makini", {"event": "assets.updated", name: value, "webhookId": "w-1", "payload": "K"})

    assert (found.occurred_at, found.event_id) == (datetime(2026, 3, 4, 10, tzinfo=UTC), "w-1")
