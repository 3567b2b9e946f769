"""Instants as they are kept: RFC 3339 in UTC, microseconds only where there are any."""

from datetime import UTC, datetime

from handlers.events import Json


def kept_instant(moment: datetime) -> str:
    """`2026-03-01T08:00:00Z`, or with `.ffffff` where it has a fraction of a second."""
    utc = moment.astimezone(UTC)
    return utc.replace(tzinfo=None).isoformat() + "Z"


def parse_instant(kept: Json) -> datetime | None:
    """A kept instant as an aware datetime; None for null and for a plain date."""
    if not isinstance(kept, str) or "T" not in kept:
        return None
    return datetime.fromisoformat(kept)
