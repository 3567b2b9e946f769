"""The orders that are still to be finished, by when they are due; those that nobody gave a time come last.

Read by the index made for them, so an archive of finished orders costs nothing.
"""

import heapq
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from handlers.connections.zones import Zones
from handlers.rules.printing import Kept
from handlers.rules.times import kept_instant
from handlers.store.conditions import UNFINISHED_ORDER
from handlers.store.read_orders import judged
from handlers.store.read_records import registers
from handlers.store.read_today import DAY_AND_MORE, crew_of
from handlers.store.reading import Part, Readable, walk
from handlers.store.schema import assets, work_orders

COLUMNS: Final = ("connection_id", "key", "due_at", "fields", "registers", "anomalies")
FIRST, LAST = "", "\U0010ffff"
"""Before and behind every key."""
UNDATED: Final = ""
"""In the place of an order without a due time."""

Place = tuple[str, str, str]
"""When an order is due, in kept form; its connection; its key."""


class Wanted(NamedTuple):
    """Which open orders are wanted; None asks for all.

    Attributes:
        status: of this status.
        type: of this type.
        priority: of this priority.
        asset: on this asset.
        site: of this site, by the order's own word or its asset's.
        crew: of a team or a person, by key or name.
        overdue: only those whose due time has passed.
    """

    status: str | None = None
    type: str | None = None
    priority: str | None = None
    asset: str | None = None
    site: str | None = None
    crew: str | None = None
    overdue: bool = False


class _Scope(NamedTuple):
    connection: str
    after: Place | None
    size: int


def open_orders(
    database: Readable, connections: Sequence[str], wanted: Wanted, at: tuple[datetime, Zones], part: Part
) -> Iterator[tuple[Place, Kept]]:
    """Open orders with their places, the one that is due first first.

    Args:
        database: to read from.
        connections: whose.
        wanted: which.
        at: now (UTC), and where a due day ends.
        part: from where on, behind a place of this list, and how many are read at once.
    """
    now, zones = at
    after: Place | None = None if part.after is None else (part.after[0], part.after[1], part.after[2])
    scopes = [_Scope(each, after, part.size or 100) for each in sorted(connections)]
    rows = _rows(database, scopes, wanted, now)
    mine = (row for row in rows if wanted.crew is None or wanted.crew in crew_of(row.fields))
    places: dict[tuple[str, str], Place] = {}

    def kept() -> Iterator[Kept]:
        for row in mine:
            places[row.connection_id, row.key] = (row.due_at or UNDATED, row.connection_id, row.key)
            yield Kept("work_order", row.connection_id, row.key, registers(row.fields, row.registers), row.anomalies)

    for each in judged(database, kept(), zones, now, scopes[0].size if scopes else 1):
        place = places.pop((each.connection, each.key))
        if not wanted.overdue or each.told["overdue"] is True:
            yield place, each


def _rows(database: Readable, scopes: Sequence[_Scope], wanted: Wanted, now: datetime) -> Iterator[sa.Row[Any]]:
    """All that have a due time, from every connection together, and then those without, by connection."""
    if not scopes or scopes[0].after is None or scopes[0].after[0] != UNDATED:
        yield from heapq.merge(
            *(_dated(database, each, wanted, now) for each in scopes),
            key=lambda row: (row.due_at, row.connection_id, row.key),
        )
    if not wanted.overdue:
        for each in scopes:
            yield from _undated(database, each, wanted)


def _dated(database: Readable, scope: _Scope, wanted: Wanted, now: datetime) -> Iterator[sa.Row[Any]]:
    order = work_orders.c
    statement = _selected(scope.connection, wanted).where(order.due_at.is_not(None))
    if wanted.overdue:
        statement = statement.where(order.due_at < kept_instant(now + DAY_AND_MORE))
    after = None
    if scope.after is not None:
        due, connection, key = scope.after
        behind = LAST if scope.connection < connection else FIRST
        after = (due, key if scope.connection == connection else behind)
    return walk(database, statement, (order.due_at, order.key), part=Part(after, scope.size))


def _undated(database: Readable, scope: _Scope, wanted: Wanted) -> Iterator[sa.Row[Any]]:
    order, after = work_orders.c, None
    if scope.after is not None and scope.after[0] == UNDATED:
        if scope.connection < scope.after[1]:
            return iter(())
        after = (scope.after[2],) if scope.connection == scope.after[1] else None
    statement = _selected(scope.connection, wanted).where(order.due_at.is_(None))
    return walk(database, statement, (order.key,), part=Part(after, scope.size))


def _selected(connection: str, wanted: Wanted) -> sa.Select[Any]:
    order = work_orders.c
    statement = sa.select(*(order[name] for name in COLUMNS)).where(
        order.connection_id == connection, sa.text(UNFINISHED_ORDER)
    )
    for column, value in (
        (order.status, wanted.status),
        (order.type, wanted.type),
        (order.priority, wanted.priority),
        (order.asset_key, wanted.asset),
    ):
        statement = statement if value is None else statement.where(column == value)
    if wanted.crew is not None and wanted.crew.isprintable():
        # Only what may be theirs is read whole: JSON has a printable text as it is, but for these two.
        quoted = wanted.crew.replace("\\", "\\\\").replace('"', '\\"')
        statement = statement.where(sa.cast(order.fields, sa.Text).contains(f'"{quoted}"', autoescape=True))
    if wanted.site is None:
        return statement
    there = sa.select(assets.c.key).where(assets.c.connection_id == connection, assets.c.site_key == wanted.site)
    on_asset = sa.and_(order.site_key.is_(None), order.asset_key.in_(there))
    return statement.where(sa.or_(order.site_key == wanted.site, on_asset))
