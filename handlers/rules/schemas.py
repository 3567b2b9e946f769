"""JSON Schemas of what is printed, generated from the structs that list the fields (JSON Schema, draft 2020-12)."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from handlers.model import MODELS
from handlers.rules.printing import DERIVED_FROM, shown_name

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
_USAGE = {
    "type": "object",
    "required": ["counted", "per_day", "rule", "from", "to", "readings"],
    "properties": {
        "counted": {"anyOf": [_TEXT, _NULL], "description": "over all epochs, in its unit"},
        "per_day": {"anyOf": [_TEXT, _NULL], "description": "the average; null without any time between readings"},
        "rule": {**_TEXT, "description": "which readings the average is over"},
        "from": _INSTANT,
        "to": _INSTANT,
        "readings": {"type": "integer", "minimum": 1},
    },
}
_SECONDS = {"anyOf": [{"type": "integer", "minimum": 0, "description": "seconds"}, _NULL]}
TOLD: Mapping[str, Mapping[str, Any]] = {
    "work_order": {
        "rework": {**_FLAG, "description": "work that was finished began again"},
        "reopen_count": {"type": "integer", "minimum": 0},
        "time_to_react": {**_SECONDS, "description": "from the report to the first work; null where unknown"},
        "time_to_repair": {
            **_SECONDS,
            "description": "from the first work to completion, pauses and all, of all spells",
        },
        "time_in_progress": {**_SECONDS, "description": "at work so far, pauses left out"},
        "time_on_hold": {**_SECONDS, "description": "waiting so far"},
        "overdue": {"anyOf": [_FLAG, _NULL], "description": "unfinished and past its due time, by now"},
        "overdue_by": _SECONDS,
    },
    "inventory_item": {
        "below_reorder_point": {
            "anyOf": [_FLAG, _NULL],
            "description": "less is available in some place than its reorder point; null where no place says enough",
        }
    },
    "meter": {
        "last_reading": {"anyOf": [_LAST_READING, _NULL]},
        "last_reset_at": {"anyOf": [_INSTANT, _NULL]},
        "epochs": {"type": "integer", "minimum": 1, "description": "how often it began to count"},
        "epoch_started_at": {"anyOf": [_INSTANT, _NULL], "description": "when it last began to count anew"},
        "usage": {"anyOf": [_USAGE, _NULL], "description": "what it counted; null for a gauge, and without readings"},
    },
    "downtime": {
        "duration": _SECONDS,
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
        **{shown_name(name): each for name, each in own["properties"].items()},
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
