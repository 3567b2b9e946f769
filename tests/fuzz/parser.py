"""What the fuzz knows of a parser: how to make bad inputs for it, and how to feed it with them."""

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

Ends: TypeAlias = Mapping[str, int]
"""How inputs ended, and how many did."""

READ: Ends = {"read": 1}
REFUSED: Ends = {"refused": 1}
Feed: TypeAlias = Callable[[Any], Ends]


class Parser(NamedTuple):
    """One parser of bytes from outside.

    Attributes:
        name: for the report and the command line.
        share: of all inputs, in parts of the sum of all shares.
        make: draws one input.
        opened: gives, for as long as it is open, what reads an input and says how that ended. It raises for whatever
            must not be, our own errors for a refusal apart, which it counts. The folder is an empty one.
        at_once: inputs in what `make` draws, where they are read together.
    """

    name: str
    share: int
    make: Callable[[random.Random], Any]
    opened: Callable[[Path], AbstractContextManager[Feed]]
    at_once: int = 1


def pure(feed: Feed) -> Callable[[Path], AbstractContextManager[Feed]]:
    """For a parser that needs nothing but its input."""

    @contextmanager
    def opened(folder: Path) -> Iterator[Feed]:
        del folder
        yield feed

    return opened
