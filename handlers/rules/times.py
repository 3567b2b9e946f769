"""Instants as they are kept: RFC 3339 in UTC, microseconds only where there are any."""

from datetime import UTC, datetime, tzinfo

from handlers.events import Json
from handlers.model.times import instant_text


def kept_instant(moment: datetime) -> str:
    """`2026-03-01T08:00:00Z`, or with `.ffffff` where it has a fraction of a second."""
    return instant_text(moment.astimezone(UTC))


def parse_moment(kept: Json) -> datetime | None:
    """A kept instant, or the midnight (UTC) that begins a kept date; None for null."""
    if isinstance(kept, str) and is_date(kept):
        return datetime.fromisoformat(kept).replace(tzinfo=UTC)
    return parse_instant(kept)


def local_midnight(moment: datetime | None, told: Json, zone: tzinfo) -> datetime | None:
    """A moment as it counts in a zone: where it was told as a plain date, the midnight there that begins that date.

    Args:
        moment: as `parse_moment` reads it.
        told: its kept value.
        zone: of the site.
    """
    if moment is None or not is_date(told):
        return moment
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:  # the first or the last day that there is
        return moment


def is_date(kept: Json) -> bool:
    """Whether a kept value is a plain date, `2026-03-01`: precise to the day only."""
    return isinstance(kept, str) and len(kept) == len("2026-03-01")


def parse_instant(kept: Json) -> datetime | None:
    """A kept instant as an aware datetime; None for null and for a plain date."""
    if not isinstance(kept, str) or "T" not in kept:
        return None
    return datetime.fromisoformat(kept)
