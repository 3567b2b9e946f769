"""The traps of SAP's breakdowns and measurements: units that are none of the number beside them."""

import itertools
from pathlib import Path

import pytest

from handlers.events import Event
from tests import folding
from tests.handlers.sources.reading import event, read
from tests.handlers.sources.sap import BERLIN, breakdown, codes, document, notification, point, stop


def test_downtime_in_seconds_that_is_called_hours_is_computed_from_start_and_end() -> None:
    found = stop(breakdown(MaintObjectDowntimeDuration="1.728E5", MaintObjDowntimeDurationUnit="H"))

    assert (found.fields["started_at"], found.fields["ended_at"]) == ("2026-02-27T11:43:53Z", "2026-03-01T11:43:53Z")
    assert found.fields["duration_source"] == {"value": "172800", "unit": "H"}
    assert codes(found) == ["duration_unit_mismatch"]


def test_a_downtime_that_is_right_in_its_unit_is_not_doubted() -> None:
    found = stop(breakdown(MaintObjectDowntimeDuration="48", MaintObjDowntimeDurationUnit="H"))

    assert codes(found) == []


@pytest.mark.parametrize(
    ("missing", "field", "computed"),
    [("End", "ended_at", "2026-03-01T11:43:53Z"), ("Start", "started_at", "2026-02-27T11:43:53Z")],
)
def test_a_length_stands_in_for_a_missing_end_as_seconds_with_a_warning(
    missing: str, field: str, computed: str
) -> None:
    """Nothing stands in where there is none: it is still down."""
    gap = {f"Malfunction{missing}Date": None, f"Malfunction{missing}Time": "PT00H00M00S"}
    length = {"MaintObjectDowntimeDuration": "1.728E5", "MaintObjDowntimeDurationUnit": "H"}

    told = stop(breakdown() | gap | length)
    assert (told.fields[field], codes(told)) == (computed, ["duration_used"])
    assert stop(breakdown() | gap).fields[field] is None


def test_a_breakdown_is_told_once_by_the_notification_and_never_by_the_order_too() -> None:
    request, down = read("sap", breakdown(MaintenanceOrder="4001237"))

    assert isinstance(request, Event)
    assert isinstance(down, Event)
    assert "asset_down" not in request.fields
    assert request.fields["malfunction_start_at"] == down.fields["started_at"]
    assert (down.kind, down.fields["planned"]) == ("downtime", False)
    assert down.fields["work_order_ref"] == {"key": "4001237", "label": None}
    assert len(read("sap", notification(MaintenanceObjectIsDown=False))) == 1


def test_a_breakdown_taken_back_is_void_and_reported_again_it_stands(tmp_path: Path) -> None:
    """In whatever order the three are told."""
    told = [
        [each for each in read("sap", body) if isinstance(each, Event) and each.kind == "downtime"]
        for body in (
            breakdown(LastChangeDateTime="/Date(1772538100000+0000)/"),
            breakdown(LastChangeDateTime="/Date(1772538110000+0000)/") | {"MaintenanceObjectIsDown": False},
            breakdown(LastChangeDateTime="/Date(1772538120000+0000)/"),
        )
    ]
    database = folding.sqlite(tmp_path)

    def is_void() -> bool:
        [row] = folding.state(database)["downtime"]
        return bool(row["is_void"])

    for facts in itertools.permutations(told):
        folding.empty(database)
        folding.apply(database, facts)
        assert not is_void()
    folding.empty(database)
    folding.apply(database, told[:2])
    assert is_void()
    database.close()


def test_the_value_is_the_one_entered_and_never_the_si_one_beside_its_unit() -> None:
    readings = {"MeasurementReading": 600000, "CharcValueUnit": "KM", "MsmtCounterReadingDifference": 20000}
    entered = document(MeasurementReadingInEntryUoM=600, MeasurementReadingEntryUoM="KM", **readings)
    found = event("sap", entered, time_zone=BERLIN)
    alone = event("sap", document(**readings), time_zone=BERLIN)

    assert (found.fields["value"], found.fields["unit"], found.fields["delta"]) == ("600", "KM", "20")
    assert not {"value", "unit", "delta"} & alone.fields.keys()
    assert alone.custom_fields["MeasurementReading"] == 600000
    assert "unit_unknown" in codes(alone)


def test_a_threshold_in_si_is_told_in_the_unit_of_the_point_or_not_at_all() -> None:
    known = event("sap", point(CounterOverflowRdngThreshold=1000000000))
    strange = event("sap", point(CounterOverflowRdngThreshold=5000, CharcValueUnit="RHO"))

    assert known.fields["rollover_at"] == "1000000"
    assert "rollover_at" not in strange.fields
    assert (strange.custom_fields["CounterOverflowRdngThreshold"], codes(strange)) == (5000, ["unit_unknown"])
    assert event("sap", point(CounterOverflowRdngThreshold=0)).fields["rollover_at"] is None


def test_a_reading_taken_back_counts_no_more_in_whatever_order_the_two_are_told(tmp_path: Path) -> None:
    """Both are of the time of the reading: nothing else in them says which came first."""
    entered = {"MeasurementReadingInEntryUoM": 600, "MeasurementReadingEntryUoM": "KM"}
    made, reversed_ = (
        event("sap", document(MsmtRdngIsReversed=flag, **entered), time_zone=BERLIN) for flag in (False, True)
    )
    database = folding.sqlite(tmp_path)

    assert made.occurred_at == reversed_.occurred_at
    for facts in ([made], [reversed_]), ([reversed_], [made]):
        folding.empty(database)
        folding.apply(database, facts)
        [row] = folding.state(database)["meter_readings"]
        assert row["value"] is None
    database.close()


def test_a_valuation_without_a_number_is_a_word() -> None:
    found = event("sap", document(MsmtValuationCode="RED", MeasurementReadingInEntryUoM=0), time_zone=BERLIN)

    assert (found.fields["value_text"], found.fields["kind"]) == ("RED", "characteristic")
    assert "value" not in found.fields
