"""The traps of SAP that all its records share: keys, nulls, shapes; `handlers.sources.sap` cites where each was met."""

import pytest

from tests.handlers.sources.reading import event, refusal
from tests.handlers.sources.sap import (
    BERLIN,
    CHANGED,
    codes,
    equipment,
    line,
    notification,
    order,
    purchase_order,
    the_line,
    value,
)


@pytest.mark.parametrize(
    ("written", "key"),
    [("000004001237", "4001237"), ("4001237", "4001237"), ("TG0012", "TG0012"), ("00TG12", "00TG12")],
)
def test_zeros_before_a_number_of_digits_are_storage_and_in_any_other_they_count(written: str, key: str) -> None:
    found = event("sap", order(MaintenanceOrder=written))

    assert (found.key, found.fields["source_id"]) == (key, written)


def test_the_padded_and_the_plain_number_in_one_record_are_one_asset() -> None:
    both = order(
        TechnicalObject="000000000217100002", TechnicalObjectLabel="217100002", TechObjIsEquipOrFuncnlLoc="EAMS_EQUI"
    )
    padded_only = {name: each for name, each in both.items() if name != "TechnicalObjectLabel"}

    for body in (both, padded_only, order(Equipment="217100002")):
        assert event("sap", body).fields["asset_ref"] == {"key": "217100002", "label": None}


def test_zeros_of_plants_operations_terms_and_functional_locations_count() -> None:
    operation = {"MaintenanceOrderOperation": "0010", "MaintenanceOrderSubOperation": "0005"}
    found = event(
        "sap",
        order(
            MaintenancePlant="0001",
            FunctionalLocation="0100",
            to_MaintenanceOrderOperation={"results": [operation]},
        ),
    )

    assert found.fields["site_ref"] == {"key": "0001", "label": None}
    assert found.fields["location_ref"] == found.fields["asset_ref"] == {"key": "0100", "label": None}
    assert found.fields["tasks"] == [{"sequence": "0010/0005"}]
    assert event("sap", purchase_order(PaymentTerms="0004")).fields["payment_terms"] == {"code": "0004"}


def test_a_line_is_the_same_with_and_without_zeros_before_its_number() -> None:
    assert the_line(purchase_order(line("00010")))["line_number"] == "10"
    assert the_line(purchase_order(line("10")))["line_number"] == "10"


def test_an_order_and_a_notification_of_one_number_are_two_records() -> None:
    made = event("sap", order(MaintenanceOrder="10000412", MaintenanceNotification="000010000412"))
    asked = event("sap", notification(MaintenanceOrder="10000412"))

    assert made.kind == asked.kind == "work_order"
    assert made.key != asked.key
    assert made.fields["request_ref"] == {"key": asked.key, "label": "10000412"}
    assert asked.fields["converted_to_ref"] == {"key": made.key, "label": None}
    assert (made.fields["record_kind"], asked.fields["record_kind"]) == ("order", "request")


def test_a_relabelled_functional_location_keeps_its_key() -> None:
    place = {
        "FunctionalLocation": "?0100000000000000042",
        "FunctionalLocationName": "Hall",
        "LastChangeDateTime": CHANGED,
    }
    old, new = (event("sap", {**place, "FunctionalLocationLabelName": label}) for label in ("A-1", "B-1"))

    assert old.key == new.key
    assert (old.fields["number"], new.fields["number"]) == ("A-1", "B-1")


@pytest.mark.parametrize("nothing", ["", "0", "000000000000", None])
def test_a_number_of_zeros_only_is_no_number(nothing: str | None) -> None:
    found = event("sap", order(MaintenanceNotification=nothing, MaintenancePlan=nothing))

    assert (found.fields["request_ref"], found.fields["pm_plan_ref"]) == (None, None)
    refused = refusal("sap", {"d": {"results": [order(MaintenanceOrder=nothing)]}}).error
    assert (refused.code, refused.path) == ("missing_field", "$.d.results[0].MaintenanceOrder")


def test_zero_is_a_real_quantity() -> None:
    stock = {"Material": "A", "Plant": "1010", "InventoryStockType": "01", "MatlWrhsStkQtyInMatlBaseUnit": "0"}
    found = event("sap", stock, order="arrival")

    assert found.fields["stock_levels"] == [
        {
            "warehouse_ref": {"key": "1010", "label": None},
            "on_hand": "0",
            "stock_type": "unrestricted",
            "available": "0",
        }
    ]


@pytest.mark.parametrize(
    "end", ["9999-12-31", "/Date(253402214400000)/", "/Date(253402300799000+0000)/", "9999-12-31T00:00:00Z", "", None]
)
def test_the_last_day_is_an_open_end(end: str | None) -> None:
    assert event("sap", equipment(ValidityEndDate=end)).fields["valid_to"] is None


def test_a_purchase_value_of_nought_in_no_currency_is_unknown_and_in_a_currency_nought() -> None:
    unknown = event("sap", equipment(AcquisitionValue="0.00", Currency=""), currency="EUR")
    nought = event("sap", equipment(AcquisitionValue="0.00", Currency="EUR"))

    assert unknown.fields["purchase_cost"] is None
    assert nought.fields["purchase_cost"] == {"amount": "0.00", "currency": "EUR"}


def test_no_priority_is_none_and_a_priority_type_may_have_its_own_words() -> None:
    urgent = order(MaintPriority="2", MaintPriorityType="Z1")

    assert value(event("sap", order(MaintPriority="")), "priority") == "none"
    assert value(event("sap", urgent), "priority") == "high"
    assert value(event("sap", urgent, priority_map={"2": "low"}), "priority") == "low"
    assert value(event("sap", urgent, priority_map={"Z1/2": "critical"}), "priority") == "critical"
    unknown = event("sap", order(MaintPriority="9"))
    assert (value(unknown, "priority"), codes(unknown)) == (None, ["priority_unmapped"])


def test_v4_says_the_same_as_v2() -> None:
    v2 = order(
        LatestAcceptableCompletionDate="/Date(1772755200000)/",
        MaintOrdBasicStartDate="/Date(1772409600000)/",
        MaintOrdBasicStartTime="PT06H00M00S",
        to_MaintenanceOrderOperation={"results": [{"MaintenanceOrderOperation": "0010", "OperationDescription": "x"}]},
    )
    v4 = order(
        LatestAcceptableCompletionDate="2026-03-06",
        MaintOrdBasicStartDate="2026-03-02",
        MaintOrdBasicStartTime="06:00:00",
        LastChangeDateTime="2026-03-03T11:42:09Z",
        _MaintenanceOrderOperation=[{"MaintenanceOrderOperation": "0010", "OperationDescription": "x"}],
    )
    old = event("sap", {"d": {"results": [v2]}}, time_zone=BERLIN)
    new = event("sap", {"@odata.context": "$metadata#MaintenanceOrder", "value": [v4]}, time_zone=BERLIN)

    assert (old.fields, old.custom_fields, old.occurred_at) == (new.fields, new.custom_fields, new.occurred_at)


def test_a_wrong_value_deep_inside_is_told_with_its_whole_path() -> None:
    bad = line(NetPriceAmount=[])
    strange = line(OrderQuantity="many")

    by_us = refusal("sap", {"d": purchase_order(line("20"), bad)}).error
    by_model = refusal("sap", {"d": purchase_order(line("20"), strange)}).error
    assert (by_us.code, by_us.path) == ("wrong_type", "$.d.to_PurchaseOrderItem.results[1].NetPriceAmount")
    assert by_model.path == "$.d.to_PurchaseOrderItem.results[1].OrderQuantity"
