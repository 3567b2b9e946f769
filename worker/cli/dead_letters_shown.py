"""How dead letters, plans and replays are printed."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from handlers.rules.times import kept_instant
from handlers.store.read_letters import Fate, Group, KeptLetter, name_of
from handlers.store.replays import Replay, Standing
from worker.cli import output
from worker.replay import Plan

COLUMNS = ("letter", "connection", "type", "error", "path", "message", "attempts", "state", "buried")
REPLAY_COLUMNS = ("replay", "state", "sent", "skipped", "of", "rate", "began", "last step", "by", "reason")
GROUP_COLUMNS = ("letters", "connections", "error", "message", "first seen", "last buried")
PLAN_COLUMNS = ("letters", "error", "connection", "eligible")
ATTEMPT_COLUMNS = ("at", "code", "message", "delivery")
EVENT_COLUMNS = ("event_id", "type", "outcome", "delivery_id", "event_index")


def described(letter: KeptLetter) -> dict[str, Any]:
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


def exported(letter: KeptLetter, body: bytes | None) -> dict[str, Any]:
    """A letter with its bytes, as base64."""
    return {**described(letter), "body_base64": None if body is None else b64encode(body).decode()}


def whole(letter: KeptLetter, came_to: Fate, body: bytes | None) -> dict[str, Any]:
    """A letter with all that is known of it."""
    return {
        **exported(letter, body),
        "events": came_to.events,
        "due_at": None if came_to.due_at is None else kept_instant(came_to.due_at),
        "edited_from": None if came_to.edited_from is None else name_of(came_to.edited_from),
    }


def line(letter: KeptLetter) -> tuple[object, ...]:
    """A row of the list."""
    return (
        letter.name,
        letter.connection_id,
        letter.type,
        letter.code,
        letter.path,
        letter.message,
        len(letter.attempts),
        letter.state,
        letter.buried_at,
    )


def group(one: Group, by: str) -> dict[str, Any]:
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


def in_groups(found: Sequence[Group], by: str) -> None:
    """Prints groups for people."""
    lines = [(one.name, *one[1:]) for one in found]
    output.table((by, *GROUP_COLUMNS), lines, right=("letters", "connections"))


def tell(letter: KeptLetter, came_to: Fate, body: bytes | None) -> None:
    """Prints a letter with all that is known of it, for people; nothing in its payload that a terminal obeys."""
    fields = whole(letter, came_to, body)
    for name in ("attempts", "events", "traceback", "body_base64"):
        del fields[name]
    output.table(("field", "value"), [(name, value) for name, value in fields.items() if value is not None])
    output.line("attempts")
    output.table(ATTEMPT_COLUMNS, [[attempt.get(name) for name in ATTEMPT_COLUMNS] for attempt in letter.attempts])
    if came_to.events:
        output.line("events")
        output.table(EVENT_COLUMNS, [[event.get(name) for name in EVENT_COLUMNS] for event in came_to.events])
    if letter.traceback is not None:
        output.line("traceback")
        output.line(letter.traceback)
    output.line("payload")
    output.line("(its bytes are no longer kept)" if body is None else body.decode(errors="backslashreplace"))


def plan(planned: Plan, *, as_json: bool) -> None:
    """Prints what would be replayed, and what not and why."""
    if as_json:
        told = [line_._asdict() for line_ in planned.lines]
        output.json_line({"matched": planned.matched, "eligible": len(planned.keys), "by": told})
        return
    lines = [
        (each.letters, each.error, each.connection, "yes" if each.why_not is None else f"no: {each.why_not}")
        for each in planned.lines
    ]
    output.table(PLAN_COLUMNS, lines, right=("letters",))
    output.line(f"{len(planned.keys)} of {planned.matched} letters can be replayed")


def replay(done: Replay, now: Standing, *, as_json: bool) -> None:
    """Prints how far a replay is, and what has become of what it sent."""
    if as_json:
        output.json_line(
            {
                "replay": done.replay_id,
                "state": done.state,
                "total": done.total,
                "sent": done.sent,
                "skipped": done.skipped,
                "on_their_way": now.on_their_way,
                "open": now.open,
                "applied": now.applied,
            }
        )
        return
    output.line(f"replay {done.replay_id} is {done.state}: {done.sent} of {done.total} sent, {done.skipped} skipped")
    output.line(f"of those sent {now.applied} are applied, {now.open} open again, {now.on_their_way} on their way")


def replay_described(one: Replay) -> dict[str, Any]:
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


def replay_line(one: Replay) -> tuple[object, ...]:
    """A row of the list of replays."""
    pace = f"{one.rate}/s"
    counts = (one.sent, one.skipped, one.total)
    return (one.replay_id, one.state, *counts, pace, one.created_at, one.updated_at, one.who, one.reason)
