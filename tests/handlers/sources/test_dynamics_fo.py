"""The traps of Finance & Supply Chain Management; `handlers.sources.dynamics_fo` cites them."""

from typing import Any

import pytest

from handlers.events import Event
from handlers.sources import Handshake, load
from tests.handlers.sources.reading import event, read, refusal

NULL_TICKS = "/Date(-2208988800000)/"


def notice(**members: Any) -> dict[str, Any]:
    return {
        "BusinessEventId": "PurchaseOrderConfirmedBusinessEvent",
        "EventId": "E-1",
        "EventTime": "/Date(1772150400000)/",
        "LegalEntity": "USMF",
        "PurchaseOrderNumber": "00000412",
        **members,
    }


def order(**members: Any) -> dict[str, Any]:
    return {"dataAreaId": "usmf", "PurchaseOrderNumber": "1", **members}


def work_order(**members: Any) -> dict[str, Any]:
    return {"dataAreaId": "usmf", "WorkOrderId": "W", **members}


def told(body: Any, **options: Any) -> Event:
    """What a record tells under a connection that orders by arrival."""
    return event("dynamics_fo", body, order="arrival", **options)


def status(found: Event) -> Any:
    kept = found.fields["status"]
    assert isinstance(kept, dict)
    return kept["value"]


def test_a_business_event_is_thin_and_keeps_what_it_states_itself() -> None:
    found = event("dynamics_fo", notice(PurchaseJournal="J"))

    assert found.thin
    assert found.fields.keys() == {"number", "company_ref", "source_entity"}
    assert found.custom_fields == {"PurchaseJournal": "J"}
    assert found.event_id == "E-1"


@pytest.mark.parametrize(
    "more", [{"EventTime": NULL_TICKS, "EventTimeIso8601": "1900-01-01T00:00:00Z"}, {"EventTime": ""}]
)
def test_a_business_event_of_1900_has_no_time_and_states_nothing(more: dict[str, str]) -> None:
    found = event("dynamics_fo", notice(**more))

    assert found.thin
    assert found.fields.keys() == {"source_entity"}


def test_a_legal_entity_is_one_in_either_case_and_a_numbers_zeros_and_case_count() -> None:
    keys = {
        event("dynamics_fo", notice(LegalEntity=entity, PurchaseOrderNumber=number)).key
        for entity in ("USMF", "usmf")
        for number in ("00000412", "412", "po-1", "PO-1")
    }

    assert keys == {"usmf/00000412", "usmf/412", "usmf/po-1", "usmf/PO-1"}
    assert told(order(PurchaseOrderNumber="00000412")).key == "usmf/00000412"
    assert told(order(dataAreaId="demf")).key == "demf/1"
    assert refusal("dynamics_fo", {"PurchaseOrderNumber": "1"}).error.path == "$.dataAreaId"


def test_a_number_with_a_slash_is_no_other_entitys() -> None:
    assert told(order(PurchaseOrderNumber="a/b")).key == "usmf/a%2Fb"


def test_an_etag_orders_nothing_so_a_record_only_asks_for_a_fetch() -> None:
    body = order(**{"@odata.etag": 'W/"JzEsNTYzNzE0NDU4OTsn"', "PurchaseOrderName": "Fabrikam"})

    found = event("dynamics_fo", body)
    assert found.thin
    assert found.version is None
    assert "title" not in found.fields
    assert told(body).fields["title"] == "Fabrikam"
    assert "@odata.etag" not in told(body).custom_fields
    timed = event("dynamics_fo", {**body, "ModifiedDateTime": "2026-03-04T10:00:00Z"})
    assert (timed.thin, timed.fields["title"]) == (False, "Fabrikam")


@pytest.mark.parametrize("null", ["1900-01-01T00:00:00Z", "1900-01-01T12:00:00Z", NULL_TICKS, "", None])
def test_the_first_day_of_1900_is_null(null: Any) -> None:
    found = told(work_order(ActualEnd=null, ParentWorkOrderId=null, Remark=null))

    assert (found.fields["actual_end_at"], found.fields["parent_ref"]) == (None, None)
    assert found.custom_fields == {"Remark": None}


def test_the_other_sources_nulls_are_values_here() -> None:
    found = told(work_order(ActualEnd="0001-01-01T00:00:00Z", WorkerGroupId=" "))

    assert found.fields["actual_end_at"] == "0001-01-01T00:00:00Z"
    assert found.fields["team_ref"] == {"key": " ", "label": None}


def test_a_date_at_noon_is_that_date_in_every_zone() -> None:
    found = told(order(AccountingDate="2026-02-20T12:00:00Z"), time_zone="Pacific/Kiritimati")

    assert found.fields["order_date"] == "2026-02-20"


