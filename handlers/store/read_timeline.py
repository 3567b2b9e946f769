"""One timeline of an asset: what happened to it, as every system that it is linked in tells it, and what was due."""

import heapq
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from handlers.events import Json
from handlers.rules.facts import Key
from handlers.store.asset_links import groups
from handlers.store.engine import Database
from handlers.store.read_history import Line, history
from handlers.store.reading import Part, walk
from handlers.store.rowset import Transaction
from handlers.store.schema import pm_occurrences

DUE = "pm_plan.due"
"""Type of a line that stands where maintenance was due; no event tells it."""
TOLD = ("state", "reason", "work_order_key", "on_time", "covered_by", "is_estimated")
"""What of an occurrence its line tells; nulls and what is not so are left out."""


def timeline(
    database: Database,
    connection: str,
    asset: str,
    since: datetime | None = None,
    until: datetime | None = None,
    *,
    newest: int | None = None,
) -> Iterator[Line]:
    """The lines of an asset and of what it is linked to, oldest first, each event once.

    Args:
        database: to read from.
        connection: whose asset.
        asset: its key.
        since: only what happened from then on (UTC).
        until: only what happened before.
        newest: newest first instead, and so many read at once.
    """
    with database.read() as session:
        group = groups(Transaction(session)).of((connection, asset))
    streams = [history(database, *each, since, until, newest=newest) for each in group]
    streams += [_occurrences(database, each, (since, until), newest) for each in group]
    previous: tuple[str, ...] | None = None
    for line in heapq.merge(*streams, key=_place, reverse=newest is not None):
        event = (line.stamp, line.connection, line.subject_kind, line.subject_key)
        if not line.stamp or event != previous:  # one that names two linked assets stands in the history of each
            yield line
        previous = event


def _place(line: Line) -> tuple[datetime, str, str, str, str]:
    return line.occurred_at, line.stamp, line.subject_kind, line.subject_key, line.connection


def _occurrences(
    database: Database, asset: Key, between: tuple[datetime | None, datetime | None], newest: int | None
) -> Iterator[Line]:
    due, (since, until) = pm_occurrences.c, between
    wanted = sa.select(due.due_at, due.plan_key, due.due_key, *(due[name] for name in TOLD)).where(
        due.connection_id == asset[0], due.asset_key == asset[1], due.due_at.is_not(None)
    )
    start, stop = None if since is None else due.due_at >= since, None if until is None else due.due_at < until
    if newest is not None:
        start, stop = stop, start
    if stop is not None:
        wanted = wanted.where(stop)
    order, part = (due.due_at, due.plan_key, due.due_key), Part(size=newest)
    for row in walk(database, wanted, order, start=start, newest_first=newest is not None, part=part):
        told: dict[str, Json] = {name: getattr(row, name) for name in TOLD}
        yield Line(
            connection=asset[0],
            asset=asset[1],
            occurred_at=row.due_at,
            received_at=None,
            processed_at=None,
            type=DUE,
            subject_kind="pm_plan",
            subject_key=row.plan_key,
            event_id=None,
            detail={"due": row.due_key, **{name: value for name, value in told.items() if value not in {None, False}}}
            | ({"on_time": False} if row.on_time is False else {}),
        )
