"""What is typed on the command line to choose, to name and to pace; chosen letters are looked up for real."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import typer

from handlers.errors import MaintenworksError
from handlers.store import read_letters
from tests import folding
from tests.fuzz.mutations import damaged_text
from tests.fuzz.parser import READ, REFUSED, Ends, Feed, Parser, pure
from worker import audit
from worker.cli import acting, connections, dead_letters_given, given, looking

SOUND: dict[str, tuple[Callable[[str], object], list[str]]] = {
    "duration": (lambda text: given.duration(text, "--grace"), ["90s", "30min", "24h", "7d", "999999d"]),
    "moment": (lambda text: given.moment(text, "--not-after"), ["2026-03-01T08:00:00Z", "2026-03-01T08:00:00+05:30"]),
    "date or time": (lambda text: looking.moment(text, "--since"), ["2026-03-01", "2026-03-01T08:00:00.5Z"]),
    "header": (lambda text: given.headers([text, text]), ["X-Signature: abc", "a:b"]),
    "rate": (dead_letters_given.rate, ["50/s", "1", "999999 / s"]),
    "head": (audit.read_head, [f"12:{'9f' * 32}"]),
    "scheme": (connections._scheme, ['{ hmac = { header = "X" } }', "makini"]),
    "operator": (lambda text: acting.operator(text, text), ["anna", "é"]),
}
LETTERS = ["d-1/3", "d-1/body", "d-1", "019ff0d4-7c3a-7000-8000-000000000000/0"]
CODES = ["missing_field", "1a2b", "%", "_", "\\"]


class Typed(NamedTuple):
    """One value as it was typed."""

    what: str
    text: str


def _typed(chance: random.Random) -> Typed:
    what = chance.choice(sorted(SOUND))
    text = chance.choice(SOUND[what][1])
    return Typed(what, damaged_text(text, chance) if chance.random() < 0.9 else text)


def _feed_typed(typed: Typed) -> Ends:
    try:
        SOUND[typed.what][0](typed.text)
    except (MaintenworksError, typer.BadParameter, typer.Exit):
        return REFUSED
    return READ


def _filters(chance: random.Random) -> dict[str, object]:
    def some(*sound: str) -> str | None:
        return damaged_text(chance.choice(sound), chance) if chance.random() < 0.4 else None

    return {
        "connection": some("acme"),
        "type_": some("work_order.updated"),
        "error": some(*CODES),
        "fingerprint": some(*CODES),
        "since": some("2026-03-01") if chance.random() < 0.3 else None,
        "until": some("2026-03-01T08:00:00Z") if chance.random() < 0.3 else None,
        "ids": [each for _ in range(chance.randrange(3)) if (each := some(*LETTERS)) is not None] or None,
        "state": chance.choice([None, "all", "open", "opened"]),
    }


@contextmanager
def _letters(folder: Path) -> Iterator[Feed]:
    database = folding.sqlite(folder)

    def feed(filters: dict[str, str | None]) -> Ends:
        try:
            wanted = dead_letters_given.wanted(**filters)  # type: ignore[arg-type]  # ids is the only list
            assert list(read_letters.listed(database, wanted)) == []
        except (MaintenworksError, typer.BadParameter):
            return REFUSED
        dead_letters_given.filters(wanted)
        return READ

    try:
        yield feed
    finally:
        database.close()


PARSERS = (
    Parser("CLI values", 60, _typed, pure(_feed_typed)),
    Parser("CLI filters", 20, _filters, _letters),
)
