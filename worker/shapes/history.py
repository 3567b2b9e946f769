"""Lines of an asset's timeline."""

from typing import TypedDict

from handlers.connections import Connection
from handlers.rules.times import kept_instant
from handlers.store.read_history import Line
from worker.shapes.scalars import Instant, Members


class HistoryLine(TypedDict):
    """One line of an asset's timeline, as `history --json` prints it."""

    connection: str
    source: str | None
    asset_key: str
    occurred_at: Instant
    received_at: Instant | None
    processed_at: Instant | None
    type: str
    subject_kind: str
    subject_key: str
    event_id: str | None
    detail: Members


def told(line: Line, teller: Connection | None) -> HistoryLine:
    """A line, and the source of the connection that tells it."""
    return {
        "connection": line.connection,
        "source": None if teller is None else teller.source,
        "asset_key": line.asset,
        "occurred_at": kept_instant(line.occurred_at),
        "received_at": None if line.received_at is None else kept_instant(line.received_at),
        "processed_at": None if line.processed_at is None else kept_instant(line.processed_at),
        "type": line.type,
        "subject_kind": line.subject_kind,
        "subject_key": line.subject_key,
        "event_id": line.event_id,
        "detail": line.detail,
    }
