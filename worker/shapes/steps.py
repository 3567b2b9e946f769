"""What happened to a delivery, step by step: when, what, to how many of its events, and by whom."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple, TypedDict

from handlers.rules.times import kept_instant
from handlers.store.read_deliveries import Story
from worker.shapes.scalars import Count, Instant


class Step(TypedDict):
    """One step; those that many events went through alike, at the same time, are one."""

    at: Instant
    step: str
    events: Count | None
    error: str | None
    who: str | None
    reason: str | None


class _Happened(NamedTuple):
    at: datetime
    step: str
    error: str | None = None
    who: str | None = None
    reason: str | None = None
    counted: bool = True


ACCEPTED, FIRST_PROCESSED, FAILED, BURIED, DUE = "accepted", "processed", "failed", "buried", "due_again"
DISTRUSTED = "distrusted"
PURGED = "purged"


def steps(story: Story) -> list[Step]:
    """All steps of a delivery so far, oldest first; one that is still to come, `due_again`, is last.

    An outcome (`applied`, `stale`, `ignored`) is the step of an event that was recorded; an operator's act has its name
    in the audit log.
    """
    happened = sorted(Counter(_happened(story)).items(), key=lambda each: each[0].at)
    return [
        {
            "at": kept_instant(each.at),
            "step": each.step,
            "events": count if each.counted else None,
            "error": each.error,
            "who": each.who,
            "reason": each.reason,
        }
        for each, count in happened
    ]


def _happened(story: Story) -> Iterator[_Happened]:
    yield _Happened(story.received_at, ACCEPTED, counted=False)
    yield _Happened(story.processed_at, FIRST_PROCESSED, counted=False)
    for event in story.events:
        yield _Happened(event.processed_at, event.outcome)
    for failure in (*story.dead_letters, *story.retries):
        # The last attempt of a letter is its burial.
        buried = {failure[name] for name in ("first_seen_at", "buried_at") if name in failure}
        tried = {datetime.fromisoformat(attempt["at"]): attempt["code"] for attempt in failure["attempts"]}
        for moment, code in tried.items():
            yield _Happened(moment, BURIED if moment in buried else FAILED, code)
        for moment in buried - tried.keys():
            yield _Happened(moment, BURIED, failure["code"])
    for retry in story.retries:
        yield _Happened(retry["due_at"], DUE)
    for act in story.around.acts:
        yield _Happened(act.at, act.act, who=act.who, reason=act.reason, counted=False)
    if story.distrusted_at is not None:
        yield _Happened(story.distrusted_at, DISTRUSTED, who=story.distrusted_by, counted=False)
    if story.purged_at is not None:
        yield _Happened(story.purged_at, PURGED, counted=False)
