"""Events, and what became of deliveries."""

from typing import Any

from handlers.events import WHOLE_BODY
from handlers.model.types import ACTIONS
from handlers.rules.times import kept_instant
from handlers.store.read_deliveries import Failure, Story
from handlers.store.read_events import KeptEvent

KINDS = frozenset(type_.partition(".")[0] for type_ in ACTIONS)


def recorded(event: KeptEvent) -> dict[str, Any]:
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


def told(story: Story) -> dict[str, Any]:
    """What became of a delivery, or of some events of it."""
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
        "repeat_of": story.repeat_of,
        "events": [recorded(each) for each in story.events],
        "dead_letters": [_failure(each) for each in story.dead_letters],
        "retries": [_failure(each) for each in story.retries],
    }


def _failure(row: Failure) -> dict[str, Any]:
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
