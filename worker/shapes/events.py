"""Events, and what became of deliveries."""

from typing import Annotated, TypedDict

from handlers.events import WHOLE_BODY, Outcome
from handlers.model.types import ACTIONS
from handlers.rules.times import kept_instant
from handlers.store import read_around
from handlers.store.read_deliveries import Failure, Story
from handlers.store.read_events import KeptEvent
from handlers.store.read_letters import name_of
from handlers.store.replays import PENDING, SENT, SKIPPED
from worker.queued import Queued
from worker.shapes.scalars import Count, Index, Instant, Members, word
from worker.shapes.steps import Step, steps
from worker.tracing import ids_of

QUEUED, IN_FLIGHT = "queued", "in_flight"
REPLAY_STATES = (PENDING, SENT, SKIPPED)
KINDS = frozenset(type_.partition(".")[0] for type_ in ACTIONS)


class Event(TypedDict):
    """An event as it was recorded, as `events list --json` prints it."""

    event_id: str
    connection: str
    type: str
    subject_kind: str
    subject_key: str
    occurred_at: Instant
    version: int | None
    received_at: Instant
    processed_at: Instant
    outcome: Annotated[str, word(*Outcome)]
    delivery_id: str
    event_index: Count
    digest: str
    event_id_reused: bool


class Sent(TypedDict):
    """A letter that a replay has had its turn with."""

    replay: str
    event_index: Index
    at: Instant
    who: str
    reason: str
    state: Annotated[str, word(*REPLAY_STATES)]


class Touched(TypedDict):
    """A record that it has to do with."""

    kind: str
    key: str


class Told(TypedDict):
    """What became of a delivery, or of some events of it, as `events show --json` prints it."""

    delivery_id: str
    connection: str
    received_at: Instant
    processed_at: Instant
    verdict: str
    secret_position: int
    headers: Members
    body_bytes: Count
    body_digest: str
    distrusted_at: Instant | None
    distrusted_by: str | None
    purged_at: Instant | None
    repeat_of: str | None
    events: list[Event]
    dead_letters: list[Members]
    retries: list[Members]
    trace_id: str
    edited_from: str | None
    replays: list[Sent]
    touched: list[Touched]
    steps: list[Step]


class Waiting(TypedDict):
    """A delivery that is still in the broker, as `events show --json` prints it."""

    delivery_id: str
    connection: str
    received_at: Instant
    body_bytes: Count
    state: Annotated[str, word(QUEUED, IN_FLIGHT)]
    lane: str
    entry: str
    times_delivered: Count
    trace_id: str


def recorded(event: KeptEvent) -> Event:
    """An event as it was recorded."""
    return {
        "event_id": event.event_id,
        "connection": event.connection_id,
        "type": event.type,
        "subject_kind": event.subject_kind,
        "subject_key": event.subject_key,
        "occurred_at": kept_instant(event.occurred_at),
        "version": event.version,
        "received_at": kept_instant(event.received_at),
        "processed_at": kept_instant(event.processed_at),
        "outcome": event.outcome,
        "delivery_id": event.delivery_id,
        "event_index": event.event_index,
        "digest": event.digest,
        "event_id_reused": event.event_id_reused,
    }


def told(story: Story) -> Told:
    """What became of a delivery, or of some events of it."""
    around = story.around
    return {
        "delivery_id": story.delivery_id,
        "connection": story.connection_id,
        "received_at": kept_instant(story.received_at),
        "processed_at": kept_instant(story.processed_at),
        "verdict": story.verdict,
        "secret_position": story.secret_position,
        "headers": story.headers,
        "body_bytes": story.body_bytes,
        "body_digest": story.body_digest,
        "distrusted_at": None if story.distrusted_at is None else kept_instant(story.distrusted_at),
        "distrusted_by": story.distrusted_by,
        "purged_at": None if story.purged_at is None else kept_instant(story.purged_at),
        "repeat_of": story.repeat_of,
        "events": [recorded(each) for each in story.events],
        "dead_letters": [_failure(each) for each in story.dead_letters],
        "retries": [_failure(each) for each in story.retries],
        "trace_id": ids_of(story.delivery_id).trace_text,
        "edited_from": None if around.edited_from is None else name_of(around.edited_from),
        "replays": [_sent(each) for each in around.replays],
        "touched": [{"kind": each.kind, "key": each.key} for each in around.touched],
        "steps": steps(story),
    }


def waiting(one: Queued) -> Waiting:
    """What has not been processed yet."""
    return {
        "delivery_id": one.delivery.delivery_id,
        "connection": one.delivery.connection_id,
        "received_at": kept_instant(one.delivery.received_at),
        "body_bytes": len(one.delivery.body),
        "state": IN_FLIGHT if one.in_flight else QUEUED,
        "lane": one.lane,
        "entry": one.entry,
        "times_delivered": one.times_delivered,
        "trace_id": ids_of(one.delivery.delivery_id).trace_text,
    }


def _sent(one: read_around.Sent) -> Sent:
    return {
        "replay": one.replay_id,
        "event_index": one.event_index,
        "at": kept_instant(one.at),
        "who": one.who,
        "reason": one.reason,
        "state": one.state,
    }


def _failure(row: Failure) -> Members:
    return {"connection" if name == "connection_id" else name: value for name, value in row.items()}


def subject(text: str | None) -> tuple[str | None, str | None]:
    """Kind and key; a key may have a slash of its own, so that only a kind we know is one."""
    if text is None:
        return None, None
    kind, slash, key = text.partition("/")
    return (kind, key) if slash and kind in KINDS else (None, text)


def again(story: Story, name: str) -> list[tuple[str, int, str]]:
    """What is worked on again: all of a delivery, or the events of one id."""
    if name == story.delivery_id:
        return [(story.delivery_id, WHOLE_BODY, story.connection_id)]
    return [(each.delivery_id, each.event_index, each.connection_id) for each in story.events]
