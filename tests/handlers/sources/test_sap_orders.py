"""The traps of SAP's orders and events: statuses in no order, what is thin, what was not expanded."""

from typing import Any

import pytest

from handlers.events import Event
from tests.handlers.sources.reading import event
from tests.handlers.sources.sap import CHANGED, DEFERRED, codes, equipment, order, value


@pytest.mark.parametrize(
    ("text", "word", "code"),
    [
        ("REL  MSPT PCNF PRC  SETC", "in_progress", "PCNF"),
        ("PRC  PCNF  REL", "in_progress", "PCNF"),
        ("REL  CNF  GMPS JBFI", "in_progress", "CNF"),
        ("CNF TECO REL", "completed", "TECO"),
        ("TECO CLSD", "closed", "CLSD"),
        ("CLSD DLFL TECO", "cancelled", "DLFL"),
        ("REL NCMP", "cancelled", "NCMP"),
        ("REL LKD CNF", "on_hold", "LKD"),
        ("CRTD NMAT", "requested", "CRTD"),
        ("REL", "approved", "REL"),
        ("JBFI FREI TRÜC", "in_progress", "TRÜC"),
        ("I0002 I0045", "completed", "I0045"),
    ],
)
def test_of_several_codes_in_no_order_the_furthest_decides(text: str, word: str, code: str) -> None:
    found = event("sap", order(SystemStatusText=text))

    assert value(found) == word
    status = found.fields["status"]
    assert isinstance(status, dict)
    assert (status["source_code"], status["sub_codes"], found.warnings) == (code, text.split(), ())


def test_a_text_of_unknown_codes_is_unknown_and_never_guessed() -> None:
    found = event("sap", order(SystemStatusText="OUVR MAGE"))

    assert (value(found), codes(found)) == ("unknown", ["status_unmapped"])


def test_a_connection_may_name_any_code_its_own_too() -> None:
    assert value(event("sap", order(SystemStatusText="REL CNF"), status_map={"CNF": "completed"})) == "completed"
    assert value(event("sap", order(SystemStatusText="REL CNF"), status_map={"I0009": "completed"})) == "completed"
    assert value(event("sap", order(SystemStatusText="REL MSPT"), status_map={"MSPT": "on_hold"})) == "on_hold"
    assert value(event("sap", order(SystemStatusText="TECO MSPT"), status_map={"MSPT": "on_hold"})) == "completed"
    own = order(SystemStatusText="REL", UserStatusText="WAIT")
    assert value(event("sap", own, status_map={"WAIT": "on_hold"})) == "on_hold"


@pytest.mark.parametrize(("starts", "word"), [("/Date(1772538130000+0000)/", "scheduled"), (CHANGED, "approved")])
def test_what_is_released_is_scheduled_while_its_start_was_still_to_come(starts: str, word: str) -> None:
    """Seen from when the record was so, never from when it is read."""
    assert value(event("sap", order(SystemStatusText="REL", MaintOrdSchedldBscStrtDateTime=starts))) == word


def test_a_deletion_flag_deletes_and_a_whole_record_without_it_brings_back() -> None:
    flagged = event("sap", order(SystemStatusText="REL DLFL"))
    whole = event("sap", order(SystemStatusText="REL", MaintenanceOrderInternalID="OR000004001237"))

    assert (flagged.type, value(flagged)) == ("work_order.deleted", "cancelled")
    assert (whole.type, whole.full) == ("work_order.updated", True)


@pytest.mark.parametrize(
    ("what", "type_", "word"),
    [
        ("SetToInPlanning", "status_changed", "requested"),
        ("SetToInPreparation", "status_changed", "approved"),
        ("SetReadyForExec", "status_changed", "scheduled"),
        ("SetToWorkDone", "status_changed", "in_progress"),
        ("SetToWrkNotPerfrmd", "status_changed", "cancelled"),
        ("Closed", "status_changed", "closed"),
        ("SetToDeletnFlagged", "deleted", "cancelled"),
        ("OrdPhseCtrlActvtd", "updated", None),
        ("SomethingNew", "updated", None),
    ],
)
def test_an_event_states_what_its_name_says_and_asks_for_the_rest(what: str, type_: str, word: str | None) -> None:
    body = {
        "specversion": "1.0",
        "id": "1",
        "source": "s",
        "type": f"sap.s4.beh.maintenanceorder.v1.MaintenanceOrder.{what}.v1",
        "time": "2026-03-05T14:22:07Z",
        "data": {"MaintenanceOrder": "000004001237", "MaintenanceOrderType": "PM02", "PhaseControl": "1"},
    }
    found = event("sap", body)

    assert (found.type, found.key, found.thin) == (f"work_order.{type_}", "4001237", True)
    assert found.fields.keys() - {"status"} == {
        "number",
        "source_id",
        "record_kind",
        "type",
        "type_source",
        "source_entity",
    }
    assert (value(found) if word else None) == word
    assert found.custom_fields == {"PhaseControl": "1"}


