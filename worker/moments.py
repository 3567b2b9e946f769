"""Times as people give them, to a command or in a query: a date, or an instant with its offset."""

from datetime import datetime

from handlers.errors import ConfigurationError, PermanentError
from handlers.events import MappingOptions
from handlers.model.reading import Context
from handlers.model.times import instant
from handlers.rules.times import is_date, parse_moment


def moment(text: str, option: str) -> datetime:
    """A date, which is its midnight UTC, or an instant with its offset.

    Raises:
        ConfigurationError: it is neither.
    """
    try:
        if is_date(text):
            found = parse_moment(text)
            assert found is not None, "a date always has a midnight"
            return found
        return instant(text, option, Context(MappingOptions()))
    except (PermanentError, ValueError):
        problem = f"{option}: give a date, 2026-03-01 (its midnight UTC), or a time, 2026-03-01T08:00:00Z; not {text!r}"
        raise ConfigurationError([problem]) from None


def bounds(since: str | None, until: str | None, names: tuple[str, str]) -> tuple[datetime | None, datetime | None]:
    """A stretch of time, open where no end was given.

    Raises:
        ConfigurationError: one is no time, or they are the wrong way round.
    """
    start = None if since is None else moment(since, names[0])
    end = None if until is None else moment(until, names[1])
    if start is not None and end is not None and start >= end:
        raise ConfigurationError([f"{names[0]} must be before {names[1]}: {since} is not before {until}"])
    return start, end