@pytest.mark.parametrize(
    ("code", "approval", "line", "value"),
    [
        ("Backorder", "Confirmed", "Backorder", "approved"),
        ("Backorder", "InExternalReview", None, "approved"),
        ("Backorder", "Confirmed", "Received", "in_progress"),
        ("Backorder", "Draft", None, "requested"),
        ("Backorder", "InReview", None, "requested"),
        ("Backorder", "Rejected", None, "cancelled"),
        ("Received", "Draft", None, "completed"),
        ("Invoiced", "Finalized", None, "closed"),
        ("Canceled", "Approved", None, "cancelled"),
        ("None", "Approved", None, "requested"),
        ("Backorder", "Vanished", None, "unknown"),
        (1, 40, None, "unknown"),
    ],
)
def test_an_orders_status_is_made_of_two_and_backorder_means_open(
    code: Any, approval: Any, line: str | None, value: str
) -> None:
    lines = [] if line is None else [{"LineNumber": 1, "PurchaseOrderLineStatus": line}]
    body = order(PurchaseOrderStatus=code, DocumentApprovalStatus=approval, PurchaseOrderLinesV2=lines)
    found = told(body)

    assert status(found) == value
    assert (value == "unknown") == (
        "status_unmapped" in {each["code"] for each in found.warnings if each["path"] == "$.data.status"}
    )


def test_a_price_is_for_so_many() -> None:
    line = {"LineNumber": 1.0, "PurchasePrice": 240.0, "PurchasePriceQuantity": 100, "OrderedPurchaseQuantity": 500}
    found = told(order(CurrencyCode="USD", PurchaseOrderLinesV2=[line]))
    product = {"dataAreaId": "usmf", "ItemNumber": "X", "ProductType": "Item", "PurchasePrice": 240}

    assert found.fields["lines"] == [
        {
            "line_number": "1",
            "unit_price": {"amount": "240.0", "currency": "USD"},
            "price_basis_quantity": "100",
            "quantity_ordered": "500",
        }
    ]
    cost = told({**product, "PurchasePriceQuantity": 100}).fields["unit_cost"]
    assert isinstance(cost, dict)
    assert cost["amount"] == "2.4"
    assert "unit_cost" not in told({**product, "PurchasePriceQuantity": 7}).fields
    assert "unit_cost" not in told(product).fields, "nobody said for how many"


def test_an_order_without_its_lines_leaves_them_and_a_whole_one_takes_away_what_it_lacks() -> None:
    whole = order(
        OrderVendorAccountNumber="V",
        PurchaseOrderStatus="Backorder",
        DocumentApprovalStatus="Confirmed",
        CurrencyCode="USD",
        AccountingDate="2026-02-20T12:00:00Z",
        RequestedDeliveryDate="2026-02-20T12:00:00Z",
    )

    assert not told(whole).full
    assert "lines" not in told(whole).fields
    assert told({**whole, "PurchaseOrderLinesV2": []}).full


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("InProgress", "in_progress"),
        ("in progress", "in_progress"),
        ("On-Hold", "on_hold"),
        ("Finished", "completed"),
        ("Quarantine", "unknown"),
    ],
)
def test_a_state_is_what_the_customer_typed_in_and_never_guessed_from_dates(code: str, value: str) -> None:
    found = told(work_order(WorkOrderLifecycleStateId=code, ActualEnd="2026-03-03T07:12:00Z"))

    assert status(found) == value
    mapped = told(work_order(WorkOrderLifecycleStateId=code), status_map={code: "closed"})
    assert status(mapped) == "closed"


def test_an_orders_asset_is_that_of_line_1_wherever_that_stands() -> None:
    lines = [
        {"LineNumber": 2, "MaintenanceAssetId": "B", "ForecastHourQty": 0.5},
        {"LineNumber": 1, "MaintenanceAssetId": "A", "ForecastHourQty": 4},
    ]
    found = told(work_order(WorkOrderLines=lines))

    told_fields: dict[str, Any] = found.fields

    assert told_fields["asset_ref"] == {"key": "usmf/A", "label": None}
    assert [each["key"] for each in told_fields["asset_refs"]] == ["usmf/B", "usmf/A"]
    assert found.fields["estimated_labor"] == 16_200
    assert "asset_ref" not in told(work_order(Description="x")).fields


def test_a_level_of_service_is_no_priority_until_the_connection_says_which() -> None:
    assert told(work_order(ServiceLevel=2)).fields["priority"] == {
        "value": None,
        "source_code": "2",
        "source_label": None,
    }
    found = told(work_order(ServiceLevel=2), priority_map={"2": "high"}).fields["priority"]
    assert isinstance(found, dict)
    assert found["value"] == "high"


def test_an_assets_costs_are_in_a_currency_that_nobody_sends() -> None:
    body = {"dataAreaId": "usmf", "MaintenanceAssetId": "A", "Name": "Pump", "AcquisitionCost": 5}

    assert told(body).fields["purchase_cost"] == {"amount": "5", "currency": None}
    assert told(body, currency="USD").fields["purchase_cost"] == {"amount": "5", "currency": "USD"}


def test_a_set_that_is_not_ours_is_kept_whatever_keys_it_has() -> None:
    context = "https://x.example/data/$metadata#PurchaseOrderConfirmationHeaders"
    (found,) = read("dynamics_fo", {"@odata.context": context, "value": [order()]})

    assert isinstance(found, Event)
    assert found.type == "dynamics_fo.PurchaseOrderConfirmationHeaders"


def test_event_grid_may_ask_whether_we_are_willing() -> None:
    assert load()["dynamics_fo"].handshakes == (Handshake.WEBHOOK_ORIGIN,)
