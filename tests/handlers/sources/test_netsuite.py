"""The traps of NetSuite, from its schemas and a captured answer; `handlers.sources.netsuite` cites them."""

from typing import Any

import pytest

from handlers.events import Event
from handlers.rules.facts import fact, fold_all
from handlers.rules.printing import Kept, printed
from handlers.rules.registers import Record
from tests.handlers.sources.reading import event, read, refusal

AT = "2026-03-04T07:41:00Z"
LINK = [{"rel": "self", "href": "https://1.suitetalk.api.netsuite.com/services/rest/record/v1/purchaseorder/7"}]


def order(**members: Any) -> dict[str, Any]:
    return {"links": LINK, "id": "7", "tranId": "PO7", "createdDate": AT, "lastModifiedDate": AT, **members}


def rows(*lines: dict[str, Any]) -> dict[str, Any]:
    return {"items": list(lines), "totalResults": len(lines)}


def shown(*events: Event) -> dict[str, Any]:
    """What the record of one subject prints after some events."""
    record = Record()
    fold_all([fact(each) for each in events], {(events[0].connection_id, events[0].key): record})
    return printed(Kept(events[0].kind, events[0].connection_id, events[0].key, record))


def status(found: Event) -> Any:
    told = found.fields["status"]
    assert isinstance(told, dict)
    return told["value"]


def codes(found: Event) -> list[str]:
    return [each["code"] for each in found.warnings]


def test_the_letter_in_order_status_counts_and_the_text_in_an_id_does_not() -> None:
    found = event("netsuite", order(status={"id": "Pending Receipt"}, orderStatus={"id": "D", "refName": "x"}))

    assert status(found) == "in_progress"
    assert codes(found) == []


@pytest.mark.parametrize(
    ("given", "value", "warnings"),
    [
        ("PurchOrd:B", "approved", []),
        ("b", "approved", []),
        ({"id": "Pending Bill", "refName": "Pending Bill"}, "completed", ["status_by_text"]),
        ("Pending Billing/Partially Received", "in_progress", ["status_by_text"]),
        ("Reçu partiellement", "unknown", ["status_unmapped"]),
        ("SalesOrd:B", "unknown", ["status_unmapped"]),
        ("Y", "unknown", ["status_unmapped"]),
    ],
)
def test_a_status_is_a_letter_with_a_prefix_or_a_text_in_the_users_language(
    given: Any, value: str, warnings: list[str]
) -> None:
    found = event("netsuite", order(status=given))

    assert (status(found), codes(found)) == (value, warnings)


def test_the_connections_map_names_localised_texts_and_letters() -> None:
    mapped = {"Reçu partiellement": "in_progress", "Y": "on_hold", "B": "scheduled"}

    assert status(event("netsuite", order(status="Reçu partiellement"), status_map=mapped)) == "in_progress"
    assert status(event("netsuite", order(orderStatus={"id": "Y"}), status_map=mapped)) == "on_hold"
    assert status(event("netsuite", order(status="Pending Receipt"), status_map=mapped)) == "scheduled"


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (rows({"line": 1, "quantity": 4, "quantityReceived": 0}), "cancelled"),
        (rows({"line": 1, "quantity": 4, "quantityReceived": 1}), "closed"),
        ({"links": []}, "closed"),
    ],
)
def test_a_closed_order_of_which_nothing_came_was_cancelled(lines: Any, value: str) -> None:
    assert status(event("netsuite", order(orderStatus={"id": "H"}, item=lines))) == value


def test_lines_that_are_only_linked_to_were_not_sent_and_stay() -> None:
    sent = event("netsuite", order(item=rows({"line": 1, "quantity": 4}, {"line": 3, "quantity": 1})))
    linked = event("netsuite", order(lastModifiedDate="2026-03-05T00:00:00Z", item={"links": LINK}))

    assert sent.full
    assert not linked.full
    assert "lines" not in linked.fields
    assert [line["line_number"] for line in shown(sent, linked)["lines"]] == ["1", "3"]


def test_a_whole_order_takes_the_lines_away_that_it_lacks_down_to_none() -> None:
    sent = event("netsuite", order(item=rows({"line": 1, "quantity": 4}, {"line": 3, "quantity": 1}), memo="x"))
    fewer = event("netsuite", order(lastModifiedDate="2026-03-05T00:00:00Z", item=rows({"line": 3, "quantity": 1})))
    none = event("netsuite", order(lastModifiedDate="2026-03-06T00:00:00Z", item=rows()))

    assert [line["line_number"] for line in shown(sent, fewer)["lines"]] == ["3"]
    assert shown(sent, fewer)["description"] is None
    assert shown(sent, none)["lines"] is None


def test_a_body_with_both_sublists_and_no_rows_says_that_there_are_none() -> None:
    sent = event("netsuite", order(item=rows({"line": 1, "quantity": 4})))
    script = {"type": "purchaseorder", "id": "7", "lastmodifieddate": "2026-03-05T00:00:00Z"}

    assert shown(sent, event("netsuite", {**script, "item": [], "expense": []}))["lines"] is None
    assert shown(sent, event("netsuite", {**script, "item": []}))["lines"] is not None


def test_a_sublist_cut_into_pages_is_no_whole_order() -> None:
    assert not event("netsuite", order(item={"items": [{"line": 1}], "totalResults": 9})).full


def test_an_inline_edit_blanks_nothing() -> None:
    sent = event("netsuite", order(item=rows({"line": 1, "quantity": 4}), memo="x", total=5))
    edit = event(
        "netsuite", {"recordtype": "purchaseorder", "id": 7, "memo": "y", "lastmodifieddate": "2026-03-05T00:00:00Z"}
    )

    assert edit.fields.keys() == {"description", "source_updated_at", "source_id", "source_entity"}
    after = shown(sent, edit)
    assert (after["description"], after["number"], after["total"]["amount"]) == ("y", "PO7", "5")
    assert len(after["lines"]) == 1


