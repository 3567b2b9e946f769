"""Whatever comes, the `unified` source answers with a reading."""

import gzip
import json
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from handlers.events import Event, MappingOptions, Reading, Unmapped
from handlers.model import MODELS
from handlers.model.types import ACTIONS
from handlers.sources.unified import read
from tests.handlers.test_unified import OPTIONS, body, delivery

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELD_NAMES = sorted({name for model in MODELS.values() for name in model._members} | {"key", "custom_fields", "x"})
WORDS = ["A", "", "approved", "2026-03-01", "2026-03-01T08:00:00", "1e70", "0.10"]
OBJECTS = [{"key": "A"}, {"value": "closed"}, {"amount": 1}, {"source_code": 3}, {"total": {"actual": 2}}]
PLAUSIBLE = st.sampled_from([*WORDS, *OBJECTS, 7, True, {}, [], ["A"], [{"label": "x"}]])
DATA = st.dictionaries(st.sampled_from(FIELD_NAMES), PLAUSIBLE | ANY_JSON, max_size=6)
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(sorted(ACTIONS)), "occurred_at": st.just("2026-03-01T08:00:00Z"), "data": DATA}
)
ZONED = MappingOptions(
    time_zone="Europe/Berlin",
    currency="EUR",
    status_map={"A": "approved"},
    priority_map={"A": "low"},
    site_zones={"A": "UTC"},
)


def sound(reading: Reading) -> Reading:
    """Checks what must hold for any reading, and that it can be stored."""
    for each in reading:
        assert len(each.digest) == 64
        if isinstance(each, Unmapped):
            assert each.error.path is not None
            assert each.error.path.startswith("$")
            assert each.error.code
            assert each.error.found
            assert each.error.expected
        else:
            assert 1 <= len(each.key.encode()) <= 512
            stored = msgspec.json.encode([each.fields, each.custom_fields, each.warnings]).replace(rb"\\", b"")
            assert b"\\u0000" not in stored
            model = MODELS.get(each.kind) if each.type in ACTIONS else None
            if model is not None:
                msgspec.convert(each.fields, model.struct, strict=True)
    return reading


@given(st.binary(max_size=300))
@example(b"\x1f\x8b\x08")
@example(b"[\xff]")
@example(b'{"a":' * 2000)
def test_no_bytes_make_it_raise(raw: bytes) -> None:
    sound(read(delivery(raw), OPTIONS))
    sound(read(delivery(gzip.compress(raw)), OPTIONS))


@given(ANY_JSON)
def test_no_json_makes_it_raise(value: Any) -> None:
    sound(read(delivery(json.dumps(value).encode()), OPTIONS))


@given(st.dictionaries(st.sampled_from(["id", "type", "occurred_at", "version", "data", "time", "subject"]), ANY_JSON))
def test_no_envelope_makes_it_raise(members: dict[str, Any]) -> None:
    sound(read(delivery(body() | members), OPTIONS))
    sound(read(delivery(body(specversion="1.0") | members), ZONED))


@given(EVENTS, st.sampled_from([OPTIONS, ZONED]))
def test_no_data_makes_it_raise_and_what_is_kept_fits_the_model(event: dict[str, Any], options: MappingOptions) -> None:
    event["data"].setdefault("key", "K-1")

    sound(read(delivery(event), options))


@given(st.lists(EVENTS, max_size=4), st.randoms())
def test_a_reading_does_not_depend_on_how_events_were_batched(events: list[dict[str, Any]], random: Any) -> None:
    """But for the place of each in its delivery."""
    together = sound(read(delivery(events), OPTIONS))
    alone = [each for event in events for each in read(delivery(event), OPTIONS)]
    random.shuffle(events)

    def told(each: Event | Unmapped) -> Any:
        if isinstance(each, Event):
            return msgspec.structs.replace(each, index=0)
        return each.digest, each.error.code

    assert [told(each) for each in alone] == [told(each) for each in together]
    shuffled = read(delivery(events), OPTIONS)
    assert sorted(each.digest for each in together) == sorted(each.digest for each in shuffled)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=9) | st.decimals(allow_nan=False, allow_infinity=False)
)
def test_a_number_is_kept_exactly_or_refused_wherever_it_stands(number: Decimal) -> None:
    raw = json.dumps(body()).replace(
        '"K-1"', f'"K-1","x":{number},"costs":{{"total":{{"actual":{{"amount":{number}}}}}}}'
    )

    (event,) = sound(read(delivery(raw.encode()), OPTIONS))

    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if isinstance(event, Unmapped):
        assert (event.error.code, event.error.path) == ("out_of_range", "$.data.x")
        assert len(digits) > 60 or abs(exponent) > 60
        return
    costs: Any = event.fields["costs"]
    kept: Any = event.custom_fields["x"]
    assert number.compare(Decimal(kept)) == 0
    assert number.compare(Decimal(costs["total"]["actual"]["amount"])) == 0
