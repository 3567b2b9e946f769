"""Every sample payload becomes what its folder's `expected.json` says."""

from datetime import datetime
from typing import Any

import pytest

from handlers.events import Event, Unmapped
from handlers.sources import load
from tests.handlers.sources.reading import FOLDER, Sample, samples

PLAIN = ("type", "key", "version", "event_id", "full", "thin")


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.label)
def test_a_sample_becomes_the_records_that_are_expected_of_it(sample: Sample) -> None:
    read = sample.read()

    told = sample.expected["events"]
    assert [each.get("type", each.get("error")) for each in told] == [_what(each) for each in read]
    for wanted, found in zip(told, read, strict=True):
        if isinstance(found, Event):
            _check_event(wanted, found)
        else:
            assert (wanted["error"], wanted["path"]) == (found.error.code, found.error.path)


@pytest.mark.parametrize("folder", sorted(FOLDER.iterdir()), ids=lambda folder: folder.name)
def test_no_payload_is_without_its_expectation(folder: Any) -> None:
    files = {path.name for path in folder.glob("*.json")} - {"expected.json"}

    assert files == {sample.name for sample in samples(folder.name)}
    assert folder.name in load()


def _what(item: Event | Unmapped) -> str:
    return item.type if isinstance(item, Event) else item.error.code


def _check_event(wanted: dict[str, Any], found: Event) -> None:
    known = {*PLAIN, "occurred_at", "fields", "absent", "custom_fields", "warnings"}
    assert not wanted.keys() - known, "a misspelt expectation would never fail"
    for name in PLAIN:
        if name in wanted:
            assert wanted[name] == getattr(found, name), name
    if "occurred_at" in wanted:
        assert datetime.fromisoformat(wanted["occurred_at"]) == found.occurred_at
    _check_part(wanted.get("fields", {}), found.fields, "fields")
    _check_part(wanted.get("custom_fields", {}), found.custom_fields, "custom_fields")
    assert [name for name in wanted.get("absent", []) if name in found.fields] == []
    if "warnings" in wanted:
        assert sorted(wanted["warnings"]) == sorted(each["code"] for each in found.warnings)


def _check_part(wanted: Any, found: Any, path: str) -> None:
    """Objects have at least the members that are wanted, lists as many elements, everything else is equal."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            assert name in found, f"{path}.{name} is not told"
            _check_part(value, found[name], f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(found, list):
        assert len(wanted) == len(found), path
        for index, (one, other) in enumerate(zip(wanted, found, strict=True)):
            _check_part(one, other, f"{path}[{index}]")
    else:
        assert wanted == found, path
