"""What the `unified` source refuses: each with code, path, the type that was found, and what was expected."""

import gc
import gzip
import hashlib
import json
import weakref
from typing import Any

import pytest

from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Event, MappingOptions, Unmapped
from handlers.sources import _bodies
from handlers.sources.unified import read
from tests.handlers.test_unified import OPTIONS, body, delivery, one

SOUND = json.dumps(body()).encode()


def refusal(value: bytes | dict[str, Any] | list[Any], options: MappingOptions = OPTIONS) -> Unmapped:
    """The one refusal that a delivery comes to."""
    (refused,) = read(delivery(value), options)
    assert isinstance(refused, Unmapped), refused
    return refused


def told(error: PermanentError) -> tuple[str, str | None, str | None]:
    assert error.expected
    return error.code, error.path, error.found


WHOLE_BODIES = {
    "empty": (b"", "malformed_json", "malformed JSON"),
    "blank": (b" \n", "malformed_json", "malformed JSON"),
    "text": (b"hello", "malformed_json", "malformed JSON"),
    "form": (b"payload=%7B%7D", "malformed_json", "malformed JSON"),
    "a string": (b'"x"', "wrong_type", "string"),
    "a number": (b"12", "wrong_type", "number"),
    "a number of thousands of digits": (b"9" * 5000, "wrong_type", "number"),
    "null": (b"null", "wrong_type", "null"),
    "true": (b"true", "wrong_type", "boolean"),
    "cut short": (SOUND[:-1], "malformed_json", "malformed JSON"),
    "an array cut short": (b"[" + SOUND, "malformed_json", "malformed JSON"),
    "trailing garbage": (SOUND + b"x", "malformed_json", "malformed JSON"),
    "two objects": (SOUND + SOUND, "malformed_json", "malformed JSON"),
    "a trailing comma": (b"[" + SOUND + b",]", "malformed_json", "malformed JSON"),
    "single quotes": (SOUND.replace(b'"', b"'"), "malformed_json", "malformed JSON"),
    "a byte-order mark": (b"\xef\xbb\xbf" + SOUND, "malformed_json", "a byte-order mark"),
    "UTF-16": (SOUND.decode().encode("utf-16"), "malformed_json", "bytes that are not UTF-8"),
    "not UTF-8 in data": (SOUND.replace(b"K-1", b"K\xff"), "malformed_json", "bytes that are not UTF-8"),
    "not UTF-8 where nobody looks": (SOUND[:-1] + b',"x":"\xff"}', "malformed_json", "bytes that are not UTF-8"),
    "a surrogate in UTF-8": (SOUND.replace(b"K-1", b"\xed\xa0\x80"), "malformed_json", "bytes that are not UTF-8"),
    "a lone high surrogate": (SOUND.replace(b"K-1", b"\\ud800"), "malformed_json", "malformed JSON"),
    "a lone low surrogate": (SOUND.replace(b"K-1", b"\\udc00"), "malformed_json", "malformed JSON"),
    "NaN": (SOUND.replace(b'"K-1"', b"NaN"), "malformed_json", "malformed JSON"),
    "Infinity": (SOUND.replace(b'"K-1"', b"-Infinity"), "malformed_json", "malformed JSON"),
    "a raw control character": (SOUND.replace(b"K-1", b"K\x00"), "malformed_json", "malformed JSON"),
    "an array nested without end": (b"[" * 100_000 + b"]" * 100_000, "too_deep", "array"),
    "an object nested without end": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too_deep", "object"),
    "gzip cut short": (gzip.compress(SOUND)[:-3], "malformed_gzip", "bytes"),
    "gzip of nothing": (b"\x1f\x8b", "malformed_gzip", "bytes"),
    "gzip with a wrong sum": (gzip.compress(SOUND)[:-8] + b"\0" * 8, "malformed_gzip", "bytes"),
    "gzip with a broken stream": (gzip.compress(SOUND)[:10] + b"\xff" * 40, "malformed_gzip", "bytes"),
    "gzip with garbage behind": (gzip.compress(SOUND) + b"garbage", "malformed_gzip", "bytes"),
    "gzip of no JSON": (gzip.compress(b"hello"), "malformed_json", "malformed JSON"),
    "a gzip bomb": (gzip.compress(b" " * (_bodies.MAX_INFLATED_BYTES + 1)), "too_large", "bytes"),
    "too many events": (b"[" + b"1," * 1000 + b"1]", "too_many_events", "array"),
}


