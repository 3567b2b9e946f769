"""Failed tokens cost time: each address has a few, all together have more, and both get more slowly."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple


class Allowance(NamedTuple):
    """How many failures are answered.

    Attributes:
        burst: in a row.
        seconds_each: until one more is.
    """

    burst: int
    seconds_each: float


OF_ADDRESS = Allowance(10, 6.0)
"""A person mistypes, a script is started with yesterday's token."""
OF_ALL = Allowance(100, 0.6)
"""Of everybody together, however many addresses somebody has."""
MOST_ADDRESSES = 4_096
"""Remembered; of more the ones that have been quiet the longest are forgotten, and their failures with them."""


class Failures:
    """Buckets of failures, one an address and one for all.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._all = (0.0, clock())
        self._lock = threading.Lock()

    def wait(self, address: str) -> int:
        """Seconds until an attempt from there is looked at; 0 means now."""
        with self._lock:
            return max(self._wait(self._of(address), OF_ADDRESS), self._wait(self._all, OF_ALL))

    def note(self, address: str) -> None:
        """Notes a failure."""
        now = self._clock()
        with self._lock:
            self._spent[address] = (self._left(self._of(address), OF_ADDRESS) + 1, now)
            self._spent.move_to_end(address)
            self._all = (self._left(self._all, OF_ALL) + 1, now)
            if len(self._spent) > MOST_ADDRESSES:
                self._spent.popitem(last=False)

    def _of(self, address: str) -> tuple[float, float]:
        return self._spent.get(address, (0.0, self._clock()))

    def _left(self, spent: tuple[float, float], allowed: Allowance) -> float:
        count, at = spent
        return min(allowed.burst, max(0.0, count - (self._clock() - at) / allowed.seconds_each))

    def _wait(self, spent: tuple[float, float], allowed: Allowance) -> int:
        over = self._left(spent, allowed) + 1 - allowed.burst
        return math.ceil(max(0.0, over) * allowed.seconds_each)
