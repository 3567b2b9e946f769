"""JSON Schemas of what is printed, generated from the structs that list the fields (JSON Schema, draft 2020-12)."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.model import MODELS
from handlers.rules.printing import DERIVED_FROM

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INSTANT = {"type": "string", "format": "date-time"}
_NULL = {"type": "null"}
_FLAG = {"type": "boolean"}
_TEXT = {"type": "string"}
_CODED = {"type": "array", "items": {"type": "object", "required": ["code"], "properties": {"code": _TEXT}}}
_SPELL = {
    "type": "object",
    "properties": {
        "started_at": {"anyOf": [_INSTANT, _NULL]},
        "ended_at": {"anyOf": [_INSTANT, _NULL]},
        "planned": {"anyOf": [_FLAG, _NULL]},
        "failure": _FLAG,
        "is_void": _FLAG,
    },
}
_LAST_READING = {
    "type": "object",
    "required": ["key", "read_at", "value", "value_text", "unit"],
    "properties": {
        "key": _TEXT,
        "read_at": _INSTANT,
        **{name: {"anyOf": [_TEXT, _NULL]} for name in ("value", "value_text", "unit")},
    },
}
TOLD: Mapping[str, Mapping[str, Any]] = {
    "inventory_item": {
        "below_reorder_point": {
            "anyOf": [_FLAG, _NULL],
            "description": "less is available in some place than its reorder point; null where no place says enough",
        }
    },
    "meter": {
        "last_reading": {"anyOf": [_LAST_READING, _NULL]},
        "last_reset_at": {"anyOf": [_INSTANT, _NULL]},
    },
    "downtime": {
        "duration": {"anyOf": [{"type": "integer", "minimum": 0, "description": "seconds"}, _NULL]},
        "derived_from": {"enum": sorted(DERIVED_FROM.values())},
        "spells": {"type": "array", "items": _SPELL},
    },
}
"""By kind: what a record prints beside the fields of its model."""


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a record as `get KIND KEY --json` prints it.

    Args:
        kind: one of `MODELS`.
    """
    model = MODELS[kind]
    generated = msgspec.json.schema(model.struct)
    definitions = generated["$defs"]
    for each in definitions.values():
        each["description"] = inspect.cleandoc(each.get("description", ""))
    own = definitions.pop(model.struct.__name__)
    properties = {
        "kind": {"const": kind},
        "connection": {**_TEXT, "description": "whose it is"},
        "key": {**_TEXT, "description": "what tells it from the others of its kind and connection"},
        "is_deleted": _FLAG,
        **own["properties"],
        **TOLD.get(kind, {}),
        "custom_fields": {"type": "object", "description": "source fields that are none of these"},
        "anomalies": {**_CODED, "description": "what its sorted facts told that cannot or should not be"},
        "warnings": {**_CODED, "description": "what was doubtful"},
    }
    return {
        "$schema": DIALECT,
        "title": kind,
        "description": own["description"],
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "$defs": definitions,
    }
