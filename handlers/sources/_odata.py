"""What both Dynamics products say in OData: which entity set a record is of, and nulls written as values."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from handlers.sources._converters import text
from handlers.sources._mapping import Field
from handlers.sources._node import Node

CONTEXT: Final = "@odata.context"
"""Names the set, beside the records or in a lone one (OData JSON Format 4.01, 4.6.1)."""
ETAG: Final = "@odata.etag"
"""Tells whether a record is the one it was; which of two is newer it does not."""

Names: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""By our member the source's; of `lines` all of several, of any other the first of several that has a value."""

_SET = re.compile(r"#(?:companies\((?P<company>[^()]*)\)/)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def entity_set(node: Node) -> tuple[str | None, str | None]:
    """The company and the entity set that a record's context names; each None where it does not."""
    context = node.get(CONTEXT) or node.given.beside(CONTEXT)
    match = _SET.search(context) if isinstance(context, str) else None
    return (None, None) if match is None else (match["company"], match["name"])


def has_all(node: Node, names: Iterable[str]) -> bool:
    """Whether a record has all of some members: OData sends nulls, so one that was not cut down has them all."""
    return all(name in node for name in names)


def own(node: Node, custom: Mapping[str, Any]) -> dict[str, Any]:
    """Members that no table lists, the source's nulls among them as null, what OData says about its own apart."""
    is_null = node.given.is_null
    return {
        name: None if is_null is not None and is_null(value) else value
        for name, value in custom.items()
        if "@odata." not in name
    }


def own_in_row(node: Node, row: dict[str, Any]) -> None:
    """Likewise of a row, in place: it replaces the one before as a whole, so nulls say nothing."""
    if "custom_fields" in row:
        row["custom_fields"] = {
            name: value for name, value in own(node, row["custom_fields"]).items() if value is not None
        }


def unescaped(value: str) -> str:
    """An enumeration's value as people write it: `In_x0020_Review` is `In Review`."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)


def terms(value: Any, node: Node, field: Field) -> dict[str, Any]:
    """Payment terms by the code that the source knows them by."""
    return {"code": text(value, node, field)}


def named(names: Names) -> list[str]:
    """All members of the source that they name."""
    return [name for given in names.values() for name in ((given,) if isinstance(given, str) else given)]


def address(node: Node, names: Names) -> dict[str, Any] | None:
    """An address from members of a record; None where none of them has a value."""
    found: dict[str, Any] = {}
    for target, given in names.items():
        values = [value for each in ((given,) if isinstance(given, str) else given) if (value := node.text(each))]
        if values:
            found[target] = values if target == "lines" else values[0]
    return found or None


def put_address(node: Node, data: dict[str, Any], target: str, names: Names) -> None:
    """Tells an address where the record has any of its members."""
    if any(name in node for name in named(names)):
        data[target] = address(node, names)


def put_list(node: Node, data: dict[str, Any], target: str, name: str) -> None:
    """Tells a list of one, where the record has the member."""
    if name in node:
        value = node.text(name)
        data[target] = [] if value is None else [value]
