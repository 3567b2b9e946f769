"""A system that nobody coded: the map of its connection alone says how it is read."""

import random
import re
from typing import Any

import msgspec
import pytest

from handlers.connections.parsing import parse
from handlers.events import Delivery, Event, MappingOptions, Reading, Unmapped
from handlers.sources import fingerprint, generic, load
from tests.fuzz.mutations import damaged, damaged_json
from tests.handlers.sources.reading import RECEIVED

DOCUMENTED = re.search(r"```toml\n(.*?)```", str(generic.__doc__), re.DOTALL)
CALLS = 500
ITEM = {
    "werk": "W1",
    "nummer": 7,
    "event": "geaendert",
    "ereignis": "e-1",
    "geaendert_am": "01.07.2026 10:00",
    "titel": "Riemen",
    "status": "OFFEN",
    "maschine": {"id": 12, "name": "Presse", "halle": "3"},
    "faellig": "00.00.0000 00:00",
    "dauer": "1.5",
    "art": "W",
    "teile": [{"nr": "A-1", "menge": "2.50", "lager": "X"}],
    "farbe": "rot",
}
BODY = {"data": {"items": [ITEM]}, "sent": 1}
LATER = RECEIVED.replace(month=8)


def options(text: str) -> MappingOptions:
    """Of the one connection of a registry."""
    (connection,) = parse(text, "connections.toml", load()).connections.values()
    return connection.options


def documented() -> MappingOptions:
    assert DOCUMENTED is not None
    return options(DOCUMENTED[1])


def mapped(lines: str, *, fields: str = 'title = "/title"', kind: str = "work_order", more: str = "") -> MappingOptions:
    return options(
        f'[connections.a]\nsource = "generic"\nsecrets = [{{ ref = "env:A" }}]\n{more}\n[connections.a.map]\n'
        f'type = "{kind}.updated"\nkey = "/id"\noccurred_at = "/at"\n{lines}\n'
        f"[connections.a.map.fields.{kind}]\n{fields}\n"
    )


def read(body: Any, by: MappingOptions, headers: dict[str, str] | None = None) -> Reading:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return load()["generic"].read(Delivery("d-1", "a", LATER, raw, headers or {}), by)


def told(body: Any, by: MappingOptions, headers: dict[str, str] | None = None) -> Event:
    (found,) = read(body, by, headers)
    assert isinstance(found, Event), found.error
    return found


def refused(body: Any, by: MappingOptions) -> Unmapped:
    (found,) = read(body, by)
    assert isinstance(found, Unmapped), found
    return found


def one(**members: Any) -> dict[str, Any]:
    return {"id": 1, "at": "2026-03-01T08:00:00Z", **members}


def test_the_map_of_the_documentation_reads_what_it_says() -> None:
    found = told(BODY, documented())

    assert (found.type, found.key, found.event_id) == ("work_order.updated", "W1/7", "e-1")
    assert found.occurred_at.isoformat() == "2026-07-01T08:00:00+00:00"
    assert found.fields == {
        "title": "Riemen",
        "status": {"value": "approved", "source_code": "OFFEN", "source_label": None},
        "asset_ref": {"key": "12", "label": "Presse"},
        "due_at": None,
        "estimated_duration": 5400,
        "type": "preventive",
        "record_kind": "order",
        "parts": [
            {
                "item_ref": {"key": "A-1", "label": None},
                "used_qty": {"value": "2.50", "unit": None},
                "custom_fields": {"lager": "X"},
            }
        ],
    }
    assert found.custom_fields == {"maschine": {"halle": "3"}, "farbe": "rot"}
    assert found.warnings == ()


def test_what_neither_words_nor_maps_know_is_unknown_and_never_guessed() -> None:
    found = told({"data": {"items": [ITEM | {"status": "WEG", "art": "Q"}]}}, documented())

    assert found.fields["status"] == {"value": "unknown", "source_code": "WEG", "source_label": None}
    assert found.fields["type"] == "unknown"
    assert {each["code"] for each in found.warnings} == {"status_unmapped", "word_unmapped"}


def test_an_event_of_a_word_that_the_map_lacks_is_kept_and_ignored() -> None:
    found = told({"data": {"items": [ITEM | {"event": "geprüft"}]}}, documented())

    assert (found.type, found.kind, found.thin) == ("generic.geprüft", "generic", False)


