"""Records: what the structs list is what is read, and what is kept is what the structs say."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from handlers.events import MappingOptions
from handlers.model import MODELS
from handlers.model.reading import Context
from handlers.model.record import Stated
from tests.handlers.model.samples import SAMPLES as OTHERS

WORK_ORDER: dict[str, Any] = {
    "number": 4_000_001,
    "record_kind": "notification",
    "title": "Replace bearing",
    "type": "corrective",
    "status": "approved",
    "priority": "high",
    "asset_key": "A-1",
    "asset_keys": ["A-1", 2],
    "location_ref": {"key": "L", "label": "Hall 3"},
    "requested_at": "2026-03-01",
    "due_at": "2026-03-02T09:00:00+01:00",
    "due_date": "2026-03-02",
    "estimated_duration": "3600",
    "asset_down": True,
    "assignees": ["Ann", {"key": "17"}],
    "tags": ["a", 1],
    "failure": {
        "class": "MECH",
        "cause": {"label": "Wear"},
        "detected_at": "2026-03-01T00:00:00Z",
        "extra": Decimal("1.0"),
    },
    "tasks": [{"sequence": 10, "title": "Look", "asset_key": "A-2", "planned_labor": 60}],
    "parts": [{"item_key": "P", "planned_qty": 2, "unit_cost": {"amount": 3, "currency": "EUR"}}],
    "labor": [{"person": "Ann", "seconds": 60, "finished_at": "2026-03-01T00:00:00Z"}],
    "costs": {"total": {"planned": None, "actual": {"amount": "0.00", "currency": "AUD"}}},
    "notes": ["first"],
}
ASSET: dict[str, Any] = {
    "name": "Pump",
    "status": "down_planned",
    "is_up": False,
    "criticality": "critical",
    "purchase_cost": {"amount": 1, "currency": "EUR"},
    "in_service_date": "2020-01-01",
    "attributes": [{"name": "Head", "value": Decimal("12.50"), "unit": "m"}],
    "geo": {"lat": Decimal("52.1"), "tags": [1, None]},
    "address": "Yard 1",
}
DOWNTIME: dict[str, Any] = {
    "asset_ref": {"key": "A", "label": None},
    "started_at": "2026-03-01",
    "ended_at": "2026-03-01T08:00:00.25Z",
    "planned": None,
    "failure": True,
    "cause": "external",
    "reason": "no power",
    "duration_source": {"value": Decimal("1.5"), "unit": "h"},
}
SAMPLES = {"work_order": WORK_ORDER, "asset": ASSET, "downtime": DOWNTIME, **OTHERS}


def stated(kind: str, data: dict[str, Any]) -> tuple[Stated, Context]:
    context = Context(MappingOptions())
    return MODELS[kind].read(data, context), context


@pytest.mark.parametrize("kind", MODELS)
def test_what_is_kept_fits_the_struct_strictly(kind: str) -> None:
    (fields, custom_fields), context = stated(kind, SAMPLES[kind])

    record = msgspec.convert(fields, MODELS[kind].struct, strict=True)

    assert len(fields) == len({name.replace("_keys", "_refs").replace("_key", "_ref") for name in SAMPLES[kind]})
    assert (custom_fields, context.warnings) == ({}, [])
    for name, value in fields.items():
        if isinstance(value, str | bool | int):
            assert getattr(record, name) == value


@pytest.mark.parametrize("kind", MODELS)
def test_a_struct_has_a_json_schema(kind: str) -> None:
    schema = msgspec.json.schema(MODELS[kind].struct)

    assert set(MODELS[kind].fields) == set(schema["$defs"][MODELS[kind].struct.__name__]["properties"])


@pytest.mark.parametrize("kind", MODELS)
def test_every_field_may_be_cleared(kind: str) -> None:
    (fields, custom_fields), context = stated(kind, dict.fromkeys(MODELS[kind].fields))

    assert dict.fromkeys(MODELS[kind].fields) == fields
    assert (custom_fields, context.warnings) == ({}, [])


def test_nested_objects_keep_only_what_was_stated_and_strangers_in_place() -> None:
    (fields, _), _ = stated("work_order", WORK_ORDER)

    assert fields["failure"] == {
        "class": {"code": "MECH", "group": None, "label": None},
        "cause": {"code": None, "group": None, "label": "Wear"},
        "detected_at": "2026-03-01T00:00:00Z",
        "extra": "1.0",
    }
    assert fields["tasks"] == [
        {"sequence": "10", "title": "Look", "asset_ref": {"key": "A-2", "label": None}, "planned_labor": 60}
    ]
    assert fields["costs"] == {"total": {"planned": None, "actual": {"amount": "0.00", "currency": "AUD"}}}


@pytest.mark.parametrize("order", [1, -1])
def test_a_null_beside_a_reference_does_not_clear_it(order: int) -> None:
    for pair in ([("asset_ref", None), ("asset_key", "A")], [("asset_ref", {"key": "A"}), ("asset_key", None)]):
        (fields, _), context = stated("work_order", dict(pair[::order]))
        assert (fields, context.warnings) == ({"asset_ref": {"key": "A", "label": None}}, [])
        (fields, _), _ = stated("work_order", {"tasks": [dict(pair[::order])]})
        assert fields == {"tasks": [{"asset_ref": {"key": "A", "label": None}}]}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("key", "doubts"), [("A", []), ("B", ["two_references"])])
def test_an_object_goes_before_the_plain_key_beside_it(order: int, key: str, doubts: list[str]) -> None:
    pair = [("asset_ref", {"key": "A", "label": "x"}), ("asset_key", key)]

    (fields, _), context = stated("work_order", dict(pair[::order]))

    assert fields == {"asset_ref": {"key": "A", "label": "x"}}
    assert doubts == [warning["code"] for warning in context.warnings]
    (nested, _), _ = stated("work_order", {"tasks": [dict(pair[::order])]})
    assert nested == {"tasks": [fields]}


def test_lists_of_plain_keys_are_compared_too() -> None:
    _, context = stated("work_order", {"asset_keys": ["A"], "asset_refs": [{"key": "A"}]})
    assert context.warnings == []

    _, context = stated("work_order", {"asset_keys": ["A"], "asset_refs": ["B"]})
    assert [warning["path"] for warning in context.warnings] == ["$.data.asset_keys"]


def test_an_unknown_type_of_order_is_unknown_and_its_word_is_kept_beside_it() -> None:
    (fields, custom_fields), context = stated("work_order", {"type": "PM01"})
    assert (fields, custom_fields) == ({"type": "unknown", "type_source": "PM01"}, {})
    assert [warning["code"] for warning in context.warnings] == ["word_unmapped"]

    (fields, custom_fields), _ = stated("work_order", {"type_source": "own", "type": "PM01"})
    assert (fields, custom_fields) == ({"type": "unknown", "type_source": "own"}, {"type": "PM01"})


def test_an_unknown_cause_is_null_and_its_word_is_a_custom_field() -> None:
    (fields, custom_fields), context = stated("downtime", {"cause": "weather"})

    assert (fields, custom_fields) == ({"cause": None}, {"cause": "weather"})
    assert [warning["path"] for warning in context.warnings] == ["$.data.cause"]


def test_the_key_of_the_record_is_no_field_of_it() -> None:
    assert Stated({}, {}) == stated("asset", {"key": "A", "custom_fields": None})[0]
