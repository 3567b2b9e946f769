"""Dead letters, groups of them, and replays."""

from base64 import b64encode
from typing import Annotated, Final, TypedDict

from handlers.events import WHOLE_BODY, Json
from handlers.rules.times import kept_instant
from handlers.store.dead_letters import STATES
from handlers.store.read_letter_groups import Group
from handlers.store.read_letters import BODY, Fate, KeptLetter, Wanted, name_of
from handlers.store.replays import DONE, RUNNING, STOPPED, Replay, Standing
from worker.replay_plan import Outlook
from worker.shapes.scalars import Count, Index, Instant, Members, word

_MOST_DIGITS: Final = 9
"""Of an event's place in its delivery: what the databases' integers hold."""


Letter = TypedDict(
    "Letter",
    {
        "id": str,
        "delivery_id": str,
        "event_index": Index,
        "connection": str,
        "type": str | None,
        "error": str,
        "class": str,
        "message": str,
        "path": str | None,
        "found": str | None,
        "expected": str | None,
        "fingerprint": str,
        "state": Annotated[str, word(*STATES)],
        "attempts": list[Members],
        "first_seen_at": Instant,
        "buried_at": Instant,
        "retry_at": Instant | None,
        "replay_id": str | None,
        "edited_into": str | None,
        "waits_for": str | None,
        "digest": str,
        "traceback": str | None,
    },
)
"""A dead letter, as `dead-letters list --json` prints it."""


class Exported(Letter):
    """With its bytes, as `dead-letters export` writes it; null where they are no longer kept."""

    body_base64: str | None


class Whole(Exported):
    """With all that is known of it, as `dead-letters show --json` prints it."""

    events: list[Members]
    due_at: Instant | None
    edited_from: str | None


class PlanLine(TypedDict):
    """So many letters of an error and a connection, and what holds them up."""

    error: str
    connection: str
    why_not: str | None
    letters: Count


class Planned(TypedDict):
    """What a replay would come to, as `dead-letters replay --dry-run --json` prints it."""

    matched: Count
    eligible: Count
    by: list[PlanLine]


class ReplayTold(TypedDict):
    """A replay, as `dead-letters replay --list --json` prints it."""

    replay: str
    state: Annotated[str, word(RUNNING, STOPPED, DONE)]
    total: Count
    sent: Count
    skipped: Count
    rate_per_s: Count
    created_at: Instant
    updated_at: Instant
    who: str
    reason: str
    plan: Members


class Progress(TypedDict):
    """How far a replay is, as `dead-letters replay --json` prints it in the end."""

    replay: str
    state: Annotated[str, word(RUNNING, STOPPED, DONE)]
    total: Count
    sent: Count
    skipped: Count
    on_their_way: Count
    open: Count
    applied: Count


def described(letter: KeptLetter) -> Letter:
    """A letter as JSON, without its bytes."""
    return {
        "id": letter.name,
        "delivery_id": letter.delivery_id,
        "event_index": letter.event_index,
        "connection": letter.connection_id,
        "type": letter.type,
        "error": letter.code,
        "class": letter.error_class,
        "message": letter.message,
        "path": letter.path,
        "found": letter.found,
        "expected": letter.expected,
        "fingerprint": letter.fingerprint,
        "state": letter.state,
        "attempts": letter.attempts,
        "first_seen_at": kept_instant(letter.first_seen_at),
        "buried_at": kept_instant(letter.buried_at),
        "retry_at": None if letter.retry_at is None else kept_instant(letter.retry_at),
        "replay_id": letter.replay_id,
        "edited_into": letter.edited_into,
        "waits_for": letter.waits_for,
        "digest": letter.digest,
        "traceback": letter.traceback,
    }


def exported(letter: KeptLetter, body: bytes | None) -> Exported:
    """A letter with its bytes, as base64."""
    return {**described(letter), "body_base64": None if body is None else b64encode(body).decode()}


def whole(letter: KeptLetter, came_to: Fate, body: bytes | None) -> Whole:
    """A letter with all that is known of it."""
    return {
        **exported(letter, body),
        "events": [*came_to.events],
        "due_at": None if came_to.due_at is None else kept_instant(came_to.due_at),
        "edited_from": None if came_to.edited_from is None else name_of(came_to.edited_from),
    }


def group(one: Group, by: str) -> Members:
    """A group as JSON."""
    return {
        by: one.name,
        "letters": one.letters,
        "connections": one.connections,
        "error": one.code,
        "message": one.message,
        "first_seen_at": kept_instant(one.first_seen_at),
        "last_buried_at": kept_instant(one.last_buried_at),
    }


def replay_described(one: Replay) -> ReplayTold:
    """A replay as JSON."""
    return {
        "replay": one.replay_id,
        "state": one.state,
        "total": one.total,
        "sent": one.sent,
        "skipped": one.skipped,
        "rate_per_s": one.rate,
        "created_at": kept_instant(one.created_at),
        "updated_at": kept_instant(one.updated_at),
        "who": one.who,
        "reason": one.reason,
        "plan": one.plan,
    }


def planned(plan: Outlook) -> Planned:
    """What a replay would come to."""
    told = [
        PlanLine(error=each.error, connection=each.connection, why_not=each.why_not, letters=each.letters)
        for each in plan.lines
    ]
    return {"matched": plan.matched, "eligible": plan.eligible, "by": told}


def progress(done: Replay, now: Standing) -> Progress:
    """How far a replay is, and what has become of what it sent."""
    return {
        "replay": done.replay_id,
        "state": done.state,
        "total": done.total,
        "sent": done.sent,
        "skipped": done.skipped,
        "on_their_way": now.on_their_way,
        "open": now.open,
        "applied": now.applied,
    }


def key(text: str) -> tuple[str, int | None]:
    """A letter's name, `DELIVERY/3` or `DELIVERY/body`; a delivery's id alone stands for all its letters."""
    delivery, slash, place = text.rpartition("/")
    if slash and place == BODY:
        return delivery, WHOLE_BODY
    if slash and place.isdecimal() and len(place) <= _MOST_DIGITS:
        return delivery, int(place)
    return text, None


def filters(asked: Wanted) -> dict[str, Json]:
    """The filters that were given, for the record."""
    told: dict[str, Json] = {
        "connection": asked.connection,
        "type": asked.type,
        "error": asked.code,
        "fingerprint": asked.fingerprint,
        "since": None if asked.since is None else kept_instant(asked.since),
        "until": None if asked.until is None else kept_instant(asked.until),
        "ids": None
        if asked.keys is None
        else [f"{name}/{index}" if index is not None else name for name, index in asked.keys],
        "state": asked.state,
    }
    return {name: value for name, value in told.items() if value is not None}
