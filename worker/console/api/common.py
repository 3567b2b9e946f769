"""Parameters and readings that several operations share."""

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from worker.acts import Operator
from worker.console.api.operations import Call, Param
from worker.console.api.paging import DEFAULT, MOST
from worker.console.ask import LONGEST_REASON, reason
from worker.console.house import House
from worker.moments import bounds, moment

MOMENT: Final = {
    "type": "string",
    "minLength": 10,
    "description": "a date (its midnight UTC), or a time with its offset",
    "examples": ["2026-03-01", "2026-03-01T08:00:00Z"],
}
BOOLEAN: Final = {"type": "boolean", "default": False}
CONNECTION: Final = Param("connection", "Only of this connection.")
LIMIT: Final = Param(
    "limit", "Items of a page.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}
)
CURSOR: Final = Param(
    "cursor", "Where the page begins: the next_cursor of the page before, which a short or an empty one may have, too."
)
PAGE: Final = (LIMIT, CURSOR)
SINCE: Final = Param("since", "From then on.", MOMENT)
UNTIL: Final = Param("until", "Before then.", MOMENT)
FROM: Final = Param("from", "From then on.", MOMENT)
TO: Final = Param("to", "Before then.", MOMENT)
AS_OF: Final = Param("as_of", "As if it were then; now otherwise.", MOMENT)

Reason = Annotated[
    str, msgspec.Meta(min_length=1, max_length=LONGEST_REASON, pattern=r"\S", description="for the audit log")
]


class Because(msgspec.Struct, forbid_unknown_fields=True):
    """An act that needs nothing but its reason."""

    reason: Reason


def choice(name: str, description: str, *words: str) -> Param:
    """A parameter that is one of some words."""
    return Param(name, description, {"type": "string", "enum": list(words)})


def operator(call: Call) -> Operator:
    """Who acts, and why, for the audit log.

    Raises:
        RefusalError: the reason is white space.
    """
    return Operator(call.who.name, reason(call.body.reason))


def limit(call: Call) -> int:
    """How many items a page has."""
    return call.number("limit", DEFAULT)


def between(call: Call, names: tuple[str, str] = ("since", "until")) -> tuple[datetime | None, datetime | None]:
    """A stretch of time.

    Raises:
        ConfigurationError: one is no time, or they are the wrong way round.
    """
    return bounds(call.text(names[0]), call.text(names[1]), names)


def at(house: House, call: Call, name: str = "as_of") -> datetime:
    """A moment; now where none was given.

    Raises:
        ConfigurationError: it is no time.
    """
    text = call.text(name)
    return house.now() if text is None else moment(text, name)


def all_of(items: list[Any]) -> dict[str, Any]:
    """A list that is one page, whatever its length: it has no order that a place in it could be told by."""
    return {"items": items, "next_cursor": None}
