"""A length of time as people write it: `90s`, `30min`, `24h`, `7d`."""

import re
from datetime import timedelta
from typing import Final

HOW: Final = "write it like 90s, 30min, 24h or 7d"

_DURATION: Final = re.compile(r"([0-9]{1,6}) ?(s|min|m|h|d)")
_UNITS: Final = {"s": "seconds", "min": "minutes", "m": "minutes", "h": "hours", "d": "days"}


def read_duration(text: str) -> timedelta:
    """A length of time.

    Raises:
        ValueError: it is none; says how one is written.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(HOW)
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def write_duration(length: timedelta) -> str:
    """The same the other way round, in the greatest unit that leaves nothing over; whole seconds."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