@pytest.mark.parametrize(
    ("spec", "value", "kept"),
    [
        ('title = "/a/b~1c"', {"a": {"b/c": "x"}}, ("title", "x")),
        ('title = "/a/1"', {"a": ["x", "y"]}, ("title", "y")),
        ('title = "/a/b"', {"a": None}, ("title", None)),
        ('due_at = { at = "/a", as = "epoch_seconds" }', {"a": 60}, ("due_at", "1970-01-01T00:01:00Z")),
        ('due_at = { at = "/a", as = "epoch_milliseconds" }', {"a": 60_000}, ("due_at", "1970-01-01T00:01:00Z")),
        ('due_at = "/a"', {"a": "2026-07-01T10:00:00"}, ("due_at", "2026-07-01T08:00:00Z")),
        ('due_at = { at = "/a", as = "%Y%m%d%H%M%z" }', {"a": "202607011000-0500"}, ("due_at", "2026-07-01T15:00:00Z")),
        ('due_date = "/a"', {"a": "2026-07-01T23:59:00-11:00"}, ("due_date", "2026-07-01")),
        ('due_date = { at = "/a", as = "%d/%m/%y" }', {"a": "05/06/26"}, ("due_date", "2026-06-05")),
        ('requested_at = "/a"', {"a": "2026-07-01"}, ("requested_at", "2026-07-01")),
        ('requested_at = { at = "/a", as = "%d.%m.%Y" }', {"a": "1.7.2026"}, ("requested_at", "2026-07-01")),
        ('actual_duration = { at = "/a", as = "minutes" }', {"a": 90}, ("actual_duration", 5400)),
        ('asset_down = { at = "/a", words = { J = true, N = false } }', {"a": "N"}, ("asset_down", False)),
        ('asset_key = "/a"', {"a": 12}, ("asset_ref", {"key": "12", "label": None})),
        ('failure.cause = "/a"', {"a": "C1"}, ("failure", {"cause": {"code": "C1", "group": None, "label": None}})),
        ('"failure.cause" = "/a"', {"a": "C1"}, ("failure", {"cause": {"code": "C1", "group": None, "label": None}})),
        (
            'costs.total.actual = { amount = "/a", currency = "/b" }',
            {"a": 5, "b": "EUR"},
            ("costs", {"total": {"actual": {"amount": "5", "currency": "EUR"}}}),
        ),
        ('title = { constant = "x" }', {}, ("title", "x")),
    ],
)
def test_a_field_is_read_as_the_map_says(spec: str, value: dict[str, Any], kept: tuple[str, Any]) -> None:
    found = told(one(**value), mapped("", fields=spec, more='time_zone = "Europe/Berlin"'))

    assert found.fields[kept[0]] == kept[1]
    assert found.custom_fields == {name: each for name, each in value.items() if isinstance(each, list)}


def test_a_status_table_of_its_own_and_a_label_keep_the_senders_words() -> None:
    fields = 'status = { at = "/s", words = { 1 = "down" }, label = "/t" }'

    found = told(one(s=1, t="Störung"), mapped("", fields=fields, kind="asset"))

    assert found.fields["status"] == {"value": "down", "source_code": "1", "source_label": "Störung"}


def test_money_is_in_the_currency_that_the_payload_names() -> None:
    by = mapped('currency = "/cur"', fields='total = { at = "/sum", as = "cents" }', kind="purchase_order")

    assert told(one(sum=1899, cur="CHF"), by).fields["total"] == {"amount": "18.99", "currency": "CHF"}
    assert [each["code"] for each in told(one(sum=1899), by).warnings] == ["currency_missing"]


def test_full_clears_what_is_absent_and_partial_touches_it_not() -> None:
    fields = 'title = "/title"\ndue_at = "/due"'

    full, partial = (told(one(title="x"), mapped(more, fields=fields)) for more in ('completeness = "full"', ""))

    assert (full.full, full.full_fields) == (True, ("title", "due_at"))
    assert (partial.full, "due_at" in partial.fields) == (False, False)


def test_thin_events_and_whole_versions() -> None:
    thin = told(one(), mapped('completeness = "thin"'))
    versioned = told(one(v="12"), mapped('version = "/v"'))
    bad = refused(one(v=1.5), mapped('version = "/v"'))

    assert (thin.thin, versioned.version) == (True, 12)
    assert (bad.error.code, bad.error.path) == ("malformed_value", "$.v")


def test_a_name_beside_the_elements_or_in_a_header_tells_equal_bytes_apart() -> None:
    type_ = 'words = { new = "asset.created", gone = "asset.deleted" }'
    text = (
        '[connections.a]\nsource = "generic"\nsecrets = [{ ref = "env:A" }]\n[connections.a.map]\nelements = "/rows"\n'
        'key = "/id"\noccurred_at = "/at"\n%s\n[connections.a.map.fields.asset]\nname = "/name"\n'
    )
    beside = options(text % f'type = {{ beside = "/event", {type_} }}')
    header = options(text % f'type = {{ header = "X-Webhook-Event", {type_} }}')

    by_envelope = [told({"event": name, "rows": [one()]}, beside) for name in ("new", "gone")]
    by_header = [told({"rows": [one()]}, header, {"x-webhook-event": name}) for name in ("new", "gone")]

    for found in (by_envelope, by_header):
        assert [each.type for each in found] == ["asset.created", "asset.deleted"]
        assert found[0].digest == found[1].digest
        assert found[0].event_id != found[1].event_id


