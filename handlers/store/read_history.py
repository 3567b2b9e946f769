"""Reading the history of one asset: what happened to it, oldest first, and when we learned of it."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.events import Json
from handlers.store.engine import Database
from handlers.store.read_moves import moves_of
from handlers.store.reading import Part, walk
from handlers.store.schema import asset_history, events

LINE = ("occurred_at", "stamp", "subject_kind", "subject_key", "slot")
"""The order of an asset's lines: by time, then by the order of facts; unique within one asset."""
AT_ONCE = 500
"""Lines whose orders are read together, for the moves that they made."""
WORK_ORDER = "work_order"


class Line(msgspec.Struct, frozen=True):
    """One event in the history of an asset.

    Attributes:
        connection: whose it is.
        asset: the asset's key.
        occurred_at: when it happened (UTC).
        received_at: when the first delivery of it came; joined at read time, for state never depends on it.
        processed_at: when a worker recorded it; likewise.
        type: the event's type.
        subject_kind: what it is about.
        subject_key: the key of that.
        event_id: its id; the whole event is found by it. None for what no event told.
        detail: what of it a line tells, by field; of an order's move also from where to where, and its anomalies.
        stamp: its place in the order of facts.
    """

    connection: str
    asset: str
    occurred_at: datetime
    received_at: datetime | None
    processed_at: datetime | None
    type: str
    subject_kind: str
    subject_key: str
    event_id: str | None
    detail: dict[str, Json]
    stamp: str = ""


def history(
    database: Database,
    connection: str,
    asset: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    newest: int | None = None,
) -> Iterator[Line]:
    """An asset's lines, oldest first; an event that stands there by name and by its subject is one line.

    Args:
        database: to read from.
        connection: whose asset.
        asset: its key.
        since: only what happened from then on (UTC).
        until: only what happened before.
        newest: newest first instead, and so many read at once.
    """
    previous: tuple[str, str, str] | None = None
    at = asset_history.c.occurred_at
    start, stop = None if since is None else at >= since, None if until is None else at < until
    if newest is not None:
        start, stop = stop, start
    lines = _lines(connection, asset) if stop is None else _lines(connection, asset).where(stop)
    order = [asset_history.c[name] for name in LINE]
    part, at_once = Part(size=newest), newest or AT_ONCE
    rows = walk(database, lines, order, start=start, newest_first=newest is not None, part=part)
    while page := list(itertools.islice(rows, at_once)):
        moves = moves_of(database, connection, {row.subject_key for row in page if row.subject_kind == WORK_ORDER})
        for row in page:
            event = (row.stamp, row.subject_kind, row.subject_key)
            if event == previous:
                continue
            previous = event
            is_order = row.subject_kind == WORK_ORDER
            yield Line(
                connection=connection,
                asset=asset,
                occurred_at=row.occurred_at,
                received_at=row.received_at,
                processed_at=row.processed_at,
                type=row.type,
                subject_kind=row.subject_kind,
                subject_key=row.subject_key,
                event_id=row.event_id,
                detail={**row.detail, **(moves.get((row.subject_key, row.stamp), {}) if is_order else {})},
                stamp=row.stamp,
            )


def _lines(connection: str, asset: str) -> sa.Select[Any]:
    line = asset_history.c
    same_event = sa.and_(*(events.c[name] == line[name] for name in ("connection_id", "event_id", "digest")))
    columns = (line[name] for name in (*LINE, "type", "event_id", "detail"))
    return (
        sa.select(*columns, events.c.received_at, events.c.processed_at)
        .join_from(asset_history, events, same_event, isouter=True)
        .where(line.connection_id == connection, line.asset_key == asset)
    )
