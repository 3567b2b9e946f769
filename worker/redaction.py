"""A payload as it may be looked at by anybody who may look: laid out, with what is nobody's business masked. Pure.

Masked are texts and numbers under names that say what they are, such as `password`, and whatever the connection's own
token scheme or the setting `redact` points at. The bytes stay as they came; an operator may see them, which is
audited.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from handlers.events import Json
from handlers.signatures.pointer import EACH, Pointer

MASK: Final = "\N{BULLET}\N{BULLET}\N{BULLET}"
SECRET_NAME: Final = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|api[-_ ]?key|authorization|credential|client[-_ ]?state|private[-_ ]?key",
    re.IGNORECASE,
)
LONGEST: Final = 256 * 1024
"""Characters that a page shows of a payload; a body of a megabyte is for `events raw`."""
DEEPEST: Final = 200
_IN_TEXT: Final = re.compile(
    rf"((?:{SECRET_NAME.pattern})[\w-]{{0,40}}[\"']?\s{{0,8}}[:=]\s{{0,8}}[\"']?)([^\s\"'&,;<>]+)", re.IGNORECASE
)
"""Every repetition has an end, or a long text of nothing but such names would be looked through once for each."""


class _Number(str):
    """A number exactly as it was written."""

    __slots__ = ()


class _Pairs(list[tuple[str, Any]]):
    """The members of an object, those of one name too."""


class _TooDeepError(Exception):
    """Nested so that nobody would read it, and no page should be made of it."""


def redacted(body: bytes, pointers: Sequence[Pointer] = ()) -> str:
    """The payload as text, laid out where it is JSON.

    Args:
        body: of a delivery, or of one event.
        pointers: what else is masked, from the root of the body; where they lead through an array, in an element of
            it alone, too.
    """
    try:
        value = json.loads(body, parse_float=_Number, parse_int=_Number, object_pairs_hook=_Pairs)
        paths = [part for pointer in pointers for part in _paths(pointer)]
        text = "".join(_written(value, paths, 0))
    except (ValueError, RecursionError, _TooDeepError):  # no JSON, or no UTF-8
        text = _IN_TEXT.sub(rf"\1{MASK}", body[: LONGEST + 1].decode(errors="backslashreplace"))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\N{HORIZONTAL ELLIPSIS}"


def masked(members: Mapping[str, Json]) -> dict[str, Json]:
    """Named values, those of secret names masked."""
    return {name: MASK if SECRET_NAME.search(name) else value for name, value in members.items()}


def _paths(pointer: Pointer) -> Iterator[tuple[str, ...]]:
    """The path of a pointer, and what of it is inside of an element of an array."""
    yield pointer.parts
    for place, part in enumerate(pointer.parts):
        if part == EACH or part.isdecimal():
            yield pointer.parts[place + 1 :]


def _written(value: Any, paths: Sequence[tuple[str, ...]], depth: int, name: str = "") -> Iterator[str]:
    if depth > DEEPEST:
        raise _TooDeepError
    is_array = isinstance(value, list) and not isinstance(value, _Pairs)
    if () in paths or (SECRET_NAME.search(name) and not is_array):
        yield json.dumps(MASK, ensure_ascii=False)
    elif isinstance(value, _Pairs):
        yield from _listed("{}", ((f"{_text(key)}: ", each, key) for key, each in value), paths, depth)
    elif isinstance(value, list):
        yield from _listed("[]", (("", each, str(place)) for place, each in enumerate(value)), paths, depth, name)
    else:
        yield value if isinstance(value, _Number) else _text(value)


def _listed(
    brackets: str, members: Iterator[tuple[str, Any, str]], paths: Sequence[tuple[str, ...]], depth: int, name: str = ""
) -> Iterator[str]:
    """Members between brackets, a line each; elements of a list are masked under the list's name."""
    before = brackets[0]
    for head, value, key in members:
        below = [path[1:] for path in paths if path and path[0] in {key, EACH}]
        yield f"{before}\n{'  ' * (depth + 1)}{head}"
        yield from _written(value, below, depth + 1, name or key)
        before = ","
    yield brackets if before == brackets[0] else f"\n{'  ' * depth}{brackets[1]}"


def _text(value: object) -> str:
    """A text, a flag or null; what a half of a surrogate pair stands for is spelt out."""
    text = json.dumps(value, ensure_ascii=False)
    return text.encode(errors="backslashreplace").decode()
