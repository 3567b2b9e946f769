"""The traps of Fiix, each from its official client; `handlers.sources.fiix` cites it."""

import json
from typing import Any

import pytest

from handlers.events import Event
from handlers.sources import _fiix_lookups as lookups
from handlers.sources._envelopes import Around
from tests.handlers.sources.reading import event, read, refusal

AT = 1772616601000
ORDER = {"className": "WorkOrder", "id": 5, "dtmDateLastModified": AT}
DRAFT = {"className": "WorkOrderStatus", "id": 61001, "strName": "Draft"}


def found(*objects: dict[str, Any], **beside: Any) -> dict[str, Any]:
    return {"_maCn": "FindResponse", "objects": list(objects), **beside}


def order(*others: dict[str, Any], body: dict[str, Any] | None = None, **options: Any) -> Event:
    told = read("fiix", body or found(*others), **options)[-1]
    assert isinstance(told, Event), told.error
    return told


def value(told: Event, field: str) -> Any:
    stated = told.fields[field]
    assert isinstance(stated, dict)
    return stated["value"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Draft", "requested"),
        ("WAITING  FOR parts", "on_hold"),
        ("Closed, Complete", "closed"),
        ("Closed, Incomplete", "completed"),
        ("Wird geprüft", "unknown"),
    ],
)
def test_a_status_is_an_id_of_the_customers_own_table_which_may_stand_beside_it(name: str, meant: str) -> None:
    told = order(DRAFT | {"id": 7, "strName": name}, ORDER | {"intWorkOrderStatusID": 7})

    assert value(told, "status") == meant
    assert [each["code"] for each in told.warnings] == ["status_unmapped"] * (meant == "unknown")


def test_without_its_table_a_status_is_unknown_until_the_connection_names_the_id_or_the_name() -> None:
    stated = ORDER | {"intWorkOrderStatusID": 61001}
    named = stated | {"extraFields": {"dv_intWorkOrderStatusID": "Parked"}}

    assert value(order(stated), "status") == "unknown"
    assert value(order(stated, status_map={"61001": "on_hold"}), "status") == "on_hold"
    assert value(order(named, status_map={"Parked": "on_hold"}), "status") == "on_hold"


@pytest.mark.parametrize(("rank", "meant"), [(1, "critical"), (2, "high"), (4, "low"), (5, "low"), (0, "medium")])
def test_a_priority_is_ranked_by_its_order_and_else_by_its_name(rank: int, meant: str) -> None:
    table = {"className": "Priority", "id": 3, "strName": "Medium", "intOrder": rank}

    assert value(order(table, ORDER | {"intPriorityID": 3}), "priority") == meant


def test_names_with_commas_are_no_labels_and_the_ids_are_the_list() -> None:
    told = order(ORDER | {"strAssetIds": "8801, 8802", "strAssets": "Press 5, hydraulic,Press 6"})

    assert told.fields["asset_refs"] == [{"key": "8801", "label": None}, {"key": "8802", "label": None}]
    assert told.fields["asset_ref"] == {"key": "8801", "label": None}


def test_what_is_absent_touches_nothing_unless_it_was_asked_for() -> None:
    partly = order(ORDER)
    asked = order(body=found(ORDER, fields="id,dtmdatecompleted,strAssignedUserIds"))

    assert not {"completed_at", "assignees"} & partly.fields.keys()
    assert (asked.fields["completed_at"], asked.fields["assignees"], asked.full) == (None, [], False)


@pytest.mark.parametrize("name", ["dtmOffLineTo", "dtmOfflineTo", "DTMOFFLINETO"])
def test_capitals_do_not_matter(name: str) -> None:
    told = event("fiix", {"className": "AssetOfflineTracker", "id": 1, "dtmOffLineFrom": AT - 60_000, name: AT})

    assert (told.type, told.fields["started_at"]) == ("downtime.ended", "2026-03-04T09:29:01Z")


def test_a_line_without_any_time_asks_for_its_order_and_counts_in_order_of_arrival() -> None:
    line = {"className": "PurchaseOrderLineItem", "id": 1, "intPurchaseOrderID": 880, "qtyRecieved": 5}

    waits, counts = event("fiix", line), event("fiix", line, order="arrival")
    bad = refusal("fiix", line | {"qtyRecieved": True}, order="arrival")

    assert (waits.key, waits.thin, "lines" in waits.fields) == ("880", True, False)
    assert counts.fields["lines"] == [{"line_id": "1", "quantity_received": "5"}]
    assert bad.error.path == "$.qtyRecieved"


def test_an_answer_that_is_an_error_says_nothing_of_any_record() -> None:
    failed = {"_maCn": "FindResponse", "error": {"code": 1100, "message": "throttled"}}

    assert event("fiix", failed).type == "fiix.error"
    assert [each.index for each in read("fiix", {"responses": [failed, found(ORDER)]})] == [0]


def test_a_thousand_elements_read_the_tables_beside_them_once() -> None:
    body = json.dumps(found(DRAFT, *[ORDER] * 3)).encode()
    around = Around(body)

    assert around.once(lookups.beside) is around.once(lookups.beside)
    assert around.once(lookups.beside) == {("WorkOrderStatus", "61001"): lookups.Row("Draft")}


def test_a_name_in_a_table_loses_what_no_database_can_hold() -> None:
    told = order(DRAFT | {"strName": "a\0b"}, ORDER | {"intWorkOrderStatusID": 61001})

    assert "\0" not in json.dumps(told.fields)
    assert value(told, "status") == "unknown"
