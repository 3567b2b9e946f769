"""What members of printed JSON are made of; the JSON Schemas of the read API come from these types."""

from typing import Annotated, Any, TypeAlias

import msgspec

Instant: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A time in UTC, as it is kept."""
Day: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Index: TypeAlias = Annotated[int, msgspec.Meta(ge=-1)]
"""Of an event in its delivery; -1 stands for the whole body."""
Members: TypeAlias = dict[str, Any]
"""An object whose members are not fixed."""


def word(*words: str) -> msgspec.Meta:
    """Says of a text that it is one of some."""
    return msgspec.Meta(extra_json_schema={"enum": list(words)})
