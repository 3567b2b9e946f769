"""Files that operators hand over: `connections.toml`, and an exported audit log."""

import io
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

import msgspec

from handlers.connections.parsing import parse
from handlers.connections.registry import decoded
from handlers.errors import ConfigurationError
from handlers.sources import load
from handlers.store.audit import GENESIS, Entry, Head, sealed
from tests.fuzz.mutations import damaged, damaged_json
from tests.fuzz.parser import READ, REFUSED, Ends, Parser, pure
from tests.handlers.connections.test_parsing import FULL, NAMES
from worker.audit import exported, verify

NAME = "connections.toml"
WORDS = ["true", "1", "-0.5", "nan", "9" * 5000, "1e1000000", '"x"', '"env:A"', '"file:a"', '"unified"', '"../x"', '""']
WORDS += [
    "2026-01-01",
    "12:00:00",
    "2026-01-01T00:00:00Z",
    "0x1f",
    '"\\u0000"',
    '"200/s"',
    '"Europe/Berlin"',
    '"a\\u0000"',
]
MEMBERS = ["ref", "hmac", "header", "token", "base_url", "not_after", "tolerance", "signed", "a"]
ROWS = 5


def _toml(chance: random.Random) -> bytes:
    if chance.random() < 0.5:
        return damaged(FULL.encode(), chance)
    fields = {name: _junk(chance, 3) for name in chance.sample(NAMES, chance.randrange(1, 6))}
    lines = [line for line in FULL.splitlines() if line.partition(" ")[0] not in fields]
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in fields.items())]).encode()


def _junk(chance: random.Random, depth: int) -> str:
    """A value of TOML where another one belongs."""
    way = chance.random()
    if depth == 0 or way < 0.5:
        return chance.choice(WORDS)
    values = [_junk(chance, depth - 1) for _ in range(chance.randrange(3))]
    if way < 0.75:
        return f"[{', '.join(values)}]"
    members = [f"{name} = {value}" for name, value in zip(chance.sample(MEMBERS, len(values)), values, strict=True)]
    return f"{{ {', '.join(members)} }}"


def _feed_toml(raw: bytes) -> Ends:
    try:
        parse(decoded(raw, NAME), NAME, load())
    except ConfigurationError as error:
        told = error.problems
    else:
        return READ
    assert told
    assert [line for line in told if not line.startswith(f"{NAME}:") or "\n" in line] == []
    return REFUSED


@cache
def chain() -> tuple[Entry, ...]:
    """A sound log."""
    rows: list[Entry] = []
    for number in range(1, ROWS + 1):
        bare = Entry(
            sequence=number,
            at=datetime(2026, 3, number, tzinfo=UTC),
            who="anna",
            act="dead_letters.discard",
            reason="no use, é",
            plan={"filters": {"connection": "acme"}, "matched": number},
            outcome={"discarded": number, "letters": ["d-1/0"]},
            previous_hash=rows[-1].hash if rows else GENESIS,
            hash="",
        )
        rows.append(msgspec.structs.replace(bare, hash=sealed(bare)))
    return tuple(rows)


def _export(chance: random.Random) -> bytes:
    lines = [msgspec.json.encode(each) for each in chain()]
    way = chance.random()
    if way < 0.2:
        chance.shuffle(lines)
    elif way < 0.7:
        place = chance.randrange(ROWS)
        lines[place] = damaged_json(lines[place], chance)
    whole = b"\n".join(lines) + b"\n"
    return whole if way < 0.7 else damaged(whole, chance)


def _feed_export(raw: bytes) -> Ends:
    verdict = verify(exported(io.BytesIO(raw)), Head(ROWS, chain()[-1].hash))
    if verdict.findings:
        return REFUSED
    assert _rows(raw) == list(chain()), "what is found whole says what was written"
    return READ


def _rows(raw: bytes) -> Sequence[Entry]:
    return list(exported(io.BytesIO(raw)))


PARSERS = (
    Parser("connections.toml", 50, _toml, pure(_feed_toml)),
    Parser("audit export", 60, _export, pure(_feed_export)),
)
