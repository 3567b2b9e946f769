"""Delivery ids: UUIDv7, so that their text sorts in order of acceptance."""

import os
import time
from collections.abc import Callable

_RANDOM_BITS = 74
"""What RFC 9562 section 5.7 leaves after 48 bits of time, 4 of version and 2 of variant."""
_LOW_BITS = 62
"""Those of the random bits that stand behind the variant."""
_MARGIN_BITS = 8
"""High bits that a fresh random number leaves clear, so that counting up has somewhere to go."""


class DeliveryIds:
    """Makes ids that only ever grow within a process, whatever the clock does.

    Within one millisecond, and while the clock stands behind, the random part counts up by a random step instead of
    being drawn again (RFC 9562 section 6.2, method 2).
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._millisecond = -1
        self._random = 0

    def new(self) -> str:
        """The next id, 36 characters of lower-case text."""
        now = int(self._clock() * 1000)
        drawn = int.from_bytes(os.urandom(10), "big")
        if now > self._millisecond:
            self._millisecond = now
            self._random = drawn & ((1 << (_RANDOM_BITS - _MARGIN_BITS)) - 1)
        else:
            self._random += 1 + (drawn & 0xFFFFFFFF)
            if self._random >> _RANDOM_BITS:
                self._millisecond += 1
                self._random = drawn & 0xFFFFFFFF
        high = self._random >> _LOW_BITS
        low = self._random & ((1 << _LOW_BITS) - 1)
        text = f"{(self._millisecond << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
