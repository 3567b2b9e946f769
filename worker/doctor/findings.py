"""What a check says, and how well something is kept."""

import enum
from datetime import datetime
from typing import Final, NamedTuple

CLOCK_WARN_SECONDS: Final = 2.0
"""Machines that keep time by NTP agree within some milliseconds."""
CLOCK_FAIL_SECONDS: Final = 60.0
"""A fifth of what signatures and events are allowed: beyond it, figures as of now and leases are off visibly."""


class Level(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    """It works, and promises less than it could."""
    FAIL = "fail"
    """It does not work, or keeps no promise."""


class Finding(NamedTuple):
    """One line.

    Attributes:
        check: what was looked at, a few words.
        level: how bad it is.
        detail: what was found; no secret, no password.
        mend: what to do about it; empty where nothing need be done.
    """

    check: str
    level: Level
    detail: str
    mend: str = ""


class Kept(enum.Enum):
    """How well a server keeps what it said it keeps."""

    SYNCED = enum.auto()
    """It is on the disk before the answer."""
    DELAYED = enum.auto()
    """A process may end, but the machine may not: the last seconds are in memory only."""
    IN_MEMORY = enum.auto()
    """It is gone with the process, or soon after."""
    UNKNOWN = enum.auto()
    """The server does not say."""
    AWAY = enum.auto()
    """It does not answer."""


def clock(check: str, theirs: datetime, before: datetime, after: datetime) -> Finding:
    """Whether a server's clock and ours agree.

    Args:
        check: whose clock.
        theirs: its time, aware.
        before: our time when it was asked.
        after: our time when it had answered; its time may be any in between.
    """
    off = (before - theirs).total_seconds() if theirs < before else max(0.0, (theirs - after).total_seconds())
    if off <= CLOCK_WARN_SECONDS:
        return Finding(check, Level.OK, f"agrees with ours within {CLOCK_WARN_SECONDS:g} s")
    level = Level.WARN if off <= CLOCK_FAIL_SECONDS else Level.FAIL
    side = "behind" if theirs < before else "ahead of"
    return Finding(check, level, f"{off:,.1f} s {side} ours", "keep both machines' clocks by NTP")