def test_a_link_that_was_not_followed_blanks_nothing_and_an_empty_list_does() -> None:
    lists = ("to_MaintenanceOrderOperation", "to_MaintOrderObjectListItem")
    linked = event("sap", order(MaintenanceOrderInternalID="OR1", **dict.fromkeys(lists, DEFERRED)))
    empty = event("sap", order(MaintenanceOrderInternalID="OR1", **{name: {"results": []} for name in lists}))

    assert linked.full
    assert not {"tasks", "parts", "asset_refs", "actual_start_at"} & {*linked.fields, *linked.full_fields}
    assert "to_MaintenanceOrderOperation" not in linked.custom_fields
    assert [empty.fields[name] for name in ("tasks", "parts", "asset_refs")] == [[], [], []]


def test_a_record_without_a_time_only_asks_for_a_fetch_unless_the_connection_orders_by_arrival() -> None:
    body = {name: each for name, each in equipment().items() if name != "LastChangeDateTime"}

    assert (event("sap", body).thin, event("sap", body).fields) == (True, {"source_entity": "Equipment"})
    assert event("sap", body, order="arrival").fields["name"] == "Pump"


def test_the_header_names_the_first_of_many_objects_and_the_list_all_of_them() -> None:
    rows = [{"Equipment": "7"}, {"Equipment": "000008"}, {"FunctionalLocation": "A-1"}, {"Equipment": "7"}]
    found = event("sap", order(Equipment="7", to_MaintOrderObjectListItem={"results": rows}))

    refs = found.fields["asset_refs"]
    assert isinstance(refs, list)
    assert [each["key"] for each in refs if isinstance(each, dict)] == ["7", "8", "A-1"]


def test_work_is_added_up_in_seconds_and_a_unit_of_no_fixed_length_is_kept_and_doubted() -> None:
    def with_units(*units: str) -> Event:
        rows = [
            {
                "MaintenanceOrderOperation": "0010",
                "MaintOrdOperationWorkDuration": "1.5",
                "MaintOrdOpWorkDurationUnit": unit,
            }
            for unit in units
        ]
        return event("sap", order(to_MaintenanceOrderOperation={"results": rows}))

    assert with_units("H", "MIN").fields["estimated_labor"] == 5490
    doubted = with_units("H", "DAY")
    assert "estimated_labor" not in doubted.fields
    assert codes(doubted) == ["unit_unknown"]
    tasks = doubted.fields["tasks"]
    assert isinstance(tasks, list)
    assert tasks[1] == {
        "sequence": "0010",
        "custom_fields": {"MaintOrdOperationWorkDuration": "1.5", "MaintOrdOpWorkDurationUnit": "DAY"},
    }


def test_an_order_begins_with_its_first_operation_and_ends_once_each_has() -> None:
    def operation(start: str, end: str | None, **more: Any) -> dict[str, Any]:
        times = {"OpActualExecutionStartDateTime": start, "OpActualExecutionEndDateTime": end}
        return {"MaintenanceOrderOperation": "0010", **times, **more}

    first, last = "2026-02-20T08:00:00Z", "2026-02-21T08:00:00Z"
    dropped = operation("2026-01-01T08:00:00Z", None, IsMarkedForDeletion=True)

    def told(*rows: dict[str, Any]) -> tuple[Any, Any]:
        found = event("sap", order(to_MaintenanceOrderOperation={"results": [*rows, dropped]}))
        return found.fields["actual_start_at"], found.fields["actual_end_at"]

    assert told(operation(last, last), operation(first, first)) == (first, last)
    assert told(operation(last, last), operation(first, None)) == (first, None)
