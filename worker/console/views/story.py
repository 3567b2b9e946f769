"""What became of a delivery, as steps in order of time. Pure."""

from datetime import datetime
from typing import Final, NamedTuple

from handlers.events import Outcome
from handlers.rules.times import parse_instant
from handlers.store.read_deliveries import Story
from worker.shapes import steps as shapes

_WORDS: Final = {
    shapes.ACCEPTED: "Accepted",
    shapes.FIRST_PROCESSED: "First worked on",
    shapes.FAILED: "Attempt failed",
    shapes.BURIED: "Buried as a dead letter",
    shapes.DUE: "Due again",
    shapes.DISTRUSTED: "Taken out of the set: what it told is in no state",
    shapes.PURGED: "Its bytes were purged: what it told is kept, as it was read then",
    Outcome.APPLIED.value: "Applied",
    Outcome.STALE.value: "Older than what is known: kept, and counted in later folds",
    Outcome.IGNORED.value: "Of a type that nothing handles",
}
_CLASSES: Final = {
    shapes.ACCEPTED: "ok",
    Outcome.APPLIED.value: "ok",
    shapes.FAILED: "warn",
    shapes.DUE: "warn",
    shapes.BURIED: "bad",
    shapes.DISTRUSTED: "bad",
}


class Step(NamedTuple):
    """Something that happened, or will.

    Attributes:
        at: when (UTC).
        class_: `ok`, `warn`, `bad` or empty.
        what: in a few words.
        detail: more of it.
    """

    at: datetime | None
    class_: str
    what: str
    detail: str


def steps(story: Story) -> list[Step]:
    """The steps of a story, the oldest first, as `events show` has them."""
    return [_step(each, story) for each in shapes.steps(story)]


def note(story: Story) -> str | None:
    """What is to be said of a delivery that brought nothing of its own."""
    if story.repeat_of is not None:
        return "The same bytes had come before; what became of them is told by the first delivery."
    if not (story.events or story.dead_letters or story.retries):
        return "Nothing new was in it: every event of it had come before, or it held none."
    return None


def _step(step: shapes.Step, story: Story) -> Step:
    slug, count = step["step"], step["events"]
    parts = [
        f"{count:,} events" if count is not None and count > 1 else "",
        (step["error"] or "").replace("_", " "),
        f"by {step['who']}" if step["who"] else "",
        step["reason"] or "",
        f"{story.verdict}, by secret {story.secret_position}" if slug == shapes.ACCEPTED else "",
    ]
    what = _WORDS.get(slug, slug.replace("_", " ").replace(".", ": "))
    return Step(parse_instant(step["at"]), _CLASSES.get(slug, ""), what, "; ".join(each for each in parts if each))
