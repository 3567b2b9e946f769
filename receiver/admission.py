"""Who is let in once the signature is right: the connection's rate, then room on the disk.

The backlog's marks are kept by the broker's enqueue script, which alone sees what all receivers put in.
"""

import math
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from handlers.connections import Address

_SIZE_DIGITS = 18
"""Of a number that fits 64 bits whatever its digits."""


def declared_too_large(headers: Mapping[str, str], limit: int) -> bool:
    """Whether the request itself says that its body is over the limit.

    Args:
        headers: names in lower case.
        limit: in bytes.
    """
    digits = headers.get("content-length", "").lstrip("0")
    return len(digits) > len(str(limit)) or (digits.isdecimal() and int(digits) > limit)


def declared_size(headers: Mapping[str, str]) -> int | None:
    """The size of the body as the request itself says it, in bytes; None where it does not.

    Args:
        headers: names in lower case.
    """
    digits = headers.get("content-length", "")
    return int(digits) if digits.isdecimal() and len(digits) <= _SIZE_DIGITS else None


class TokenBuckets:
    """One token bucket an address: a second's worth may come at once, then the agreed rate."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, connection: Address) -> int | None:
        """Counts a verified request against its address's rate.

        Returns:
            None when it may pass, else the whole seconds after which the next one may.
        """
        rate = connection.rate_limit
        if rate is None:
            return None
        now = self._clock()
        capacity = max(1.0, rate)
        tokens, since = self._buckets.get(connection.id, (capacity, now))
        tokens = min(capacity, tokens + (now - since) * rate)
        if tokens < 1.0:
            self._buckets[connection.id] = (tokens, now)
            return max(1, math.ceil((1.0 - tokens) / rate))
        self._buckets[connection.id] = (tokens - 1.0, now)
        return None


def has_room(folder: Path, minimum_bytes: int) -> bool:
    """Whether the file system of a folder has as much free space as is demanded.

    Args:
        folder: it, or its nearest parent that exists, is looked at.
        minimum_bytes: what must be free for users that are not root.
    """
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free >= minimum_bytes
