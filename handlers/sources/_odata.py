"""What both Dynamics products say in OData: which entity set a record is of, and nulls written as values."""

import re
from collections.abc import Mapping
from typing import Any, Final

from handlers.sources._node import Node

CONTEXT: Final = "@odata.context"
"""Names the set, beside the records or in a lone one (OData JSON Format 4.01, 4.6.1)."""
ETAG: Final = "@odata.etag"
"""Tells whether a record is the one it was; which of two is newer it does not."""

_SET = re.compile(r"#(?:companies\((?P<company>[^()]*)\)/)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)")
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")


def entity_set(node: Node) -> tuple[str | None, str | None]:
    """The company and the entity set that a record's context names; each None where it does not."""
    context = node.get(CONTEXT) or node.given.beside(CONTEXT)
    match = _SET.search(context) if isinstance(context, str) else None
    return (None, None) if match is None else (match["company"], match["name"])


def own(node: Node, custom: Mapping[str, Any]) -> dict[str, Any]:
    """Members that no table lists, the source's nulls among them as null, what OData says about its own apart."""
    is_null = node.given.is_null
    return {
        name: None if is_null is not None and is_null(value) else value
        for name, value in custom.items()
        if "@odata." not in name
    }


def unescaped(value: str) -> str:
    """An enumeration's value as people write it: `In_x0020_Review` is `In Review`."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