@pytest.mark.parametrize("case", WHOLE_BODIES)
def test_a_body_whose_events_cannot_be_told_apart_is_refused_whole(case: str) -> None:
    raw, code, found = WHOLE_BODIES[case]

    refused = refusal(raw)

    assert refused.index == WHOLE_BODY
    assert hashlib.sha256(raw).hexdigest() == refused.digest
    assert (code, "$", found) == told(refused.error)


def data(**members: Any) -> dict[str, Any]:
    return body(data=members)


def without(name: str) -> dict[str, Any]:
    return {member: value for member, value in body().items() if member != name}


NESTED: list[Any] = []
for _ in range(70):
    NESTED = [NESTED]

EVENTS: dict[str, tuple[Any, str, str, str]] = {
    "no type": (without("type"), "missing_field", "type", "nothing"),
    "type null": (body(type=None), "missing_field", "type", "null"),
    "type empty": (body(type=""), "out_of_range", "type", "string"),
    "type too long": (body("x" * 513), "out_of_range", "type", "string"),
    "type a number": (body(type=1), "wrong_type", "type", "number"),
    "no time": (without("occurred_at"), "missing_field", "occurred_at", "nothing"),
    "time null": (body(occurred_at=None), "missing_field", "occurred_at", "null"),
    "time a number": (body(occurred_at=1772352000), "wrong_type", "occurred_at", "number"),
    "time in words": (body(occurred_at="yesterday"), "malformed_value", "occurred_at", "string"),
    "time a date": (body(occurred_at="2026-03-01"), "malformed_value", "occurred_at", "string"),
    "time without a zone": (body(occurred_at="2026-03-01T08:00:00"), "missing_time_zone", "occurred_at", "string"),
    "time in month 13": (body(occurred_at="2026-13-01T08:00:00Z"), "malformed_value", "occurred_at", "string"),
    "time in year 0": (body(occurred_at="0000-12-31T08:00:00Z"), "out_of_range", "occurred_at", "string"),
    "time before year 1": (body(occurred_at="0001-01-01T00:00:00+01:00"), "out_of_range", "occurred_at", "string"),
    "time after 9999": (body(occurred_at="9999-12-31T23:59:59-01:00"), "out_of_range", "occurred_at", "string"),
    "time of five digits": (body(occurred_at="12026-03-01T08:00:00Z"), "malformed_value", "occurred_at", "string"),
    "time ahead": (body(occurred_at="2026-03-01T08:05:30.000001Z"), "clock_skew", "occurred_at", "string"),
    "time far ahead": (body(occurred_at="9999-12-31T23:59:59Z"), "clock_skew", "occurred_at", "string"),
    "version a string": (body(version="3"), "wrong_type", "version", "string"),
    "version a fraction": (body(version=1.5), "wrong_type", "version", "number"),
    "version true": (body(version=True), "wrong_type", "version", "boolean"),
    "version of 65 bits": (body(version=2**63), "out_of_range", "version", "number"),
    "version of 65 bits below": (body(version=-(2**63) - 1), "out_of_range", "version", "number"),
    "id an object": (body(id={}), "wrong_type", "id", "object"),
    "id true": (body(id=True), "wrong_type", "id", "boolean"),
    "id too long": (body(id="x" * 513), "out_of_range", "id", "string"),
    "no data": (without("data"), "missing_field", "data", "nothing"),
    "data null": (body() | {"data": None}, "missing_field", "data", "null"),
    "data a string": (body() | {"data": "x"}, "wrong_type", "data", "string"),
    "data an array": (body() | {"data": []}, "wrong_type", "data", "array"),
    "operational data an array": (body("sync.failed") | {"data": []}, "wrong_type", "data", "array"),
    "no key": (body() | {"data": {}}, "missing_field", "data.key", "nothing"),
    "no key of an unknown type": (body("invoice.paid") | {"data": {}}, "missing_field", "data.key", "nothing"),
    "key null": (data(key=None), "missing_field", "data.key", "null"),
    "key empty": (data(key=""), "out_of_range", "data.key", "string"),
    "key too long": (data(key="x" * 513), "out_of_range", "data.key", "string"),
    "key too long in UTF-8": (data(key="ä" * 257), "out_of_range", "data.key", "string"),
    "key a fraction": (data(key=1.5), "wrong_type", "data.key", "number"),
    "key true": (data(key=True), "wrong_type", "data.key", "boolean"),
    "key an object": (data(key={}), "wrong_type", "data.key", "object"),
    "key an endless integer": (data(key=10**60), "out_of_range", "data.key", "number"),
    "an order's interval": (body("downtime.ended", {"key": "work_order:9"}), "reserved_key", "data.key", "string"),
    "title an object": (data(title={}), "wrong_type", "data.title", "object"),
    "title true": (data(title=True), "wrong_type", "data.title", "boolean"),
    "title a fraction": (data(title=1.5), "wrong_type", "data.title", "number"),
    "flag a word": (data(asset_down="yes"), "wrong_type", "data.asset_down", "string"),
    "flag a number": (data(asset_down=1), "wrong_type", "data.asset_down", "number"),
    "planned a word": (body("downtime.started", {"planned": "no"}), "wrong_type", "data.planned", "string"),
    "status an array": (data(status=[]), "wrong_type", "data.status", "array"),
    "status value a number": (data(status={"value": 1.5}), "wrong_type", "data.status.value", "number"),
    "no status of an asset": (body("asset.status_changed"), "missing_field", "data.status", "nothing"),
    "asset status null": (body("asset.status_changed", {"status": None}), "missing_field", "data.status", "null"),
    "asset key an object": (data(asset_key={"key": "A"}), "wrong_type", "data.asset_key", "object"),
    "asset key empty": (data(asset_key=""), "out_of_range", "data.asset_key", "string"),
    "asset without key": (data(asset_ref={"label": "x"}), "missing_field", "data.asset_ref.key", "nothing"),
    "asset keys a string": (data(asset_keys="A"), "wrong_type", "data.asset_keys", "string"),
    "second asset null": (data(asset_refs=["A", None]), "wrong_type", "data.asset_refs[1]", "null"),
    "due date a time": (data(due_date="2026-03-01T00:00:00Z"), "malformed_value", "data.due_date", "string"),
    "due date impossible": (data(due_date="2026-02-30"), "malformed_value", "data.due_date", "string"),
    "due date in year 0": (data(due_date="0000-02-01"), "out_of_range", "data.due_date", "string"),
    "due date a number": (data(due_date=20260301), "wrong_type", "data.due_date", "number"),
    "duration a fraction": (data(actual_duration=1.5), "malformed_value", "data.actual_duration", "number"),
    "duration below zero": (data(actual_duration=-1), "out_of_range", "data.actual_duration", "number"),
    "duration endless": (data(actual_duration=2**63), "out_of_range", "data.actual_duration", "number"),
    "duration in words": (data(actual_duration="PT1H"), "malformed_value", "data.actual_duration", "string"),
    "duration an array": (data(actual_duration=[]), "wrong_type", "data.actual_duration", "array"),
    "duration true": (data(actual_duration=True), "wrong_type", "data.actual_duration", "boolean"),
    "cost without amount": (
        data(costs={"total": {"actual": {"currency": "EUR"}}}),
        "missing_field",
        "data.costs.total.actual.amount",
        "nothing",
    ),
    "costs a number": (data(costs=5), "wrong_type", "data.costs", "number"),
    "cost in words": (
        data(costs={"total": {"actual": "5 EUR"}}),
        "malformed_value",
        "data.costs.total.actual",
        "string",
    ),
    "quantity without value": (
        data(parts=[{"used_qty": {}}]),
        "missing_field",
        "data.parts[0].used_qty.value",
        "nothing",
    ),
    "custom fields an array": (data(custom_fields=[]), "wrong_type", "data.custom_fields", "array"),
    "61 digits": (data(x=[10**60]), "out_of_range", "data.x[0]", "number"),
    "nested too deep": (data(x=NESTED), "too_deep", "data.x" + "[0]" * 64, "array"),
    "NUL nested too deep": (data(x=NESTED, y="\0"), "too_deep", "data.x" + "[0]" * 63, "array"),
    "another CloudEvents": (body(specversion="0.3"), "malformed_value", "specversion", "string"),
    "CloudEvent without time": (body(specversion="1.0"), "missing_field", "time", "nothing"),
}


