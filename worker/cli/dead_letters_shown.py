"""How dead letters, plans and replays are printed."""

from collections.abc import Sequence
from typing import Any

from handlers.store.letter import made
from handlers.store.read_letter_groups import Group
from handlers.store.read_letters import Fate, KeptLetter
from handlers.store.replays import Replay, Standing
from worker.cli import output
from worker.replay_plan import Plan
from worker.shapes import letters

COLUMNS = ("letter", "connection", "type", "error", "path", "message", "attempts", "state", "buried")
REPLAY_COLUMNS = ("replay", "state", "sent", "skipped", "of", "rate", "began", "last step", "by", "reason")
GROUP_COLUMNS = ("letters", "connections", "error", "message", "first seen", "last buried")
PLAN_COLUMNS = ("letters", "error", "connection", "eligible")
ATTEMPT_COLUMNS = ("at", "code", "message", "delivery")
EVENT_COLUMNS = ("event_id", "type", "outcome", "delivery_id", "event_index")


def line(letter: KeptLetter) -> tuple[object, ...]:
    """A row of the list."""
    return (
        letter.name,
        letter.connection_id,
        letter.type,
        letter.code,
        letter.path,
        letter.message,
        made(letter.attempts),
        letter.state,
        letter.buried_at,
    )


def in_groups(found: Sequence[Group], by: str) -> None:
    """Prints groups for people."""
    lines = [(one.name, *one[1:]) for one in found]
    output.table((by, *GROUP_COLUMNS), lines, right=("letters", "connections"))


def tell(letter: KeptLetter, came_to: Fate, body: bytes | None) -> None:
    """Prints a letter with all that is known of it, for people; nothing in its payload that a terminal obeys."""
    fields: dict[str, Any] = {**letters.whole(letter, came_to, body)}
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
        output.json_line(letters.planned(planned))
        return
    lines = [
        (each.letters, each.error, each.connection, "yes" if each.why_not is None else f"no: {each.why_not}")
        for each in planned.lines
    ]
    output.table(PLAN_COLUMNS, lines, right=("letters",))
    output.line(f"{planned.eligible} of {planned.matched} letters can be replayed")


def replay(done: Replay, now: Standing, *, as_json: bool) -> None:
    """Prints how far a replay is, and what has become of what it sent."""
    if as_json:
        output.json_line(letters.progress(done, now))
        return
    output.line(f"replay {done.replay_id} is {done.state}: {done.sent} of {done.total} sent, {done.skipped} skipped")
    output.line(f"of those sent {now.applied} are applied, {now.open} open again, {now.on_their_way} on their way")


def replay_line(one: Replay) -> tuple[object, ...]:
    """A row of the list of replays."""
    pace = f"{one.rate}/s"
    counts = (one.sent, one.skipped, one.total)
    return (one.replay_id, one.state, *counts, pace, one.created_at, one.updated_at, one.who, one.reason)
