"""The ids of deliveries as times: a UUIDv7 (RFC 9562, 5.7) begins with the milliseconds at which it was made."""

from datetime import datetime, timedelta
from typing import Final

MOST_MILLISECONDS: Final = (1 << 48) - 1


def id_at(moment: datetime, later: timedelta = timedelta()) -> str:
    """What sorts before every id that was made from a moment on, and behind all that were made before.

    Args:
        moment: any (UTC).
        later: moves it, beyond the calendar if need be.
    """
    seconds = moment.timestamp() + later.total_seconds()
    milliseconds = min(max(int(seconds * 1000), 0), MOST_MILLISECONDS)
    return f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}"
