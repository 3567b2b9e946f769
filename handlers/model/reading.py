"""How a value from outside becomes a value as it is kept: the context of one event, and the readers' contract.

A reader is a pure function of (value, path, context). It returns the kept form, raises `PermanentError` where the
value cannot be that, and warns through the context where it was doubtful. A field's null never comes to it: null
clears a field, whatever the field is.

Paths: an error's path starts at the delivery's body (`$[3].data.key`), so that an operator finds the place. A warning
is kept with the record, and a record must not know how its events were batched, so its path starts at the event
(`$.data.status`).
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from handlers.errors import PermanentError
from handlers.events import Json, MappingOptions
from handlers.model.numbers import NUMBERS, number_text

MAX_DEPTH = 64
"""Greatest nesting kept: far beyond any real payload, far below what the databases' JSON types and Python bear."""

MAX_WARNINGS = 100
"""Most warnings kept with one event; the last says that there were more."""

MAX_PATH = 300
"""Longest path in an error or warning, in characters: member names come from outside and have no limit."""

SMALLEST_INTEGER, GREATEST_INTEGER = -(2**63), 2**63 - 1
"""What an integer in JSON may be here without becoming text: the signed 64 bits every JSON library and database has."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What U+0000 becomes: PostgreSQL's text cannot hold it (its manual, 8.14 "JSON Types")."""

Reader: TypeAlias = "Callable[[Any, str, Context], Json]"
"""Reads one value that is not null, found at a path within the event."""

PLAIN = (str, bool, type(None))
"""What is kept as it is."""
_TYPES = {bool: "boolean", int: "number", Decimal: "number", str: "string", list: "array", dict: "object"}


def found(value: Any) -> str:
    """Names the JSON type of a decoded value."""
    return _TYPES.get(type(value), "null")


def member(path: str, name: str) -> str:
    """The path of an object's member, quoted where the name is no plain word."""
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{json.dumps(name)}]"


class Context:
    """What the readers of one event share.

    Attributes:
        options: what the connection tells its source.
        root: where the event stands in the delivery's body: `$`, or `$[3]` in an array.
        time_zone: IANA name of the zone of times that state none; None where nobody said.
        warnings: what was doubtful so far, as `{"code", "path", "detail"}`.
        unknown_words: words found in no list, by path: kept beside the field that could not take them.
    """

    __slots__ = ("options", "root", "time_zone", "unknown_words", "warnings")

    def __init__(self, options: MappingOptions, root: str = "$") -> None:
        self.options = options
        self.root = root
        self.time_zone = options.time_zone
        self.warnings: list[dict[str, str]] = []
        self.unknown_words: dict[str, str] = {}

    def at_site(self, site: str | None) -> None:
        """Takes the zone that the connection names for a site, by its key."""
        if site is not None:
            self.time_zone = self.options.site_zones.get(site, self.options.time_zone)

    def error(self, code: str, path: str, value_type: str, expected: str) -> PermanentError:
        """Builds the refusal of a value.

        Args:
            code: a stable slug.
            path: where the value stood within the event, such as `data.key`; empty for the event itself.
            value_type: the type of what was found (never the value), or `nothing`.
            expected: what should have stood there, in words.
        """
        dot = "." if path and not path.startswith("[") else ""
        place = f"{self.root}{dot}{path}"[:MAX_PATH]
        return PermanentError(
            code, f"{place}: {value_type} where {expected} is expected", path=place, found=value_type, expected=expected
        )

    def wrong_type(self, path: str, value: Any, expected: str) -> PermanentError:
        """Builds the refusal of a value whose JSON type is not the one expected."""
        return self.error("wrong_type", path, found(value), expected)

    def warn(self, code: str, path: str, detail: str) -> None:
        """Records that something was doubtful.

        Args:
            code: a stable slug.
            path: where, within the event.
            detail: what and why; kept with the record, never logged.
        """
        if len(self.warnings) < MAX_WARNINGS:
            # It is kept as any text is, and a path may hold names from outside.
            place = f"$.{path}"[:MAX_PATH].replace("\0", REPLACEMENT)
            self.warnings.append({"code": code, "path": place, "detail": detail.replace("\0", REPLACEMENT)})
            return
        self.warnings[-1] = {"code": "more_warnings", "path": "$", "detail": f"there were more than {MAX_WARNINGS}"}


def keep(value: Any, path: str, context: Context, depth: int = 0) -> Json:
    """Keeps what no model describes, member by member.

    Integers of at most 64 bits stay numbers; every other number becomes its exact text.

    Raises:
        PermanentError: `out_of_range` for a number beyond what is kept, `too_deep` for nesting beyond `MAX_DEPTH`.
    """
    if isinstance(value, PLAIN):
        return value
    if type(value) is int and SMALLEST_INTEGER <= value <= GREATEST_INTEGER:
        return value
    if isinstance(value, NUMBERS):
        return number(value, path, context)
    _check_depth(depth, path, context, value)
    if isinstance(value, list):
        return [
            each if isinstance(each, PLAIN) else keep(each, f"{path}[{index}]", context, depth + 1)
            for index, each in enumerate(value)
        ]
    return keep_members(value, path, context, depth + 1)


def keep_members(values: Mapping[str, Any], path: str, context: Context, depth: int = 0) -> dict[str, Json]:
    """Keeps the members of an object; see `keep`. Where the object is the event itself, its path is empty."""
    return {
        name: each
        if isinstance(each, PLAIN) or (type(each) is int and SMALLEST_INTEGER <= each <= GREATEST_INTEGER)
        else keep(each, member(path, name) if path else member("", name).removeprefix("."), context, depth)
        for name, each in values.items()
    }


def number(value: int | Decimal, path: str, context: Context) -> str:
    """The exact text of a number.

    Raises:
        PermanentError: `out_of_range` for one that is not finite or has too many digits or too great an exponent.
    """
    text = number_text(value)
    if text is None:
        expected = "a finite number of at most 60 digits and exponent within ±60"
        raise context.error("out_of_range", path, "number", expected)
    return text


def without_nul(value: Any, path: str, context: Context, depth: int = 0) -> Any:
    """Replaces every U+0000 in a decoded value, names of members too, with a warning for each text.

    Raises:
        PermanentError: `too_deep` for nesting beyond `MAX_DEPTH`.
    """
    if isinstance(value, str):
        if "\0" not in value:
            return value
        context.warn("nul_replaced", path, "U+0000 cannot be stored and became U+FFFD")
        return value.replace("\0", REPLACEMENT)
    if not isinstance(value, list | dict):
        return value
    _check_depth(depth, path, context, value)
    if isinstance(value, list):
        return [without_nul(each, f"{path}[{index}]", context, depth + 1) for index, each in enumerate(value)]
    cleaned = {}
    for name, each in value.items():
        clean_name = without_nul(name, path, context, depth + 1)
        cleaned[clean_name] = without_nul(each, member(path, clean_name), context, depth + 1)
    return cleaned


def _check_depth(depth: int, path: str, context: Context, value: Any) -> None:
    if depth >= MAX_DEPTH:
        raise context.error("too_deep", path, found(value), f"at most {MAX_DEPTH} levels of nesting")
