"""The traps of Business Central, from its API reference; `handlers.sources.business_central` cites them."""

import json
from typing import Any

import pytest

from handlers.events import Event
from handlers.rules.facts import fact, fold_all
from handlers.rules.printing import Kept, printed
from handlers.rules.registers import Record
from handlers.signatures import filled, scheme, verify
from handlers.sources import Handshake, load
from tests.handlers.sources.reading import event, read, refusal

COMPANY = "7b1c5b1a-2f4e-4a38-9f3c-0f5b8e0c2d11"
RECORD = "26814998-936a-401c-81c1-0e848a64971d"
NO_GUID = "00000000-0000-0000-0000-000000000000"
SECRET, OTHER = b"a-client-state-of-ours", b"the-client-state-before"
AT = "2026-03-04T12:54:20.467Z"


def notice(set_: str = "items", change: str = "updated", **members: Any) -> dict[str, Any]:
    return {
        "subscriptionId": "s",
        "clientState": SECRET.decode(),
        "expirationDateTime": "2026-03-07T07:52:31Z",
        "resource": f"api/v2.0/companies({COMPANY})/{set_}({RECORD})",
        "changeType": change,
        "lastModifiedDateTime": AT,
        **members,
    }


def record(set_: str, **members: Any) -> dict[str, Any]:
    context = f"https://x.example/v2.0/t/production/api/v2.0/$metadata#companies({COMPANY})/{set_}/$entity"
    return {"@odata.context": context, "id": RECORD, "lastModifiedDateTime": AT, **members}


def shown(found: Event) -> dict[str, Any]:
    kept = Record()
    fold_all([fact(found)], {(found.connection_id, found.key): kept})
    return printed(Kept(found.kind, found.connection_id, found.key, kept))


def status(found: Event) -> Any:
    told = found.fields["status"]
    assert isinstance(told, dict)
    return told["value"]


def test_one_body_names_several_records_entities_and_subscriptions() -> None:
    body = {
        "value": [notice(), notice("vendors", "deleted"), notice("salesOrders"), notice("purchaseOrders", "created")]
    }
    found = [each for each in read("business_central", body) if isinstance(each, Event)]

    assert [each.type for each in found] == [
        "inventory_item.updated",
        "vendor.deleted",
        "business_central.salesOrders",
        "purchase_order.created",
    ]
    assert [each.thin for each in found] == [True, False, False, True]


def test_every_notification_of_a_body_must_carry_the_client_state() -> None:
    by = scheme(load()["business_central"].default_scheme)
    right = {"value": [notice(), notice("vendors")]}
    wrong = {"value": [notice(), notice("vendors", clientState="somebody-elses-words")]}
    without = {"value": [notice(), {"resource": "x"}]}

    assert [verify(by, [SECRET], {}, json.dumps(body).encode(), 0.0).ok for body in (right, wrong, without)] == [
        True,
        False,
        False,
    ]


def test_subscriptions_of_two_secrets_may_share_a_body() -> None:
    by = scheme(load()["business_central"].default_scheme)
    body = json.dumps({"value": [notice(), notice("vendors", clientState=OTHER.decode())]}).encode()

    assert verify(by, [SECRET, OTHER], {}, body, 0.0).ok
    assert not verify(by, [SECRET], {}, body, 0.0).ok
    assert verify(by, [OTHER], {}, filled(by, OTHER, body), 0.0).ok


@pytest.mark.parametrize(
    "body", [notice(), notice("salesOrders"), notice("vendors", "deleted"), notice(change="collection")]
)
def test_the_client_state_is_kept_nowhere(body: dict[str, Any]) -> None:
    found = event("business_central", {"value": [body]})

    assert SECRET.decode() not in repr((found.fields, found.custom_fields, found.warnings))
    del body["resource"]
    assert SECRET.decode() not in str(refusal("business_central", {"value": [body]}).error)


def test_a_subscription_is_asked_for_by_its_validation_token() -> None:
    assert load()["business_central"].handshakes == (Handshake.VALIDATION,)


def test_a_collection_names_a_range_and_no_record() -> None:
    resource = f"/api/v2.0/companies({COMPANY})/items?$filter=lastDateTimeModified%20gt%202026-03-04T11:00:00Z"
    found = event("business_central", {"value": [notice(change="collection", resource=resource)]})

    assert (found.type, found.kind, found.thin) == ("business_central.collection", "business_central", False)
    assert found.key == f"{COMPANY}/items?$filter=lastDateTimeModified%20gt%202026-03-04T11:00:00Z"


def test_a_resource_is_read_by_its_tail_and_guids_in_any_case() -> None:
    resources = [
        f"api/v2.0/companies({COMPANY})/items({RECORD})",
        f"/api/v2.0/companies({COMPANY.upper()})/items({RECORD.upper()})",
        f"api/acme/maintenance/v1.0/companies({COMPANY})/Items('{RECORD}')",
    ]
    keys = {event("business_central", {"value": [notice(resource=each)]}).key for each in resources}

    assert keys == {f"{COMPANY}/{RECORD}"}
    assert event("business_central", record("items", id=RECORD.upper())).key == f"{COMPANY}/{RECORD}"


