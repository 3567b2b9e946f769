"""JSON Pointer (RFC 6901) into bytes that may be hostile: the one look that is taken into a body before it is trusted.

What lies beside the path is passed over without becoming objects, so the work grows with the body's size and the
memory with its commas alone, of which a list may have so many. One extension: `*` stands for every element of an
array. One restriction: a name has no quotation mark and no backslash. Nothing here raises for a body.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec

from handlers.errors import ConfigurationError
from handlers.events import MAX_ELEMENTS

EACH: Final = "*"
"""Stands for every element of an array; a member of that very name cannot be pointed at."""

MAX_PARTS: Final = 16
MAX_POINTER_CHARACTERS: Final = 256
MAX_TEXT_CHARACTERS: Final = 2048
"""Of a text pointed at: as long as the longest clientState (Microsoft Learn, "Working with webhooks in Business
Central")."""

MAX_COMMAS: Final = 1 << 18
"""In an array that is looked into: each of its elements is an object of some 64 bytes for a moment."""

_POINTER: Final = re.compile(r"(?:/(?:[^~/\x22\x5c\x00-\x1f]|~[01])*)+")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")
_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,39}")
_WHITE_SPACE: Final = b" \t\n\r"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final = msgspec.json.Decoder(str)


@dataclass(frozen=True)
class Pointer:
    """Where something is in a JSON text.

    Attributes:
        text: as it was written.
        parts: the names and indexes, unescaped, with at most one `EACH`.
    """

    text: str
    parts: tuple[str, ...]

    @property
    def many(self) -> bool:
        """Whether it points into every element of an array."""
        return EACH in self.parts

    def in_each(self) -> "Pointer":
        """The same inside every element of a body that is an array; itself where it says so already."""
        return self if self.many else Pointer(f"/{EACH}{self.text}", (EACH, *self.parts))

    def elements(self, body: bytes) -> list[bytes] | None:
        """The elements that `EACH` stands for, without surrounding white space; the body alone without one.

        Returns:
            None where there is no such array, or it has more than `MAX_ELEMENTS`.
        """
        if not self.many:
            return [_bare(body)]
        array = _walk(_bare(body), self.parts[: self.parts.index(EACH)])
        found = None if array is None else _elements(array)
        return None if found is None or len(found) > MAX_ELEMENTS else [bytes(each) for each in found]

    def texts(self, body: bytes) -> list[str | None]:
        """The texts pointed at, one for each element; an integer counts as its digits.

        Returns:
            None in the place of whatever is missing or something else; an empty list where there is no such array.
        """
        inside = self.parts[self.parts.index(EACH) + 1 :] if self.many else self.parts
        return [_text(_walk(each, inside)) for each in self.elements(body) or ()]

    def path(self, element: int) -> str:
        """The same as a JSON path, `$[3].connection_id`, of one element where there are many."""
        parts = (str(element) if part == EACH else part for part in self.parts)
        return "$" + "".join(f"[{part}]" if _INDEX.fullmatch(part) else f".{part}" for part in parts)

    def around(self, body: bytes) -> tuple[bytes, bytes]:
        """What stands before and behind the array whose elements `EACH` stands for; of a body `elements` could read."""
        return _around(_bare(body), self.parts[: self.parts.index(EACH)])

    def put(self, body: bytes, text: str) -> bytes:
        """The body with a text at the place pointed at, in every element; all else keeps its bytes.

        Raises:
            ConfigurationError: there is no such place.
        """
        try:
            return _put(_bare(body), self.parts, msgspec.json.encode(text))
        except (*_UNREADABLE, LookupError):
            raise ConfigurationError([f"body: has no place {self.text} for the token; write one there"]) from None


def pointer(text: object) -> Pointer:
    """Reads a pointer.

    Raises:
        ConfigurationError: it is none; one line, with how to write one.
    """
    problem = pointer_problem(text)
    if problem is not None:
        raise ConfigurationError([problem])
    parts = str(text)[1:].split("/")
    return Pointer(str(text), tuple(part.replace("~1", "/").replace("~0", "~") for part in parts))


