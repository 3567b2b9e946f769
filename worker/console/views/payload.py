"""A payload as lines, the one that an error's path leads to among them marked; and a form field of it. Pure."""

import contextlib
import json
import re
from typing import Final, NamedTuple

import msgspec

from worker.redaction import LONGEST

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[\"((?:[^\"\\]|\\.)*)\"\]|\['([^']*)'\]")
"""One step of a JSON path: a member, by its name or quoted, or a place of an array."""
_ESCAPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\u([0-9a-fA-F]{4})")
"""A character written by its number, behind backslashes that are escaped themselves."""
_INDENT: Final = 2
"""Spaces that a level of a laid out payload is set in by."""


class Line(NamedTuple):
    """A line.

    Attributes:
        text: of it.
        is_at: whether the path leads there.
    """

    text: str
    is_at: bool


def lines(text: str, path: str | None) -> list[Line]:
    """The lines of a payload that is laid out.

    Args:
        text: as `worker.redaction.redacted` lays it out.
        path: JSON path of what was wrong. Where that is not there, the innermost of what it stands in is marked; None
            marks nothing.
    """
    found = text.splitlines()
    place = None if path is None else _place(found, steps(path))
    return [Line(each, number == place) for number, each in enumerate(found)]


def steps(path: str) -> list[str]:
    """The names and places that a JSON path goes through."""
    return [next(part for part in each.groups() if part is not None) for each in _STEP.finditer(path)]


def own_path(path: str | None, *, is_part: bool) -> str | None:
    """The path inside of an event's own bytes, of one that begins at its delivery's body.

    Args:
        path: from the body.
        is_part: the event is an element of the body's array.
    """
    if path is None or not is_part:
        return path
    return re.sub(r"^\$\[\d+\]", "$", path)


def editable(body: bytes) -> str | None:
    """A payload as a text that can be edited in a form and comes back as it was; None where none can.

    JSON is laid out, and characters in it that are not seen are written as their escapes, those that are as themselves:
    it means the same.
    """
    try:
        text = msgspec.json.format(body, indent=2).decode()
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        # Of what is no JSON every character counts, and a form would change some.
        return body.decode() if len(body) <= LONGEST and _is_plain(body) else None
    if len(text) > LONGEST:
        return None
    text = _ESCAPE.sub(_seen, text)
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)


def readable(body: bytes) -> str:
    """A payload with nothing masked, laid out where it is JSON; what is no text is spelt out."""
    with contextlib.suppress(msgspec.MsgspecError, RecursionError):
        body = msgspec.json.format(body, indent=2)
    text = body.decode(errors="backslashreplace")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\N{HORIZONTAL ELLIPSIS}"


def edited(text: str) -> bytes:
    """The bytes that a form's field stands for: browsers send the ends of its lines as CR and LF."""
    return text.replace("\r\n", "\n").encode(errors="replace")


def _seen(escape: re.Match[str]) -> str:
    character = chr(int(escape[2], 16))
    return escape[1] + character if character.isprintable() and character not in '"\\' else escape[0]


def _is_plain(body: bytes) -> bool:
    try:
        return all(each.isprintable() or each in "\n\t" for each in body.decode())
    except UnicodeDecodeError:
        return False


def _place(found: list[str], wanted: list[str]) -> int | None:
    """The number of the line that a path leads to, or as far as it leads."""
    best, best_depth = (0 if found else None), 0
    at: list[str] = []  # where the line that is looked at stands
    counts: list[int] = []  # of each level: the elements before it, should it be an array
    for number, line in enumerate(found[1:], 1):
        depth = (len(line) - len(line.lstrip(" "))) // _INDENT
        rest = line.lstrip(" ")
        if depth == 0 or rest[:1] in {"}", "]"}:
            continue
        del at[depth - 1 :], counts[depth:]
        while len(counts) < depth:
            counts.append(0)
        at.append(_name(rest) or str(counts[depth - 1]))
        counts[depth - 1] += 1
        if depth > best_depth and at == wanted[:depth]:
            best, best_depth = number, depth
            if depth == len(wanted):
                return best
    return best


def _name(line: str) -> str | None:
    """The name of a member whose line it is; None for an element of an array."""
    if not line.startswith('"'):
        return None
    try:
        name, end = json.JSONDecoder().raw_decode(line)
    except ValueError:
        return None
    return str(name) if line[end : end + 1] == ":" else None