def test_kinds_may_have_keys_of_their_own() -> None:
    by = options(
        '[connections.a]\nsource = "generic"\nsecrets = [{ ref = "env:A" }]\norder = "arrival"\n[connections.a.map]\n'
        'type = { at = "/t", words = { w = "work_order.updated", a = "asset.updated" } }\n'
        'key = { work_order = ["/site", "/no"], asset = "/tag" }\n'
        '[connections.a.map.fields]\nwork_order = { title = "/n" }\nasset = { name = "/n" }\n'
    )

    found = read([{"t": "w", "site": "A/B", "no": 1, "n": "x"}, {"t": "a", "tag": "P-7"}, {"t": "a"}], by)

    assert [each.key for each in found if isinstance(each, Event)] == ["A%2FB/1", "P-7"]
    assert isinstance(found[2], Unmapped)
    assert (found[2].error.code, found[2].error.path) == ("missing_field", "$[2].tag")


@pytest.mark.parametrize(
    ("members", "fields", "code", "path"),
    [
        ({"a": {"due": 7}}, 'due_at = "/a/due"', "wrong_type", "$.a.due"),
        ({"a": {"h": "x"}}, 'actual_duration = { at = "/a/h", as = "hours" }', "malformed_value", "$.a.h"),
        ({"d": "31.02.2026"}, 'due_date = { at = "/d", as = "%d.%m.%Y" }', "malformed_value", "$.d"),
        ({"d": 5}, 'due_date = { at = "/d", as = "%d.%m.%Y" }', "wrong_type", "$.d"),
        (
            {"p": [{"q": 1}, {"q": "x"}]},
            'parts = { each = "/p", fields = { used_qty = "/q" } }',
            *("malformed_value", "$.p[1].q"),
        ),
        ({"p": 1}, 'parts = { each = "/p", fields = { used_qty = "/q" } }', "wrong_type", "$.p"),
        ({"p": [1]}, 'parts = { each = "/p", fields = { used_qty = "/q" } }', "wrong_type", "$.p[0]"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_place_in_the_payload(
    members: dict[str, Any], fields: str, code: str, path: str
) -> None:
    error = refused(one(**members), mapped("", fields=fields)).error

    assert (error.code, error.path) == (code, path)


def test_a_time_without_a_zone_has_no_order_until_the_connection_has_one() -> None:
    found = refused({"id": 1, "at": "2026-03-01T08:00:00"}, mapped(""))

    assert (found.error.code, found.error.path) == ("missing_time_zone", "$.at")


def test_without_a_map_nothing_is_read_and_the_mend_is_told() -> None:
    error = refused(one(), MappingOptions()).error

    assert error.code == "map_missing"
    assert "[connections.ID.map]" in str(error)


def test_another_map_is_another_fingerprint() -> None:
    source = load()["generic"]

    same = [
        fingerprint(source, mapped("", fields=fields)) for fields in ('title = "/a"', 'title = "/a"', 'title = "/b"')
    ]

    assert same[0] == same[1] != same[2]


def test_whatever_is_sent_is_read_or_refused() -> None:
    chance, by = random.Random(7), documented()
    sound = msgspec.json.encode({"data": {"items": [ITEM, ITEM | {"nummer": 8}]}})
    ends = {Event: 0, Unmapped: 0}
    for number in range(CALLS):
        body = (damaged_json if number % 4 else damaged)(sound, chance)
        for item in read(body, by):
            ends[type(item)] += 1
            if isinstance(item, Unmapped):
                assert item.error.code != "map_failed", (item.error, body)
                assert item.error.path
            else:
                msgspec.json.encode(item)
    assert min(ends.values()) > 0


def test_a_reset_is_about_the_meter_that_it_names() -> None:
    by = options(
        '[connections.a]\nsource = "generic"\nsecrets = [{ ref = "env:A" }]\n[connections.a.map]\n'
        'type = "meter.reset"\nkey = "/id"\noccurred_at = "/at"\n'
        '[connections.a.map.fields.meter_reading]\nmeter_ref = "/meter"\nvalue = "/value"\n'
    )
    body = {"id": "reset-9", "meter": "M-1", "value": "0", "at": "2026-07-01T10:00:00Z"}

    (event,) = read(body, by)

    assert isinstance(event, Event)
    assert (event.type, event.kind, event.key) == ("meter.reset", "meter", "M-1")
