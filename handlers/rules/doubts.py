"""What is doubtful about a stop that is possible, and counts: it has no length, or an end that nobody told.

Nothing is guessed: an open stop stays open (`reference/kpi.md` 3.3), but whoever reads it is told why it looks wrong.
They go by the time at which somebody looks, so they are derived then and never kept.
"""

from datetime import datetime, timedelta

from handlers.events import Json
from handlers.rules.times import kept_instant

LONGEST_OPEN = timedelta(days=30)
"""A stop that is open for longer than this has more often been forgotten than not."""


def doubts(
    started_at: datetime | None, ended_at: datetime | None, up_at: datetime | None, now: datetime
) -> list[dict[str, Json]]:
    """The doubts about one stop, as `{"code", …}`.

    Args:
        started_at: when it began (UTC).
        ended_at: when it ended; None while it lasts.
        up_at: when its asset was last said to be up while it lasted; None if never.
        now: when it is looked at (UTC).
    """
    if started_at is None:
        return []
    if ended_at is not None:
        return [{"code": "zero_length"}] if started_at == ended_at else []
    found: list[dict[str, Json]] = []
    if up_at is not None and started_at < up_at <= now:
        found.append({"code": "open_contradicted", "up_at": kept_instant(up_at)})
    if now - started_at > LONGEST_OPEN:
        found.append({"code": "open_too_long", "days": (now - started_at).days})
    return found
