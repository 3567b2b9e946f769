"""What a record has for fields, for somebody who mends a payload: name, type and meaning, by its model. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from handlers.model import MODELS
from handlers.model.types import READ_AS
from handlers.rules import schemas


class Field(NamedTuple):
    """A field: its name, its type in a few words, and what it is."""

    name: str
    type: str
    meaning: str


def of_type(event_type: str | None) -> list[Field]:
    """The fields of what events of a type are about; none where nobody knows what that is."""
    kind = READ_AS.get(event_type or "", (event_type or "").partition(".")[0])
    if kind not in MODELS:
        return []
    properties: Mapping[str, Mapping[str, Any]] = schemas.schema(kind)["properties"]
    return [Field(name, in_words(told), str(told.get("description", ""))) for name, told in properties.items()]


def in_words(told: Mapping[str, Any]) -> str:
    """A JSON Schema in a few words."""
    if "anyOf" in told:
        return " or ".join(dict.fromkeys(in_words(each) for each in told["anyOf"] if each != {"type": "null"}))
    if "enum" in told or "const" in told:
        return ", ".join(map(str, told.get("enum") or [told["const"]]))
    if "$ref" in told:
        return str(told["$ref"]).rpartition("/")[2]
    if told.get("type") == "array" and "items" in told:
        return f"list of {in_words(told['items'])}"
    return str(told.get("format") or told.get("type") or "any")