def pointer_problem(text: object) -> str | None:
    """Why something is no pointer, with its mend; None where it is one."""
    if not isinstance(text, str) or len(text) > MAX_POINTER_CHARACTERS or not _POINTER.fullmatch(text):
        return 'is no JSON Pointer; write one like "/connection_id" or "/value/0/clientState"'
    parts = text[1:].split("/")
    if len(parts) > MAX_PARTS:
        return f"goes deeper than {MAX_PARTS} names; point at something nearer"
    if parts.count(EACH) > 1:
        return f"has {EACH} more than once; keep the one for the array of events"
    return None


def _bare(body: bytes) -> bytes:
    return body.removeprefix(_BYTE_ORDER_MARK).strip(_WHITE_SPACE)


def _walk(raw: bytes, parts: Sequence[str]) -> bytes | None:
    for part in parts:
        found = _step(raw, part)
        if found is None:
            return None
        raw = found
    return raw


def _step(raw: bytes, part: str) -> bytes | None:
    if raw[:1] == b"[":
        elements = (_elements(raw) or []) if _INDEX.fullmatch(part) else []
        return bytes(elements[int(part)]) if elements and int(part) < len(elements) else None
    if raw[:1] != b"{":
        return None
    try:
        return bytes(_member(part).decode(raw).found) or None
    except _UNREADABLE:
        return None


@lru_cache(maxsize=256)
def _member(name: str) -> "msgspec.json.Decoder[Any]":
    """Reads one member of an object and makes nothing of the others; names come from configuration alone."""
    fields = [("found", msgspec.Raw, msgspec.Raw(b""))]
    return msgspec.json.Decoder(msgspec.defstruct("Member", fields, rename={"found": name}, gc=False))


def _elements(raw: bytes) -> list[msgspec.Raw] | None:
    if raw.count(b",") > MAX_COMMAS:
        return None
    try:
        return _ARRAY.decode(raw)
    except _UNREADABLE:
        return None


def _text(raw: bytes | None) -> str | None:
    if raw is None or len(raw) > 6 * MAX_TEXT_CHARACTERS + 2:  # \u00e4 is six
        return None
    if _INTEGER.fullmatch(raw):
        return raw.decode()
    try:
        text = _TEXT.decode(raw)
    except _UNREADABLE:
        return None
    return text if len(text) <= MAX_TEXT_CHARACTERS else None


def _around(raw: bytes, parts: Sequence[str]) -> tuple[bytes, bytes]:
    if not parts:
        return b"", b""
    part, inside = parts[0], parts[1:]
    if raw[:1] == b"[":
        elements = [bytes(each) for each in _ARRAY.decode(raw)]
        place, opening, closing, name = int(part), b"[", b"]", b""
    else:
        members = {name: bytes(each) for name, each in _MEMBERS.decode(raw).items()}
        elements = [msgspec.json.encode(name) + b":" + each for name, each in members.items()]
        place, opening, closing, name = list(members).index(part), b"{", b"}", msgspec.json.encode(part) + b":"
    before, behind = _around(elements[place].removeprefix(name), inside)
    head = b"".join(each + b"," for each in elements[:place])
    tail = b"".join(b"," + each for each in elements[place + 1 :])
    return opening + head + name + before, behind + tail + closing


def _put(raw: bytes, parts: Sequence[str], value: bytes) -> bytes:
    if not parts:
        return value
    part, inside = parts[0], parts[1:]
    if raw[:1] == b"[":
        elements = [bytes(each) for each in _ARRAY.decode(raw)]
        for place in range(len(elements)) if part == EACH else [int(part) if _INDEX.fullmatch(part) else len(elements)]:
            elements[place] = _put(elements[place], inside, value)
        return b"[" + b",".join(elements) + b"]"
    members = {name: bytes(each) for name, each in _MEMBERS.decode(raw).items()}
    members[part] = _put(members[part] if inside else b"", inside, value)
    return b"{" + b",".join(msgspec.json.encode(name) + b":" + each for name, each in members.items()) + b"}"
