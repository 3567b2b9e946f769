"""What becomes of an event that was not applied: another attempt after a while, or a dead letter. Pure, dice given."""

import random
import traceback
from datetime import datetime, timedelta
from types import TracebackType

from handlers.errors import PermanentError, TransientError
from handlers.events import Unmapped
from handlers.rules.times import kept_instant
from handlers.store.letter import Letter
from handlers.store.retries import Due, Row
from worker.claims import claimed_type
from worker.units import PutOff, Unit

MAX_ATTEMPTS = 12
"""With the waits below: over an hour and a half of trying on average, at most about three."""
FIRST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
MAX_DEATHS = 3
"""Workers that an event may end, worked on alone, before it is buried as poison."""
NOW = timedelta(0)
POISON = "poison"
"""Code of what has ended as many."""
UNCLASSIFIED = "unclassified"
"""Code of an error nobody foresaw: it is tried again, and alarmed."""


def delay(attempt: int, dice: random.Random) -> timedelta:
    """The wait before the next attempt: doubling, with full jitter, so that what failed together does not return so.

    Args:
        attempt: attempts made so far, from 1.
        dice: where the jitter comes from.
    """
    greatest = min(FIRST_WAIT * (1 << (attempt - 1)), LONGEST_WAIT)
    return greatest * dice.random()


def is_last(attempt: int) -> bool:
    """Whether nothing follows the attempt with that number."""
    return attempt >= MAX_ATTEMPTS


def settle(unit: Unit, due: Due | None, now: datetime, dice: random.Random) -> Letter | Row | None:
    """Decides about one unit of a batch.

    Args:
        unit: what was worked on.
        due: the retry row it was taken from.
        now: the clock.
        dice: where the jitter comes from.

    Returns:
        A dead letter for what cannot be read, or has failed for the last time; a retry row for what is put off; None
        for an event, which was applied.
    """
    earlier = due.attempts if due is not None else []
    made = due.attempt if due is not None else 0
    item = unit.item
    if isinstance(item, Unmapped):
        return _letter(unit, item.error, earlier)
    if not isinstance(item, PutOff):
        return None
    if item.error is not None:
        made += 1
        if is_last(made):
            return _letter(unit, item.error, earlier)
        earlier = [*earlier, {"at": kept_instant(now), "code": _code(item.error), "message": _message(item.error)}]
    wait = item.wait if item.wait is not None else delay(made, dice)
    alone = item.alone or (due is not None and due.alone)
    # A death is held against what ended the worker: the row itself, not the parts that it is taken into.
    deaths = due.deaths if due is not None and due.index == item.index else 0
    whose = unit.connection_id
    return Row(unit.delivery.delivery_id, item.index, whose, made, now + wait, earlier, alone, deaths)


def failed(unit: Unit, error: Exception) -> Unmapped | PutOff:
    """What becomes of the one event that stopped its transaction."""
    if isinstance(error, PermanentError):
        return Unmapped(unit.index, unit.digest, error)
    return PutOff(unit.index, error, digest=unit.digest)


def poison() -> PermanentError:
    """Why what has ended so many workers is tried no more."""
    return PermanentError(POISON, f"{MAX_DEATHS} workers ended while they worked on it alone")


def _letter(unit: Unit, error: Exception, attempts: list[dict[str, str]]) -> Letter:
    known = error if isinstance(error, PermanentError) else None
    return Letter(
        delivery_id=unit.delivery.delivery_id,
        index=unit.index,
        connection_id=unit.connection_id,
        waits_for=unit.waits_for,
        digest=unit.digest,
        code=_code(error),
        error_class=type(error).__name__,
        message=_message(error),
        path=known.path if known is not None else None,
        found=known.found if known is not None else None,
        expected=known.expected if known is not None else None,
        traceback=None if known is not None else _frames(error.__traceback__),
        place="" if known is not None else _place(error.__traceback__),
        received_at=unit.delivery.received_at,
        attempts=attempts,
        # What has ended workers is not read here of all places.
        type=None if _code(error) == POISON else claimed_type(unit.delivery, unit.index),
        retry_at=known.retry_at if known is not None else None,
    )


def _code(error: Exception) -> str:
    return error.code if isinstance(error, PermanentError | TransientError) else UNCLASSIFIED


def _message(error: Exception) -> str:
    """What went wrong, for people; a foreign error's own text is left out, for it may quote the payload."""
    return str(error) if isinstance(error, PermanentError | TransientError) else type(error).__name__


def _frames(trace: TracebackType | None) -> str:
    """Where an unforeseen error went through, innermost last; neither source lines nor values."""
    return "\n".join(f"{each.filename}:{each.lineno} in {each.name}" for each in traceback.extract_tb(trace))


def _place(frame: TracebackType | None) -> str:
    """The function in which an unforeseen error was raised: what its dead letters have in common."""
    if frame is None:
        return ""
    while frame.tb_next is not None:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_globals.get('__name__')}.{frame.tb_frame.f_code.co_name}"
