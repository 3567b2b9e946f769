"""Damage to bytes and to JSON, drawn from a seed: what a hostile, broken or foreign sender might send.

A plain mutator instead of Hypothesis: it makes a hundred times as many inputs a second, and any of them again by its
number alone.
"""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

TOKENS = [b"\r\n", b" ", b"0", b"%41", b",", b"\x00", b'"', b"\\", b"{", b"[", b"}", b"]", b":", b"-", b"\xff"]
TOKENS += [b"1e1000000", b"9" * 400, b"\\u0000", b"\\ud800", b"\xed\xa0\x80", b"null", b"nan", b"\xef\xbb\xbf", b"="]
"""What parsers stumble over."""

HOSTILE_JSON = ["1e1000000", "-1e-1000000", "9" * 5000, "-" + "1" * 61, "1e60", "1e61", "-0.0", "0.1e-70", "1E400"]
HOSTILE_JSON += ["9223372036854775808", "-9223372036854775809", "18446744073709551616", "NaN", "Infinity", "01", "1."]
HOSTILE_JSON += ['"\\u0000"', '"\\ud800"', '"\\udc00\\ud800"', '"\\x"', f'"{"x" * 600}"', '"é\\u0000ü"', '"\U0001f600"']
HOSTILE_JSON += ["null", "true", "false", '""', "{}", "[]", "[null]", "[[]]", '{"key": null}', '{"value": {}}', "nul"]
HOSTILE_JSON += ["[" * 70 + "]" * 70, '{"a":' * 70 + "1" + "}" * 70, "[" * 3000, f"[{','.join('1' * 1001)}]", "'a'"]
HOSTILE_JSON += ['"0000-01-01"', '"9999-12-31T23:59:60Z"', '"0001-01-01T00:00:00+23:59"', '"2026-02-30"']
HOSTILE_JSON += [
    '"2026-03-29T02:30:00"',
    '"2026-03-01T08:00:00.123456789012345678Z"',
    '"2026-W10-1"',
    '"\u0662\u0660\u0662\u0666-03-01"',
]
HOSTILE_JSON += [
    '"1e1000000"',
    f'"{"9" * 5000}"',
    '"1_000"',
    '"0x10"',
    '"\u0661\u0662"',
    '"-"',
    '"+.e1"',
    "1.0000000000000000000",
]
"""Values in JSON's own spelling, sound and unsound ones."""

MOST_BYTES = 1024 * 1024
"""Of a body: what is longer no receiver takes by default."""
KEYS = ["key", "id", "type", "data", "", "a" * 700, "\0", "\ud800", "custom_fields", "value", "__class__", "é"]
"""Names that a member may get."""

_PLACE = "\ue000"
"""Stands in a document for a value that `json` could not write itself; from a private area, so in no sample."""
FEW = [1, 1, 1, 1, 2, 3, 8]
"""How often one input is damaged."""

Mutation = Callable[[bytearray, int, random.Random], None]


def flip(raw: bytearray, at: int, chance: random.Random) -> None:
    """Turns one bit."""
    raw[at] ^= 1 << chance.randrange(8)


def replace(raw: bytearray, at: int, chance: random.Random) -> None:
    """Puts any byte in the place of one."""
    raw[at] = chance.randrange(256)


def insert(raw: bytearray, at: int, chance: random.Random) -> None:
    """Puts a token or any byte in between."""
    raw[at:at] = chance.choice([*TOKENS, bytes([chance.randrange(256)])])


def delete(raw: bytearray, at: int, chance: random.Random) -> None:
    """Takes some bytes out."""
    del raw[at : at + chance.choice([1, 1, 1, 2, 8, 40])]


def repeat(raw: bytearray, at: int, chance: random.Random) -> None:
    """Says something twice."""
    end = at + chance.randrange(1, 60)
    raw[at:at] = raw[at:end]


def cut(raw: bytearray, at: int, _: random.Random) -> None:
    """Ends early."""
    del raw[at:]


def flood(raw: bytearray, at: int, chance: random.Random) -> None:
    """Says one byte very often."""
    raw[at:at] = bytes([chance.choice(b"[{(0 9\"',=-")]) * chance.choice([70, 700, 7000])


BYTEWISE: tuple[Mutation, ...] = (flip, replace, insert, delete, repeat)
EVERYTHING: tuple[Mutation, ...] = (*(BYTEWISE * 3), cut, flood)


def damaged(raw: bytes, chance: random.Random, mutations: Sequence[Mutation] = EVERYTHING) -> bytes:
    """A sound input with a few things wrong."""
    found = bytearray(raw)
    for _ in range(chance.choice(FEW)):
        chance.choice(mutations)(found, chance.randrange(len(found)), chance) if found else found.append(0x30)
    return bytes(found)


def damaged_text(text: str, chance: random.Random) -> str:
    """The same for what arrives as text, which may hold anything but what no shell and no file can give."""
    return damaged(text.encode(), chance).decode(errors="surrogateescape")


def damaged_json(raw: bytes, chance: random.Random) -> bytes:
    """A document in which values, names and their number are others; one in eight is damaged by bytes besides."""
    document = [json.loads(raw)]
    hostile: list[str] = []
    for _ in range(chance.choice(FEW)):
        _damage(document, chance, hostile)
    text = json.dumps(document[0], ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, None, 1]))
    for number, value in enumerate(hostile):
        text = text.replace(json.dumps(f"{_PLACE}{number}{_PLACE}"), value).replace(
            f'"{_PLACE}{number}{_PLACE}"', value
        )
    spelt = text.encode(errors="surrogatepass")[:MOST_BYTES]
    return damaged(spelt, chance) if chance.random() < 0.125 else spelt


def _damage(document: list[Any], chance: random.Random, hostile: list[str]) -> None:
    """Changes one place of a document, found by a walk that may end at any depth."""
    holder: Any = document
    place: Any = 0
    while isinstance(holder[place], dict | list) and holder[place] and chance.random() < 0.75:
        holder = holder[place]
        place = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
    way = chance.random()
    if way < 0.6:
        hostile.append(chance.choice(HOSTILE_JSON))
        holder[place] = f"{_PLACE}{len(hostile) - 1}{_PLACE}"
    elif way < 0.7 and isinstance(holder, dict):
        holder[chance.choice(KEYS)] = holder.pop(place)
    elif way < 0.8 and holder is not document:
        del holder[place]
    elif way < 0.9:
        many = 1001 if holder is document and isinstance(holder[place], dict) else 3
        holder[place] = [holder[place]] * chance.choice([1, 2, 3, many])
    elif isinstance(holder, dict):
        holder[chance.choice(KEYS)] = holder[place]
