"""How much of a time a machine was too busy: what is promised in seconds is promised where there is time for it."""

from datetime import timedelta
from pathlib import Path

UNTOLD = timedelta(minutes=1)
"""Where the system does not tell, it may have been so long."""
_PRESSURE = Path("/proc/pressure/cpu")


class Busy:
    """From when it is made on, the time in which something that could have run had to wait for a processor."""

    def __init__(self) -> None:
        self._at_first = _stalled()

    @property
    def so_far(self) -> timedelta:
        """That time; it is no more than has passed."""
        now = _stalled()
        return UNTOLD if now is None or self._at_first is None else now - self._at_first


def _stalled() -> timedelta | None:
    """The kernel's own sum, in microseconds (Linux, Documentation/accounting/psi.rst, read 2026-11-24)."""
    try:
        first_line = _PRESSURE.read_text().splitlines()[0]
    except OSError:
        return None
    return timedelta(microseconds=int(first_line.rpartition("total=")[2]))
