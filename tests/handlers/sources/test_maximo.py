"""The traps of Maximo, each met in a real record or table; `handlers.sources.maximo` cites them."""

from typing import Any

import pytest

from handlers.events import Event
from tests.handlers.sources.reading import event, read, refusal


def work_order(**columns: Any) -> dict[str, Any]:
    return {"wonum": "1", "siteid": "B", "changedate": "2026-03-01T08:00:00-05:00", **columns}


def asset(**columns: Any) -> dict[str, Any]:
    return {"assetnum": "7", "siteid": "B", "changedate": "2026-03-01T08:00:00-05:00", **columns}


def order(**columns: Any) -> dict[str, Any]:
    return {"ponum": "1", "siteid": "B", "changedate": "2026-03-01T08:00:00-05:00", "_rowstamp": "9", **columns}


def status(found: Event) -> Any:
    told = found.fields["status"]
    assert isinstance(told, dict)
    return told["value"]


def test_a_number_alone_is_no_key_and_zeros_and_case_count() -> None:
    keys = {event("maximo", work_order(wonum=number, siteid=site)).key for number in ("0001", "1") for site in "BC"}

    assert keys == {"B/0001", "B/1", "C/0001", "C/1"}
    assert refusal("maximo", {"wonum": "1"}).error.path == "$.siteid"


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ({"status": "APPR S1", "status_maxvalue": "APPR"}, "approved"),
        ({"status": "WSCH", "status_maxvalue": "APPR"}, "approved"),
        ({"status": "WPCOND", "status_maxvalue": "APPR"}, "on_hold"),
        ({"status": "COMP"}, "completed"),
        ({"status": "HISTEDIT"}, "closed"),
        ({"status": "INPROG"}, "unknown"),
        ({"status": "WAITASGN"}, "unknown"),
    ],
)
def test_a_synonym_is_read_by_its_internal_value_and_an_unknown_word_never_guessed(
    columns: dict[str, Any], value: str
) -> None:
    found = event("maximo", work_order(**columns))

    assert status(found) == value
    assert (value == "unknown") == ("status_unmapped" in {each["code"] for each in found.warnings})


def test_the_connections_map_comes_before_ours_by_code_or_by_internal_value() -> None:
    columns = work_order(status="WAITASGN", status_maxvalue="WSCH")

    assert status(event("maximo", columns, status_map={"WAITASGN": "in_progress"})) == "in_progress"
    assert status(event("maximo", columns, status_map={"WSCH": "scheduled"})) == "scheduled"


def test_a_ticket_is_in_progress_with_an_o_and_an_order_without() -> None:
    ticket = {"ticketid": "9", "class": "SR", "status": "INPROG", "changedate": "2026-03-01T08:00:00Z"}

    assert status(event("maximo", ticket)) == "in_progress"
    assert status(event("maximo", work_order(status="INPRG"))) == "in_progress"
    assert event("maximo", ticket).fields["record_kind"] == "request"


def test_downtime_on_an_order_asks_for_it_and_tells_of_none() -> None:
    found = event("maximo", work_order(downtime=True, status="INPRG"))

    assert found.fields["requires_downtime"] is True
    assert "asset_down" not in found.fields


def test_a_priority_is_null_until_the_connection_says_which_way_it_runs() -> None:
    assert event("maximo", work_order(wopriority=1)).fields["priority"] == {
        "value": None,
        "source_code": "1",
        "source_label": None,
    }
    found = event("maximo", work_order(wopriority=1), priority_map={"1": "low"})
    assert isinstance(found.fields["priority"], dict)
    assert found.fields["priority"]["value"] == "low"


@pytest.mark.parametrize(
    ("location", "reference"),
    [
        ("X1", {"key": "B/X1", "label": None}),
        ({"location": "X1", "description": "Hall"}, {"key": "B/X1", "label": None}),
        ({}, None),
        ("", None),
        ("~NULL~", None),
    ],
)
def test_a_location_is_a_text_or_an_object_or_an_empty_one(location: Any, reference: Any) -> None:
    assert event("maximo", work_order(location=location)).fields["location_ref"] == reference


def test_a_changed_only_record_blanks_nothing_and_a_whole_one_clears_what_it_lacks() -> None:
    changed = event("maximo", work_order(status="COMP"))
    whole = event("maximo", work_order(status="COMP", workorderid=5))

    assert not changed.full
    assert not {"title", "priority", "asset_ref"} & changed.fields.keys()
    assert whole.full
    assert {"title", "priority", "asset_ref"} <= set(whole.full_fields)


def test_the_highest_revision_of_an_order_counts_whatever_its_row_stamp() -> None:
    old = event("maximo", order(revisionnum=0, status="REVISD", _rowstamp="900000"))
    new = event("maximo", order(revisionnum=1, status="APPR", _rowstamp="5"))

    assert old.key == new.key
    assert old.version is not None
    assert new.version is not None
    assert old.version < new.version
    assert (old.fields["superseded"], new.fields["superseded"]) == (True, False)