def test_an_inline_edit_without_a_time_of_change_only_asks_for_a_fetch() -> None:
    body = {"recordtype": "purchaseorder", "id": 7, "memo": "y"}

    found = event("netsuite", body)
    assert found.thin
    assert "description" not in found.fields
    assert event("netsuite", body, order="arrival").fields["description"] == "y"


def test_one_of_several_members_that_make_a_list_leaves_the_list_alone() -> None:
    found = event("netsuite", {"type": "vendor", "id": "6", "altemail": "b@x.example", "lastmodifieddate": AT})

    assert "emails" not in found.fields
    assert found.custom_fields == {"altEmail": "b@x.example"}


@pytest.mark.parametrize(
    ("currency", "code"),
    [
        ({"id": "1", "refName": "US Dollar"}, "USD"),
        ({"id": "1", "refName": "Euro"}, "EUR"),
        ({"id": "7", "refName": "CHF"}, "CHF"),
        ({"id": "1", "refName": "Peso mexicano"}, None),
        ("1", None),
    ],
)
def test_a_currency_is_an_id_of_the_accounts_own_and_counts_by_its_name(currency: Any, code: str | None) -> None:
    body = order(currency=currency, total=5, item=rows({"line": 1, "rate": 5, "amount": 5}))
    found = event("netsuite", body)
    told: dict[str, Any] = found.fields
    (line,) = told["lines"]

    assert told["currency"] == code
    assert [each["currency"] for each in (told["total"], line["unit_price"], line["line_amount"])] == [code] * 3
    assert ("currency_unknown" in codes(found)) == (code is None)
    if code is None:
        assert found.custom_fields["currency"] == currency
        assert event("netsuite", body, currency="MXN").fields["currency"] == "MXN"


def test_an_amount_is_trusted_and_its_rate_only_warned_about() -> None:
    found = event("netsuite", order(item=rows({"line": 1, "quantity": 10, "rate": 3800, "amount": 100})))
    record = shown(found)

    assert record["lines"][0]["line_amount"]["amount"] == "100"
    assert "amount_mismatch" in {each["code"] for each in record["warnings"]}


def test_more_received_than_ordered_is_a_warning_of_the_record() -> None:
    found = event("netsuite", order(item=rows({"line": 1, "quantity": 10, "quantityReceived": 12})))

    assert "over_receipt" in {each["code"] for each in shown(found)["warnings"]}


def test_expenses_are_lines_of_their_own_whatever_their_numbers() -> None:
    found = event("netsuite", order(item=rows({"line": 1}), expense=rows({"line": 1, "amount": 5, "memo": "freight"})))

    assert [(line["line_number"], line.get("line_id")) for line in shown(found)["lines"] if "line_number" in line] == [
        ("1", None)
    ]
    assert [line["line_id"] for line in shown(found)["lines"] if "line_id" in line] == ["expense/1"]


@pytest.mark.parametrize("text", ["19/12/2025", "12/19/2025", "19-Dec-2025"])
def test_a_date_in_the_companys_locale_is_kept_as_text(text: str) -> None:
    found = event("netsuite", order(tranDate=text, custbody_sync=f"{text} 6:6:29"))

    assert "order_date" not in found.fields
    assert found.custom_fields == {"tranDate": text, "custbody_sync": f"{text} 6:6:29"}
    assert codes(found) == ["date_unread"]


def test_a_date_is_never_shifted_by_a_zone() -> None:
    found = event("netsuite", order(tranDate="2026-02-18"), time_zone="Pacific/Auckland")

    assert found.fields["order_date"] == "2026-02-18"


def test_names_are_read_in_any_case_and_flags_as_letters() -> None:
    found = event(
        "netsuite", {"recordtype": "inventoryitem", "ID": "5", "itemid": "X", "isinactive": "T", "LastModifiedDate": AT}
    )

    assert (found.key, found.fields["number"], found.fields["is_active"]) == ("5", "X", False)


def test_zeros_and_case_of_an_id_count_and_kinds_keep_equal_ids_apart() -> None:
    bodies = [
        {"type": kind, "id": id_, "lastModifiedDate": AT}
        for kind in ("vendor", "purchaseorder")
        for id_ in ("007", "7")
    ]
    found = [each for body in bodies for each in read("netsuite", body) if isinstance(each, Event)]

    assert [(each.kind, each.key) for each in found] == [
        ("vendor", "007"),
        ("vendor", "7"),
        ("purchase_order", "007"),
        ("purchase_order", "7"),
    ]


def test_a_purchase_unit_that_is_not_the_stock_unit_is_not_converted() -> None:
    found = event(
        "netsuite",
        {
            "type": "inventoryitem",
            "id": "5",
            "itemId": "X",
            "stockUnit": "18",
            "purchaseUnit": "19",
            "lastModifiedDate": AT,
        },
    )

    assert "conversion" not in found.fields
    assert sorted(codes(found)) == ["conversion_unknown", "unit_unknown", "unit_unknown"]


def test_netsuites_work_order_makes_things_and_is_none_of_ours() -> None:
    assert event("netsuite", {"recordType": "workOrder", "id": "5"}).type == "netsuite.workorder"


def test_a_refusal_names_the_place_in_the_sublist() -> None:
    body = order(item=rows({"line": 1}, {"line": 2, "quantity": "many"}))

    assert refusal("netsuite", body).error.path == "$.item.items[1].quantity"
