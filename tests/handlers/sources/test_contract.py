"""What every source on the shelf keeps, shown on its samples; a new one is under this contract by its folder alone."""

import hashlib
import json
import random
from typing import Any

import msgspec
import pytest

from handlers import effects
from handlers.errors import PermanentError
from handlers.events import Event, Unmapped
from handlers.model import MODELS
from handlers.model.types import ACTIONS
from handlers.signatures import filled, scheme, sign, verify
from handlers.sources import fingerprint, load
from tests.fuzz.mutations import damaged, damaged_json
from tests.handlers.sources.reading import Sample, samples
from tests.sizes import size

NOW = 1_775_000_000.0
SECRET = b"whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
"""Long enough for every scheme, and in the form that Standard Webhooks wants."""
USUAL, LONG = 200, 5_000
"""Mutated samples a source, in the usual run and in the long one."""
UNKNOWN = "zz_nobody_knows"

EACH_SAMPLE = pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.label)
EACH_SOURCE = pytest.mark.parametrize("name", sorted({sample.source for sample in samples()}))


def test_every_source_has_samples() -> None:
    assert load().keys() - {"unified", "generic"} == {sample.source for sample in samples()}


@EACH_SOURCE
def test_a_sample_signed_as_the_sender_would_verifies_and_one_flipped_byte_does_not(name: str) -> None:
    by = scheme(load()[name].default_scheme)
    body = filled(by, SECRET, samples(name)[0].body)
    headers = sign(by, SECRET, body, now=NOW, message_id="m-1")

    assert verify(by, [SECRET], headers, body, NOW).ok
    assert not verify(by, [SECRET[::-1]], headers, body, NOW).ok


@EACH_SAMPLE
def test_a_sample_read_twice_reads_the_same(sample: Sample) -> None:
    assert _plain(sample.read()) == _plain(sample.read())


@EACH_SAMPLE
def test_what_a_sample_tells_has_ids_and_places_of_its_own(sample: Sample) -> None:
    read = sample.read()

    assert len(read) == len({item.index for item in read})
    told = [item for item in read if isinstance(item, Event)]
    assert len(told) == len({(item.event_id, item.digest) for item in told})
    read_by_models = [item for item in told if item.type in ACTIONS and item.kind in MODELS]
    assert all(item.fields.keys() <= set(MODELS[item.kind].fields) for item in read_by_models)


@EACH_SOURCE
def test_an_unknown_field_is_kept_in_some_record_of_each_sample_that_takes_one(name: str) -> None:
    kept = [
        item
        for sample in samples(name)
        for item in sample.read(_with_unknown(sample.body))
        if isinstance(item, Event) and UNKNOWN in json.dumps([item.fields, item.custom_fields])
    ]

    assert kept, "no sample kept it"


@EACH_SOURCE
def test_a_type_that_nothing_handles_is_an_event_all_the_same(name: str) -> None:
    handled = frozenset().union(*(effect.types for effect in effects.load()))
    others = [
        item
        for sample in samples(name)
        for item in sample.read()
        if isinstance(item, Event) and item.type not in handled
    ]

    assert others, "give one sample of a type nothing handles"
    assert all(item.type not in ACTIONS and not item.thin for item in others)


@EACH_SOURCE
def test_a_full_record_lists_only_fields_that_its_model_has(name: str) -> None:
    for sample in samples(name):
        for item in sample.read():
            if isinstance(item, Event) and item.full:
                assert item.full_fields
                assert set(item.full_fields) <= set(MODELS[item.kind].fields)


@EACH_SAMPLE
def test_elements_say_the_same_alone_and_in_company_and_in_any_order(sample: Sample) -> None:
    """Only their places and paths differ."""
    alone = _told(sample.read())
    values = json.loads(sample.body)
    if isinstance(values, list):
        assert sorted(alone) == sorted(_told(sample.read(json.dumps(values[::-1]).encode())))
        return
    array = b"[" + sample.body + b',{"zz": 1}]'
    if _is_enveloped(sample):
        for member in values:
            if isinstance(values[member], list) and len(values[member]) == len(alone):
                reversed_too = {**values, member: values[member][::-1]}
                assert sorted(alone) == sorted(_told(sample.read(json.dumps(reversed_too).encode())))
        return
    assert alone == _told(sample.read(array))[: len(alone)]


@EACH_SOURCE
def test_a_mutated_sample_is_read_or_refused_and_nothing_else(name: str) -> None:
    _mutate(name, USUAL)


@EACH_SOURCE
@pytest.mark.long
def test_many_mutated_samples_are_read_or_refused_and_nothing_else(name: str) -> None:
    _mutate(name, size(LONG // 5, LONG))


def test_options_in_another_order_are_the_same_map_and_other_options_another() -> None:
    one, other = load()["maximo"], load()["maintainx"]
    options = samples("maximo")[0].options
    first = msgspec.structs.replace(options, status_map={"A": "closed", "B": "approved"})
    second = msgspec.structs.replace(options, status_map={"B": "approved", "A": "closed"})

    assert fingerprint(one, first) == fingerprint(one, second)
    assert len({fingerprint(one, options), fingerprint(one, first), fingerprint(other, first)}) == 3


def _mutate(name: str, times: int) -> None:
    chance = random.Random(name)
    given = samples(name)
    for number in range(times):
        sample = chance.choice(given)
        body = (damaged_json if number % 4 else damaged)(sample.body, chance)
        try:
            read = sample.read(body)
        except BaseException as error:
            raise AssertionError(f"{sample.label}: {body[:2000]!r}") from error
        for item in read:
            assert isinstance(item, Event | Unmapped)
            if isinstance(item, Unmapped):
                assert isinstance(item.error, PermanentError)
                assert item.error.code != "map_failed", (sample.label, item.error, body[:2000])
                assert item.error.path is not None
                assert item.error.found
                assert item.error.expected
            msgspec.json.encode(item if isinstance(item, Event) else str(item.error))


def _with_unknown(body: bytes) -> bytes:
    return json.dumps(_add(json.loads(body))).encode()


def _add(value: Any) -> Any:
    if isinstance(value, list):
        return [_add(each) for each in value]
    if isinstance(value, dict):
        return {name: _add(each) for name, each in value.items()} | {UNKNOWN: "kept"}
    return value


def _plain(read: list[Event | Unmapped]) -> list[Any]:
    return [item if isinstance(item, Event) else (item.index, item.digest, str(item.error)) for item in read]


def _told(read: list[Event | Unmapped]) -> list[str]:
    """What was told, without the marks of the place it stood in."""
    return [
        json.dumps(
            [item.type, item.key, str(item.occurred_at), item.version, item.fields, item.custom_fields, item.thin]
        )
        if isinstance(item, Event)
        else item.error.code
        for item in read
    ]


def _is_enveloped(sample: Sample) -> bool:
    return any(
        "$." in str(item.error.path) if isinstance(item, Unmapped) else item.digest != _digest(sample.body)
        for item in sample.read()
    )


def _digest(body: bytes) -> str:
    return hashlib.sha256(body.strip()).hexdigest()
