"""Feeds a parser with bad inputs, and notes what must not be: a foreign exception, a slow input, memory that grows.

An input is known by its parser, its number and the seed; `--only` and `--first` have it again.
"""

import gc
import random
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil  # type: ignore[import-untyped]  # it ships no types

from tests.fuzz.parser import Feed, Parser

SLOW_SECONDS = 1.0
"""What no input may take (issue 3)."""
CHANCES = 3
"""Times that a slow input is timed again before it counts: the machine may have been busy."""
WARM_UP = 0.5
"""Part of the inputs that may fill caches and pools before memory is looked at."""
SHOWN = 400
"""Characters shown of a faulty input."""
MOST_FAULTS = 10
"""Different ones that are told of a parser."""


class Fault(NamedTuple):
    """Something that must not be.

    Attributes:
        number: of the input.
        what: the exception, or how long it took.
        place: where in the code.
        drawn: the input, cut.
    """

    number: int
    what: str
    place: str
    drawn: str


class Found(NamedTuple):
    """What a parser came to.

    Attributes:
        parser: its name.
        inputs: how many it was given.
        ends: how they ended.
        seconds: all of it.
        slowest: the longest of one drawing, in seconds, and its number.
        grown_bytes: resident memory at the end, less that after the warm-up.
        faults: each only once.
    """

    parser: str
    inputs: int
    ends: Counter[str]
    seconds: float
    slowest: tuple[float, int]
    grown_bytes: int
    faults: Sequence[Fault]


def run(
    parser: Parser,
    inputs: int,
    seed: int,
    *,
    first: int = 0,
    slow_seconds: float = SLOW_SECONDS,
    before_each: Callable[[int], object] = bool,
) -> Found:
    """Feeds one parser.

    Args:
        parser: it.
        inputs: how many, rounded up to whole drawings.
        seed: what they are drawn from.
        first: number of the first drawing.
        slow_seconds: what a drawing that takes longer is a fault for.
        before_each: is told the number of a drawing before it is read.
    """
    began = time.perf_counter()
    last = first + -(-inputs // parser.at_once)
    warm = first + int((last - first) * WARM_UP)
    ends: Counter[str] = Counter()
    faults: dict[tuple[str, str], Fault] = {}
    slowest, slow_number, resident = 0.0, first, 0
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, parser.opened(Path(folder)) as feed:
        for number in range(first, last):
            if number == warm:
                resident = _resident()
            before_each(number)
            drawn = parser.make(random.Random(f"{seed}/{parser.name}/{number}"))
            started = time.perf_counter()
            try:
                ends.update(feed(drawn))
            except Exception as error:  # noqa: BLE001  # to find them is what this is for
                fault = _fault(number, error, drawn)
                faults.setdefault((fault.what.partition(":")[0], fault.place), fault)
            took = time.perf_counter() - started
            if took > slow_seconds:
                took = min(took, *(_timed(feed, drawn) for _ in range(CHANCES)))
            if took > slow_seconds:
                faults["slow", ""] = Fault(number, f"took {took:.1f} s", "", _shown(drawn))
            slowest, slow_number = max((slowest, slow_number), (took, number))
        grown = _resident() - resident
    seconds = time.perf_counter() - began
    told = list(faults.values())[:MOST_FAULTS]
    return Found(parser.name, (last - first) * parser.at_once, ends, seconds, (slowest, slow_number), grown, told)


def _timed(feed: Feed, drawn: Any) -> float:
    started = time.perf_counter()
    try:
        feed(drawn)
    except Exception:  # noqa: BLE001  # it was noted the first time
        return time.perf_counter() - started
    return time.perf_counter() - started


def _fault(number: int, error: Exception, drawn: Any) -> Fault:
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{Path(each.filename).name}:{each.lineno} {each.name}" for each in reversed(frames[-4:]))
    return Fault(number, f"{type(error).__name__}: {error}"[:SHOWN], place, _shown(drawn))


def _shown(drawn: Any) -> str:
    return repr(drawn)[:SHOWN]


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)