def test_a_notification_states_only_when_and_what() -> None:
    found = event("business_central", {"value": [notice()]})

    assert found.fields.keys() == {"source_id", "source_updated_at", "source_entity"}
    assert found.custom_fields == {}


def test_a_byte_order_mark_is_dropped() -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"value": [notice()]}).encode()

    assert event("business_central", body).thin


def test_a_record_without_its_company_has_no_key() -> None:
    body = record("items") | {"@odata.context": "https://x.example/$metadata#items/$entity"}

    assert refusal("business_central", body).error.code == "missing_field"


@pytest.mark.parametrize("null", ["0001-01-01", "0001-01-01T00:00:00Z", NO_GUID, "", None])
def test_the_first_day_of_all_and_the_guid_of_zeros_are_null(null: Any) -> None:
    found = event("business_central", record("purchaseOrders", orderDate=null, vendorId=null, shipmentMethodId=null))

    assert (found.fields["order_date"], found.fields["vendor_ref"]) == (None, None)
    assert found.custom_fields == {"shipmentMethodId": None}


def test_the_other_dynamics_null_is_a_date_here() -> None:
    assert (
        event("business_central", record("purchaseOrders", orderDate="1900-01-01")).fields["order_date"] == "1900-01-01"
    )


@pytest.mark.parametrize(
    ("blocked", "value"),
    [(" ", "active"), ("_x0020_", "active"), ("Payment", "active"), ("All", "blocked"), ("Odd", "unknown")],
)
def test_a_vendor_blocked_by_one_blank_is_not_blocked(blocked: str, value: str) -> None:
    found = event("business_central", record("vendors", blocked=blocked))

    assert status(found) == value
    if value != "unknown":
        told = found.fields["blocked_for"]
        assert isinstance(told, dict)
        assert told["payment"] is (blocked in {"Payment", "All"})
        assert told["purchasing"] is (blocked == "All")


@pytest.mark.parametrize(
    ("members", "value"),
    [
        ({"status": "Draft"}, "requested"),
        ({"status": "In Review"}, "requested"),
        ({"status": "In_x0020_Review"}, "requested"),
        ({"status": "Open"}, "approved"),
        ({"status": "Open", "purchaseOrderLines": [{"sequence": 1, "receivedQuantity": 0.5}]}, "in_progress"),
        ({"status": "Open", "fullyReceived": True}, "completed"),
        ({"status": "Parked"}, "unknown"),
    ],
)
def test_an_order_is_as_far_as_its_status_and_its_receipts(members: dict[str, Any], value: str) -> None:
    assert status(event("business_central", record("purchaseOrders", **members))) == value


@pytest.mark.parametrize(("option", "code"), [("NOK", "NOK"), (None, None)])
def test_an_empty_currency_is_the_companys_own(option: str | None, code: str | None) -> None:
    found = event(
        "business_central", record("purchaseOrders", currencyCode="", totalAmountIncludingTax=5), currency=option
    )

    assert found.fields["currency"] == code
    assert found.fields["total"] == {"amount": "5", "currency": code}
    assert {each["code"] for each in found.warnings} == {"currency_assumed" if code else "currency_missing"}
    other = event(
        "business_central", record("purchaseOrders", currencyCode="EUR", totalAmountIncludingTax=5), currency=option
    )
    assert other.fields["total"] == {"amount": "5", "currency": "EUR"}


def test_lines_that_were_not_asked_for_stay_and_a_whole_order_takes_away_what_it_lacks() -> None:
    head = {
        "number": "1",
        "orderDate": "2026-01-01",
        "vendorId": RECORD,
        "status": "Open",
        "fullyReceived": False,
        "currencyCode": "EUR",
        "totalAmountIncludingTax": 5,
    }

    alone = event("business_central", record("purchaseOrders", **head))
    assert (alone.full, "lines" in alone.fields) == (False, False)
    assert event("business_central", record("purchaseOrders", **head, purchaseOrderLines=[])).full


def test_a_comment_is_no_line_to_wait_for_and_more_received_than_ordered_is_a_warning() -> None:
    lines = [
        {"sequence": 10000, "lineType": "Item", "quantity": 10, "receivedQuantity": 12},
        {"sequence": 20000, "lineType": "Comment", "quantity": 0, "receivedQuantity": 0},
    ]
    printed_order = shown(event("business_central", record("purchaseOrders", status="Open", purchaseOrderLines=lines)))

    assert printed_order["receipt_status"]["value"] == "complete"
    assert [each["code"] for each in printed_order["warnings"]] == ["over_receipt"]
    assert [line["line_type"] for line in printed_order["lines"]] == ["stock", "comment"]


def test_a_sales_price_is_no_cost() -> None:
    found = event("business_central", record("items", unitPrice=210, unitCost=121.4), currency="EUR")

    assert found.fields["unit_cost"] == {"amount": "121.4", "currency": "EUR", "method": None}
    assert found.custom_fields == {"unitPrice": 210}
