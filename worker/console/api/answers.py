"""JSON Schemas of what the API answers and takes: all of them come from the types that are answered and taken."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from handlers.rules.schemas import schema as schema_of
from worker.console.api.operations import Operation, RecordOf, Schema, Shape

TEMPLATE: Final = "#/components/schemas/{name}"
PROBLEM: Final = "Problem"
_CURSOR: Final = {
    "anyOf": [{"type": "string"}, {"type": "null"}],
    "description": "give it as cursor for the next page; null on the last",
}
_PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "a stable slug, such as not_found"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


class Schemas:
    """The schemas of a table of operations.

    Args:
        operations: the table.

    Attributes:
        components: those that have a name, by name.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        shapes: list[type] = []
        self.components: dict[str, Schema] = {PROBLEM: _PROBLEM}
        for each in operations:
            shapes += [shape for shape in (each.answer, each.body) if isinstance(shape, type)]
            if isinstance(each.answer, RecordOf) and each.answer.kind not in self.components:
                self.components |= _record(each.answer.kind)
        self._types = list(dict.fromkeys(shapes))
        found, named = msgspec.json.schema_components(self._types, ref_template=TEMPLATE)
        self._found = dict(zip(self._types, found, strict=True))
        self.components |= {name: _described(each) for name, each in named.items()}

    def of(self, shape: Shape, *, is_list: bool = False) -> Schema:
        """The schema of a shape, or of a page of such."""
        one = _ref(shape.kind) if isinstance(shape, RecordOf) else self._found[shape]
        if not is_list:
            return one
        return {
            "type": "object",
            "required": ["items", "next_cursor"],
            "properties": {"items": {"type": "array", "items": one}, "next_cursor": _CURSOR},
        }


def problem() -> Schema:
    """The schema of every error."""
    return _ref(PROBLEM)


def _record(kind: str) -> dict[str, Schema]:
    """The schema of a kind of record, and those that it refers to under names of its own."""
    whole = schema_of(kind)
    inner = whole.pop("$defs")
    whole.pop("$schema")
    return {kind: _moved(whole, kind), **{f"{kind}.{name}": _moved(each, kind) for name, each in inner.items()}}


def _moved(node: Any, kind: str) -> Any:
    """References to a document's own definitions, turned into references to components."""
    if isinstance(node, Mapping):
        return {
            name: f"#/components/schemas/{kind}.{value.removeprefix('#/$defs/')}"
            if name == "$ref"
            else _moved(value, kind)
            for name, value in node.items()
        }
    return [_moved(each, kind) for each in node] if isinstance(node, list) else node


def _described(schema: Schema) -> Schema:
    """With its description laid out: of a class the whole docstring, whose lines are indented."""
    return {**schema, "description": inspect.cleandoc(schema.get("description", ""))}


def _ref(name: str) -> Schema:
    return {"$ref": TEMPLATE.format(name=name)}
