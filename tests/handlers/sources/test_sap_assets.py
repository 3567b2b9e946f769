"""The traps of SAP's equipment and plans."""

import pytest

from handlers.events import Event
from tests.handlers.sources.reading import event, read
from tests.handlers.sources.sap import CHANGED, FEBRUARY_27, equipment, value


def test_slices_of_the_past_are_no_asset() -> None:
    now = equipment(ValidityEndDate="9999-12-31", FunctionalLocation="B")
    past = equipment(ValidityEndDate="2024-04-30", FunctionalLocation="A")
    for slices in ([now, past], [past, now]):
        told = [each for each in read("sap", {"value": slices}) if isinstance(each, Event)]
        assert [each.fields["location_ref"] for each in told if each.kind == "asset"] == [{"key": "B", "label": None}]
        assert {each.type for each in told} == {"asset.updated", "sap.EquipmentHistory"}


@pytest.mark.parametrize(
    ("logic", "times", "kind"), [("", [], "meter"), ("", ["MON"], "time_or_meter"), ("A", ["MON"], "time_and_meter")]
)
def test_a_plan_by_a_meter_is_told_in_the_meters_unit_though_its_next_reading_is_in_si(
    logic: str, times: list[str], kind: str
) -> None:
    by_meter = {
        "MaintPlanCycRcrrcIntervalQty": "5E2",
        "MaintPlanCycRcrrcIntervalUnit": "H",
        "MeasuringPoint": "000000000003",
        "MaintCycleNextPlndCntrRdng": "3.6E6",
    }
    by_time = [{"MaintPlanCycRcrrcIntervalQty": "1", "MaintPlanCycRcrrcIntervalUnit": unit} for unit in times]
    body = {
        "MaintenancePlan": "1",
        "MaintenancePlanDesc": "x",
        "LastChangeDateTime": CHANGED,
        "MaintPlanLogicalOperatorCode": logic,
        "to_MaintenanceCycle": {"results": [by_meter, *by_time]},
    }
    fields = event("sap", body).fields

    assert fields["trigger_kind"] == kind
    assert fields["meter_ref"] == {"key": "3", "label": None}
    assert (fields["meter_interval"], fields["next_meter_value"]) == ("500", "1000")
    assert ("cycles" in fields) == bool(times)


@pytest.mark.parametrize(
    ("status", "word"), [("I0001", "active"), ("CRTD INAC", "suspended"), ("I0001 I0076", "ended")]
)
def test_a_plan_is_active_unless_a_code_says_otherwise(status: str, word: str) -> None:
    body = {"MaintenancePlan": "1", "MaintenancePlanDesc": "x", "LastChangeDateTime": CHANGED}

    assert value(event("sap", body | {"MaintenancePlanSystemStatus": status})) == word


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ({"EquipmentIsMarkedForDeletion": True, "EquipmentIsInstalled": True}, "decommissioned"),
        ({"EquipmentIsInactive": True, "EquipmentIsInstalled": True}, "not_in_service"),
        ({"EquipmentIsInWarehouse": True}, "standby"),
        ({"EquipmentIsAvailable": True}, "operating"),
    ],
)
def test_of_an_assets_flags_the_gravest_says_its_status(flags: dict[str, bool], word: str) -> None:
    found = event("sap", equipment(**flags))

    assert (value(found), found.fields["is_active"]) == (word, word in {"standby", "operating"})
    assert "status" not in event("sap", equipment(EquipmentIsInstalled=False)).fields


def test_a_warranty_ends_with_the_last_of_several_and_a_fixed_asset_is_kept() -> None:
    ends = [{"WarrantyEndDate": "2027-01-01"}, {"WarrantyEndDate": FEBRUARY_27}, {"WarrantyEndDate": None}]
    found = event("sap", equipment(MasterFixedAsset="1000", FixedAsset="0", to_Warranty={"results": ends}))

    assert found.fields["warranty_end_date"] == "2027-01-01"
    assert found.custom_fields["fixed_asset"] == "1000/0"
