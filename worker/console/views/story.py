"""What became of a delivery, as steps in order of time. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from handlers.events import Outcome
from handlers.rules.times import parse_moment
from handlers.store.read_deliveries import Story
from handlers.store.read_letters import name_of
from worker.console import links

_WORDS = {
    Outcome.APPLIED.value: "applied",
    Outcome.STALE.value: "older than what is known: kept, and counted in later folds",
    Outcome.IGNORED.value: "of a type that nothing handles",
}


class Step(NamedTuple):
    """Something that happened.

    Attributes:
        at: when (UTC); None for what is still to come.
        class_: `ok`, `warn`, `bad` or empty.
        what: in a few words.
        detail: more of it.
        href: the page of what it is about.
    """

    at: datetime | None
    class_: str
    what: str
    detail: str = ""
    href: str | None = None


def steps(story: Story) -> list[Step]:
    """The steps of a story, the oldest first."""
    found = [
        Step(story.received_at, "ok", f"Accepted, {story.verdict}", f"by secret {story.secret_position}"),
        *_worked_on(story),
        *_letters(story),
        *_retries(story),
    ]
    if story.distrusted_at is not None:
        who = f"by {story.distrusted_by}: what it told is in no state"
        found.append(Step(story.distrusted_at, "bad", "Taken out of the set", who))
    return sorted(found, key=lambda step: step.at.timestamp() if step.at is not None else float("inf"))


def _worked_on(story: Story) -> Iterator[Step]:
    for each in story.events:
        applied = each.outcome == Outcome.APPLIED.value
        yield Step(
            each.processed_at,
            "ok" if applied else "",
            f"{each.type} {each.subject_key}: {_WORDS.get(each.outcome, each.outcome)}",
            f"event {each.event_id}, after {(each.processed_at - story.received_at).total_seconds():.3f} s",
            links.record(each.subject_kind, each.connection_id, each.subject_key),
        )
    if story.repeat_of is not None:
        yield Step(
            story.processed_at,
            "",
            "The same bytes as an earlier delivery",
            story.repeat_of,
            links.event(story.repeat_of),
        )
    elif not story.events and not story.dead_letters and not story.retries:
        yield Step(story.processed_at, "", "Worked on: every event in it had come before, or it held none")


def _letters(story: Story) -> Iterator[Step]:
    for each in story.dead_letters:
        name = name_of((each["delivery_id"], each["event_index"]))
        yield from _attempts(each)
        yield Step(
            each["buried_at"],
            "bad" if each["state"] == "open" else "",
            f"Dead letter, now {each['state']}: {each['code']}",
            each["message"],
            links.letter(name),
        )


def _retries(story: Story) -> Iterator[Step]:
    for each in story.retries:
        yield from _attempts(each)
        yield Step(
            None, "warn", f"Due again, after {each['attempt']} attempts", f"at {each['due_at']:%Y-%m-%d %H:%M:%S}"
        )


def _attempts(row: dict[str, Any]) -> Iterator[Step]:
    """All but the last, which is what it came to."""
    for each in row["attempts"][:-1]:
        at = parse_moment(str(each.get("at") or ""))
        yield Step(at, "warn", f"Attempt failed: {each.get('code')}", str(each.get("message") or ""))