@pytest.mark.parametrize("case", EVENTS)
def test_a_bad_event_is_refused_with_code_path_and_type(case: str) -> None:
    stated, code, path, found = EVENTS[case]

    refused = refusal(stated)

    assert refused.index == 0
    assert hashlib.sha256(json.dumps(stated).encode()).hexdigest() == refused.digest
    assert (code, f"$.{path}", found) == told(refused.error)


@pytest.mark.parametrize("case", EVENTS)
def test_in_an_array_its_path_says_which_and_its_sibling_is_read(case: str) -> None:
    stated, code, path, found = EVENTS[case]

    sibling, refused = read(delivery([body(), stated]), OPTIONS)

    assert isinstance(sibling, Event)
    assert isinstance(refused, Unmapped)
    assert refused.index == 1
    assert (code, f"$[1].{path}", found) == told(refused.error)


@pytest.mark.parametrize("case", EVENTS)
def test_no_refusal_repeats_a_value(case: str) -> None:
    """Errors are logged; bodies never are."""
    stated = json.loads(json.dumps(EVENTS[case][0]).replace("K-1", "confidential"))

    assert "confidential" not in str(refusal(stated).error)


NUMBERS = {
    "61 digits": b"1234567890123456789012345678901234567890123456789012345678901",
    "61 digits with a point": b"0.1234567890123456789012345678901234567890123456789012345678901",
    "exponent 61": b"1e61",
    "exponent -61": b"1e-61",
    "an exponent beyond Decimal": b"1e99999999999999999999",
    "thousands of digits": b"9" * 5000 + b".0",
}


