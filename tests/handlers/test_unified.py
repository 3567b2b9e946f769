"""What the `unified` source makes of sound deliveries (contract, section 5)."""

import base64
import gzip
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.events import Action, Delivery, Event, MappingOptions, Unmapped
from handlers.model import MODELS
from handlers.model.types import ACTIONS
from handlers.sources import inflated, load
from handlers.sources.unified import SOURCE, read

SAMPLES = Path(__file__).parents[1] / "samples"
RECEIVED_AT = datetime(2026, 3, 1, 8, 0, 30, tzinfo=UTC)
OPTIONS = MappingOptions()


def delivery(value: bytes | dict[str, Any] | list[Any], headers: dict[str, str] | None = None) -> Delivery:
    """A delivery of these bytes, or of this value as JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Delivery("d-1", "acme", RECEIVED_AT, raw, headers or {})


def body(type_: str = "work_order.updated", data: dict[str, Any] | None = None, **members: Any) -> dict[str, Any]:
    """An event as its sender writes it, with a key where none is given."""
    return {"type": type_, "occurred_at": "2026-03-01T08:00:00Z", "data": {"key": "K-1"} | (data or {})} | members


def one(
    value: bytes | dict[str, Any], options: MappingOptions = OPTIONS, headers: dict[str, str] | None = None
) -> Event:
    """The one event that a delivery comes to."""
    (event,) = read(delivery(value, headers), options)
    assert isinstance(event, Event), event
    return event


def codes(event: Event) -> list[str]:
    return [warning["code"] for warning in event.warnings]


def test_the_contracts_example_is_read_whole() -> None:
    raw = (
        b'{"id": "evt-7", "type": "downtime.started", "occurred_at": "2026-03-01T08:00:00Z", "version": 3,\n'
        b' "data": {"key": "D-1", "asset_key": "PUMP-7", "planned": false, "failure": true, "work_order_key": "WO-9"}}'
    )

    assert one(raw) == Event(
        connection_id="acme",
        index=0,
        event_id="evt-7",
        digest=hashlib.sha256(raw).hexdigest(),
        type="downtime.started",
        action=Action.STARTED,
        kind="downtime",
        key="D-1",
        occurred_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
        version=3,
        fields={
            "asset_ref": {"key": "PUMP-7", "label": None},
            "planned": False,
            "failure": True,
            "work_order_ref": {"key": "WO-9", "label": None},
        },
    )


def test_it_is_on_the_shelf_under_its_name() -> None:
    assert load()["unified"] is SOURCE
    assert SOURCE.default_scheme == "makini"


@pytest.mark.parametrize("type_", sorted(ACTIONS))
def test_every_type_of_the_language_is_read(type_: str) -> None:
    event = one(body(type_, {"status": "down"} if type_ == "asset.status_changed" else None))

    assert type_ == event.type
    assert ACTIONS[type_] == event.action


def test_every_action_is_named_as_its_verb_except_where_two_words_mean_one() -> None:
    different = {type_: action for type_, action in ACTIONS.items() if type_.split(".")[1] != action}

    assert different == {
        "downtime.voided": Action.DELETED,
        "meter.reset": Action.RECORDED,
        "connection.online": Action.REPORTED,
        "connection.offline": Action.REPORTED,
        "connection.auth_required": Action.REPORTED,
        "connection.status_changed": Action.REPORTED,
        "sync.completed": Action.REPORTED,
        "sync.failed": Action.REPORTED,
        "system.error": Action.REPORTED,
    }


@pytest.mark.parametrize("type_", ["work_order.exploded", "invoice.paid", "ping", "a.b.c"])
def test_an_unknown_type_is_an_event_too_whose_fields_pass_unvalidated(type_: str) -> None:
    event = one(body(type_, {"status": 7, "asset_ref": [1.25]}))

    kind, _, _ = type_.partition(".")
    assert (event.type, event.action, event.kind, event.key) == (type_, Action.UPDATED, kind, "K-1")
    assert event.fields == {"status": 7, "asset_ref": ["1.25"]}


@pytest.mark.parametrize("kind", ["purchase_order", "inventory_item", "vendor", "pm_plan", "meter"])
def test_fields_of_every_kind_are_read_by_its_model(kind: str) -> None:
    event = one(body(f"{kind}.updated", {"number": 17, "shift": 0.10}))

    assert kind == event.kind
    assert (event.fields, event.custom_fields) == ({"number": "17"}, {"shift": "0.1"})


@pytest.mark.parametrize(("told", "meter"), [({"meter_key": "M-1"}, "M-1"), ({}, "D-1")])
def test_a_reset_is_about_the_meter_that_it_names_and_makes_no_other(told: dict[str, Any], meter: str) -> None:
    event = one(body("meter.reset", {"key": "D-1", **told}))

    assert (event.kind, event.key) == ("meter", meter)


@pytest.mark.parametrize("type_", ["meter_reading.recorded", "meter.reset"])
def test_a_reset_states_what_a_reading_does(type_: str) -> None:
    told = {"meter_key": "M-1", "value": 0.0, "unit": "h", "read_at": "2026-03-01T09:00:00+01:00"}

    event = one(body(type_, told))

    assert event.fields == {
        "meter_ref": {"key": "M-1", "label": None},
        "value": "0.0",
        "unit": "h",
        "read_at": "2026-03-01T08:00:00Z",
    }


@pytest.mark.parametrize("type_", ["connection.online", "sync.failed", "system.error", "sync.begun"])
@pytest.mark.parametrize("data", [{}, {"data": {}}, {"data": None}, {"data": {"key": "own", "message": "no route"}}])
def test_an_operational_event_is_about_its_connection(type_: str, data: dict[str, Any]) -> None:
    event = one({"type": type_, "occurred_at": "2026-03-01T08:00:00Z"} | data)

    assert (event.kind, event.key) == ("connection", "acme")
    assert event.fields == (data.get("data") or {})


@pytest.mark.parametrize(
    ("verb", "status"), [("completed", "completed"), ("reopened", "in_progress"), ("cancelled", "cancelled")]
)
def test_a_verb_implies_its_status_unless_a_known_one_is_stated(verb: str, status: str) -> None:
    implied = {"value": status, "source_code": None, "source_label": None}
    assert one(body(f"work_order.{verb}")).fields == {"status": implied}
    assert one(body(f"work_order.{verb}", {"status": None})).fields == {"status": implied}

    stated = one(body(f"work_order.{verb}", {"status": "closed"}))
    assert stated.fields["status"] == {"value": "closed", "source_code": "closed", "source_label": None}

    unknown = one(body(f"work_order.{verb}", {"status": "ZZ"}))
    assert unknown.fields["status"] == {"value": status, "source_code": "ZZ", "source_label": None}
    assert codes(unknown) == ["status_unmapped"]


def test_nothing_is_made_up_from_the_time_of_the_event() -> None:
    assert one(body("downtime.started")).fields == {}
    assert one(body("downtime.ended")).fields == {}
    assert set(one(body("work_order.completed")).fields) == {"status"}


@pytest.mark.parametrize(
    ("word", "kept"),
    [("up", "operating"), ("down", "down"), ("down_planned", "maintenance"), ("standby", "standby")],
)
def test_an_assets_status_is_kept_in_the_words_of_the_model(word: str, kept: str) -> None:
    event = one(body("asset.status_changed", {"status": word}))

    assert event.action == Action.STATUS_CHANGED
    assert event.fields == {"status": {"value": kept, "source_code": word, "source_label": None}}


def test_null_clears_and_absent_touches_nothing() -> None:
    event = one(body(data={"title": None, "priority": None, "asset_key": None, "cost_center": None}))

    assert event.fields == {"title": None, "priority": None, "asset_ref": None}
    assert event.custom_fields == {"cost_center": None}


def test_what_the_model_does_not_list_is_a_custom_field_with_exact_numbers() -> None:
    raw = (
        b'{"type":"work_order.updated","occurred_at":"2026-03-01T08:00:00Z","data":{"key":"K-1","hours":1.10,'
        b'"big":123456789012345678901234567890,"odd":{"a.b":[1E2,true,null]},"custom_fields":{"x":0.1,"n":9}}}'
    )

    assert one(raw).custom_fields == {
        "hours": "1.10",
        "big": "123456789012345678901234567890",
        "odd": {"a.b": ["100", True, None]},
        "x": "0.1",
        "n": 9,
    }


def test_an_array_is_an_event_an_element_and_a_bad_element_stops_none_of_its_siblings() -> None:
    elements = [body(data={"key": "A"}), body(data={"key": ""}), 7, body(data={"key": "B"})]

    first, second, third, fourth = read(delivery(elements), OPTIONS)

    assert isinstance(first, Event)
    assert isinstance(second, Unmapped)
    assert isinstance(third, Unmapped)
    assert isinstance(fourth, Event)
    assert [(each.key, each.index) for each in (first, fourth)] == [("A", 0), ("B", 3)]
    assert [(each.index, each.error.path) for each in (second, third)] == [(1, "$[1].data.key"), (2, "$[2]")]


def test_an_empty_array_says_nothing() -> None:
    assert read(delivery(b" [ ] "), OPTIONS) == []


def test_a_thousand_events_are_read_and_one_more_is_refused_whole() -> None:
    assert len(read(delivery([body()] * 1000), OPTIONS)) == 1000

    (refused,) = read(delivery([body()] * 1001), OPTIONS)

    assert isinstance(refused, Unmapped)
    assert (refused.index, refused.error.code, refused.error.path) == (-1, "too_many_events", "$")


def test_the_digest_is_of_the_events_own_bytes_however_it_was_delivered() -> None:
    own = b'{"type": "asset.updated" , "occurred_at":"2026-03-01T08:00:00Z","data":{"key":"A"}}'
    expected = hashlib.sha256(own).hexdigest()

    assert expected == one(own).digest
    assert expected == one(b"\r\n\t " + own + b" \n").digest
    assert expected == one(gzip.compress(own)).digest
    assert [expected, expected] == [each.digest for each in read(delivery(b"[ " + own + b" ,\n" + own + b"]"), OPTIONS)]


@pytest.mark.parametrize(
    "header",
    ["webhook-id", "svix-id", "x-webhook-id", "x-github-delivery", "x-shopify-webhook-id", "idempotency-key"],
)
def test_without_an_id_in_the_body_a_headers_id_and_the_index_serve(header: str) -> None:
    events = read(delivery([body(), body(id="own"), body(id=None), body(id="")], {header: "msg_1"}), OPTIONS)

    ids = [event.event_id for event in events if isinstance(event, Event)]
    assert ids == ["msg_1#0", "own", "msg_1#2", "msg_1#3"]


@pytest.mark.parametrize("headers", [{}, {"webhook-id": " "}, {"webhook-id": "x" * 513}, {"x-request-id": "7"}])
def test_without_any_id_the_digest_stands_in(headers: dict[str, str]) -> None:
    event = one(body(), headers=headers)

    assert event.digest == event.event_id


def test_an_integer_serves_as_an_id_and_as_a_key() -> None:
    event = one(body(data={"key": 42, "asset_key": -7}, id=18446744073709551616))

    assert (event.event_id, event.key) == ("18446744073709551616", "42")
    assert event.fields == {"asset_ref": {"key": "-7", "label": None}}


@pytest.mark.parametrize("version", [-(2**63), 0, 2**63 - 1, None])
def test_a_version_is_any_signed_64_bit_integer(version: int | None) -> None:
    assert one(body(version=version)).version == version


def test_keys_may_have_512_bytes() -> None:
    for key in ("x" * 512, "ä" * 256, " ", "a/b?c"):
        assert one(body(data={"key": key})).key == key


def test_nul_becomes_the_replacement_character_with_a_warning() -> None:
    event = one(body(data={"key": "K\0", "title": "a\0b", "x\0": {"y\0": "z\0"}}, id="e\0"))

    assert (event.key, event.event_id) == ("K�", "e�")
    assert (event.fields, event.custom_fields) == ({"title": "a�b"}, {"x�": {"y�": "z�"}})
    assert {"nul_replaced"} == set(codes(event))
    assert {"code": "nul_replaced", "path": "$.data.title"}.items() <= event.warnings[2].items()


def test_a_backslash_before_u0000_is_no_nul() -> None:
    event = one(body(data={"title": "a\\u0000"}))

    assert (event.fields, event.warnings) == ({"title": "a\\u0000"}, ())


def test_the_last_of_duplicate_members_wins() -> None:
    event = one(
        b'{"type":"asset.deleted","type":"asset.updated","occurred_at":"2026-03-01T08:00:00Z",'
        b'"data":{"key":"X"},"data":{"key":"A","key":"B","name":"n","name":"m"}}'
    )

    assert (event.type, event.key, event.fields) == ("asset.updated", "B", {"name": "m"})


def test_warnings_do_not_know_where_in_a_delivery_their_event_stood() -> None:
    """A record must come out the same however its events were batched."""
    stated = body(data={"status": "ZZ"})

    _, second = read(delivery([stated, stated]), OPTIONS)

    assert isinstance(second, Event)
    assert one(stated).warnings == second.warnings
    assert second.warnings[0]["path"] == "$.data.status"


def test_no_more_than_a_hundred_warnings_are_kept() -> None:
    event = one(body(data={"tags": ["\0"] * 200}))

    assert len(event.warnings) == 100
    assert event.warnings[-1]["code"] == "more_warnings"


def test_a_time_without_a_zone_is_of_the_site_then_of_the_connection() -> None:
    options = MappingOptions(time_zone="Europe/Berlin", site_zones={"PERTH": "Australia/Perth"})
    local = "2026-03-01T08:00:00"

    for site, hour in (
        ({}, 7),
        ({"site_key": "X"}, 7),
        ({"site_key": "PERTH"}, 0),
        ({"site_ref": {"key": "PERTH"}}, 0),
    ):
        event = one(body(data={"due_at": local, **site}, occurred_at=local), options)
        assert (event.occurred_at.hour, event.fields["due_at"]) == (hour, f"2026-03-01T{hour:02d}:00:00Z")


def test_an_event_five_minutes_ahead_of_its_reception_is_still_read() -> None:
    assert one(body(occurred_at="2026-03-01T08:05:30Z")).occurred_at > RECEIVED_AT


CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "7",
    "source": "/plants/1",
    "type": "com.acme.work_order.completed",
    "time": "2026-03-01T08:00:00Z",
    "subject": "WO-1",
}


@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": {}}, {"data": {"key": None}}])
def test_a_cloud_event_is_read(data: dict[str, Any]) -> None:
    event = one(CLOUD_EVENT | data)

    assert (event.event_id, event.type, event.key) == ("/plants/1 7", "work_order.completed", "WO-1")
    assert event.occurred_at == datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_a_cloud_event_may_state_its_key_version_and_our_plain_type() -> None:
    event = one(CLOUD_EVENT | {"type": "asset.updated", "version": 4, "data": {"key": "A-1", "name": "Pump"}})

    assert (event.type, event.key, event.version, event.fields) == ("asset.updated", "A-1", 4, {"name": "Pump"})


def test_a_cloud_event_of_a_foreign_type_keeps_its_type() -> None:
    assert one(CLOUD_EVENT | {"type": "com.acme.invoice.paid"}).type == "com.acme.invoice.paid"


def test_a_cloud_event_about_the_connection_needs_neither_subject_nor_data() -> None:
    stated = {name: value for name, value in CLOUD_EVENT.items() if name != "subject"}

    event = one(stated | {"type": "io.makini.sync.completed"})

    assert (event.type, event.kind, event.key) == ("sync.completed", "connection", "acme")


def test_a_caller_may_inflate_within_its_own_limit() -> None:
    raw = json.dumps(body()).encode()
    plain, packed = delivery(raw), delivery(gzip.compress(raw))

    assert inflated(plain, 1) is plain
    assert inflated(packed, len(raw)) == plain
    refused = inflated(packed, len(raw) - 1)
    assert isinstance(refused, Unmapped)
    assert (refused.index, refused.error.code) == (-1, "too_large")
    assert refused.digest == hashlib.sha256(packed.body).hexdigest()


def test_a_gzip_stream_of_several_members_is_one_body() -> None:
    raw = json.dumps(body()).encode()

    assert one(gzip.compress(raw[:9]) + gzip.compress(raw[9:])).key == "K-1"


@pytest.mark.parametrize(("name", "lines"), [("lanl_s20", 9912), ("excavators", 5484)])
def test_the_real_streams_are_read_without_a_refusal_or_a_doubt(name: str, lines: int) -> None:
    bodies = (SAMPLES / f"{name}.jsonl").read_bytes().splitlines()

    events = [one(each) for each in bodies]

    assert lines == len(events)
    assert [event for event in events if event.warnings or event.custom_fields] == []
    stated = {(event.kind, event.type.split(".")[1]) for event in events}
    assert stated <= {tuple(type_.split(".")) for type_ in ACTIONS}
    assert {event.kind for event in events} <= set(MODELS)


def test_costs_of_the_real_stream_are_exact_to_the_last_zero() -> None:
    first = (SAMPLES / "excavators.jsonl").read_bytes().splitlines()[0]

    assert one(first).fields["costs"] == {"total": {"actual": {"amount": "6169.05", "currency": "AUD"}}}


def test_base64_data_of_a_cloud_event_is_refused_not_overlooked() -> None:
    stated = CLOUD_EVENT | {"data_base64": base64.b64encode(b"{}").decode()}

    (refused,) = read(delivery(stated), OPTIONS)

    assert isinstance(refused, Unmapped)
    assert (refused.error.code, refused.error.path) == ("missing_field", "$.data")