@pytest.mark.parametrize(
    ("receipts", "value"), [("NONE", "approved"), ("PARTIAL", "in_progress"), ("COMPLETE", "completed")]
)
def test_what_was_received_says_how_far_an_approved_order_is(receipts: str, value: str) -> None:
    assert status(event("maximo", order(status="APPR", receipts=receipts))) == value


def test_an_order_closed_with_nothing_received_stays_closed_and_is_doubted() -> None:
    found = event("maximo", order(status="CLOSE", receipts="NONE"))

    assert status(found) == "closed"
    assert [each["code"] for each in found.warnings] == ["closed_unreceived"]


def test_taxes_are_added_up_exactly() -> None:
    body = b'{"ponum":"1","siteid":"B","_rowstamp":"9","currencycode":"USD","totaltax1":0.1,"totaltax2":0.2}'

    assert event("maximo", body).fields["tax_total"] == {"amount": "0.3", "currency": "USD"}


@pytest.mark.parametrize(("reading", "field"), [("1/16", "value_text"), ("RED", "value_text"), ("12.50", "value")])
def test_a_reading_that_is_no_number_is_kept_as_text(reading: str, field: str) -> None:
    row = {"metername": "M", "lastreading": reading, "lastreadingdate": "2026-03-01T08:00:00Z"}
    _, found = read("maximo", asset(assetmeter=[row]))

    assert isinstance(found, Event)
    assert found.fields[field] == reading
    assert len({"value", "value_text"} & found.fields.keys()) == 1


def test_a_reading_told_by_its_meter_and_by_itself_is_one_reading() -> None:
    last = {"metername": "M", "lastreading": "5", "lastreadingdate": "2026-03-01T08:00:00Z"}
    alone = {"metername": "M", "reading": 5, "readingdate": "2026-03-01T09:00:00+01:00", "assetnum": "7", "siteid": "B"}
    _, told = read("maximo", asset(assetmeter=[last]))

    assert isinstance(told, Event)
    assert told.key == event("maximo", alone).key


def test_running_and_status_are_told_apart() -> None:
    found = event("maximo", asset(status="NOT READY", isrunning=True))

    assert (status(found), found.fields["is_up"]) == ("not_in_service", True)


def test_stops_are_edges_by_their_own_time_and_out_of_hours_they_are_planned() -> None:
    rows = [
        {"changedate": "2026-02-20T08:00:00-05:00", "isrunning": False, "code": "BRKDWN"},
        {"changedate": "2026-02-20T10:00:00-05:00", "isrunning": True, "downtime": 2},
        {"changedate": "2026-02-21T10:00:00-05:00", "isrunning": False, "operational": False},
    ]
    _, *edges = read("maximo", asset(assetstatus=rows))

    told = [(each.type, status(each), each.version) for each in edges if isinstance(each, Event)]
    assert told == [("asset.status_changed", word, None) for word in ("down", "operating", "maintenance")]


def test_a_date_at_midnight_is_the_date_as_it_is_written() -> None:
    assert event("maximo", asset(installdate="2001-12-12T00:00:00+08:00")).fields["installed_date"] == "2001-12-12"


def test_offsets_that_are_no_whole_hours_count() -> None:
    found = event("maximo", work_order(schedstart="2020-10-22T11:38:20+05:20"))

    assert found.fields["scheduled_start_at"] == "2020-10-22T06:18:20Z"


def test_a_step_of_an_order_is_no_order_and_asks_for_its_parent() -> None:
    found = event("maximo", work_order(wonum="2", parent="1", istask=True, status="COMP"))

    assert (found.key, found.thin) == ("B/1", True)
    assert "status" not in found.fields


def test_an_address_with_an_email_for_a_country_is_told_apart() -> None:
    found = event(
        "maximo", {"company": "A", "orgid": "O", "address1": "x", "address5": "a@b.example", "_rowstamp": "1"}
    )

    assert found.fields["emails"] == ["a@b.example"]
    assert found.fields["addresses"] == [
        {"kind": "main", "lines": ["x"], "city": None, "region": None, "postcode": None, "country": None}
    ]


def test_a_wrong_type_is_told_with_the_columns_own_name_in_both_shapes() -> None:
    lean = refusal("maximo", {"member": [work_order(estdur=[])]})
    prefixed = refusal(
        "maximo", {"rdfs:member": [{f"spi:{name}": value for name, value in work_order(estdur=[]).items()}]}
    )

    assert (lean.error.path, lean.error.found) == ("$.member[0].estdur", "array")
    assert prefixed.error.path == '$["rdfs:member"][0]["spi:estdur"]'
    refused_by_model = refusal(
        "maximo", [{"spi:wonum": "1", "spi:siteid": "B", "spi:description": 1.5, "_rowstamp": "1"}]
    )
    assert refused_by_model.error.path == '$[0]["spi:description"]'