@pytest.mark.parametrize("case", NUMBERS)
@pytest.mark.parametrize("field", ["hours", "custom_fields", "costs"])
def test_a_number_that_is_not_kept_exactly_is_refused_with_its_path(case: str, field: str) -> None:
    number = NUMBERS[case]
    values = {
        "hours": (number, "$.data.hours"),
        "custom_fields": (b'{"a b":' + number + b"}", '$.data.custom_fields["a b"]'),
        "costs": (b'{"total":{"actual":{"amount":' + number + b"}}}", "$.data.costs.total.actual.amount"),
    }
    value, path = values[field]

    refused = refusal(SOUND.replace(b'"K-1"', b'"K-1","' + field.encode() + b'":' + value))

    assert told(refused.error) == ("out_of_range", path, "number")


@pytest.mark.parametrize(
    ("place", "path"), [(b'"data":{"key":"K-1","hours":%s}', "$.data"), (b'"version":%s,"data":{"key":"K-1"}', "$")]
)
def test_an_integer_of_thousands_of_digits_is_refused(place: bytes, path: str) -> None:
    """Python itself refuses to make a number of so many digits, so the place is told less exactly."""
    raw = b'{"type":"asset.updated","occurred_at":"2026-03-01T08:00:00Z",' + place % (b"9" * 5000) + b"}"

    assert told(refusal(raw).error) == ("out_of_range", path, "number")


def test_an_unknown_zone_is_the_connections_fault_and_says_so() -> None:
    for zone in ("Mars/Olympus", "", "../etc", "Europe"):
        refused = refusal(body(occurred_at="2026-03-01T08:00:00"), MappingOptions(time_zone=zone))
        assert told(refused.error) == ("unknown_time_zone", "$.occurred_at", "string")


def test_an_endless_name_is_cut_in_the_path() -> None:
    refused = refusal(data(**{"x" * 10_000: 10**60}))

    assert refused.error.path is not None
    assert len(refused.error.path) == 300


def test_a_refusal_is_freed_when_it_is_dropped() -> None:
    """Its struct is invisible to the garbage collector, so a circle through it would never end."""
    gc.collect()
    kept = weakref.ref(refusal(data(title={})).error)
    whole = weakref.ref(refusal(b"{").error)
    gc.collect()

    assert (kept(), whole()) == (None, None)


def test_a_sound_event_is_read_after_all_this() -> None:
    assert one(SOUND).key == "K-1"
