"""Times, numbers and keys, each as it comes out of a JSON value."""

import random
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import msgspec

from handlers.errors import PermanentError
from handlers.events import MappingOptions
from handlers.model import scalars, times
from handlers.model.numbers import number_from_json
from handlers.model.reading import Context, Reader, keep, without_nul
from tests.fuzz.mutations import HOSTILE_JSON, damaged
from tests.fuzz.parser import READ, REFUSED, Ends, Feed, Parser, pure

ZONES = [None, "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "No/Where", "../zone", "", "a\0b"]
TIMES = [b'"2026-03-01T08:00:00Z"', b'"2026-10-25T02:30:00.5"', b'"2026-06-30T23:59:60Z"', b'"2026-03-01"', b"20260301"]
TIMES += [b'"2026-03-01 08:00:00.000001+05:30"', b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59.9-12:00"']
NUMBERS = [b"0", b"-17", b"1.50", b"1e59", b'"172800.0"', b'"1.728E5"', b"12345678901234567890", b"-0.0", b"1e1000000"]
KEYS = [
    b'"PUMP-7"',
    b"4711",
    b'"\xc3\xa9\xc3\xa9"',
    b'"' + b"k" * 512 + b'"',
    b'"\\u0041\\ud83d\\ude00"',
    b'"a\\u0000b"',
]
OTHER_VALUES = [each.encode(errors="surrogatepass") for each in HOSTILE_JSON]

_VALUES = msgspec.json.Decoder(Any, float_hook=number_from_json)


def _drawn(sound: Sequence[bytes]) -> Callable[[random.Random], tuple[str | None, bytes]]:
    def make(chance: random.Random) -> tuple[str | None, bytes]:
        raw = chance.choice(sound) if chance.random() < 0.8 else chance.choice(OTHER_VALUES)
        return chance.choice(ZONES), damaged(raw, chance) if chance.random() < 0.9 else raw

    return make


def _read_by(readers: Sequence[Reader]) -> Feed:
    def feed(drawn: tuple[str | None, bytes]) -> Ends:
        zone, raw = drawn
        try:
            decoded = _VALUES.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return REFUSED  # not JSON; what becomes of that is the sources' affair
        return READ if [each for each in readers if _kept(each, decoded, zone)] else REFUSED

    return feed


def _kept(reader: Reader, value: Any, zone: str | None) -> bool:
    context = Context(MappingOptions(time_zone=zone))
    try:
        kept = reader(without_nul(value, "data.x", context), "data.x", context)
    except PermanentError as error:
        refused = error
    else:
        assert b"\\u0000" not in msgspec.json.encode(kept).replace(rb"\\", b"")
        return True
    assert refused.code
    assert (refused.path or "").startswith("$.data.x")
    return False


def _readers(module: ModuleType) -> list[Reader]:
    return [reader for name, reader in vars(module).items() if name.startswith("read_")]


PARSERS = (
    Parser("times", 90, _drawn(TIMES), pure(_read_by(_readers(times)))),
    Parser("numbers", 90, _drawn(NUMBERS), pure(_read_by(_readers(scalars)))),
    Parser("keys", 60, _drawn(KEYS), pure(_read_by([*_readers(scalars), keep]))),
)
