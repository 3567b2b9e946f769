"""The spans that a window's figures need, for some assets at once: not an asset's whole past, and yet exact.

What is enough is told by `handlers.rules.figures.figures`: all that has not ended before the window; behind its end
what an outage of the window still overlaps or touches, for a failure there falls where the outage started; and of a
work order in either the earlier spells with what overlaps them, for an order fails once.

A plain date is kept as its midnight UTC and means that of the site (`reference/kpi.md` 3.2), so in another zone it is
moved there as it is read, and rows are sought as much farther out as that may be.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Row

from handlers.rules.downtime import Span
from handlers.rules.facts import Key
from handlers.rules.times import local_midnight
from handlers.store.columns import Document
from handlers.store.downtime import STATUS, WORK_ORDER
from handlers.store.rowset import Transaction
from handlers.store.schema import downtime

FARTHEST_MIDNIGHT = timedelta(hours=24)
"""No site's midnight is farther from that of UTC; zones lie within 14 hours today, and once lay within 16."""
KEYS_AT_ONCE = 500
"""Keys in one statement, each a parameter of it."""
_IN_ORDER = attrgetter("started_at", "origin", "key", "part")
TAIL_STEP = 200
"""Rows fetched at once behind the window's end; most assets are up there and need none."""


class Kept(NamedTuple):
    """A row of `downtime`, its members named as the columns; `dated` are its fields where its times are plain dates."""

    connection_id: str
    asset_key: str
    origin: str
    key: str
    part: str
    started_at: datetime
    ended_at: datetime | None
    planned: bool | None
    failure: bool
    day_precision: bool
    dated: Mapping[str, Any] | None


Rows = dict[tuple[str, str, str], Kept]
"""One asset's rows by origin, key and part."""


class Window(NamedTuple):
    """The stretch of time that figures are made of.

    Attributes:
        since: its start (UTC).
        until: its end, itself excluded.
        as_of: the time of knowledge: spans are cut there.
    """

    since: datetime
    until: datetime
    as_of: datetime

    @property
    def end(self) -> datetime:
        """The end of what counts in it: what starts later is only needed for the outages that reach there."""
        return min(self.until, self.as_of)

    def wider(self, slack: timedelta) -> "Window":
        """The stretch in which rows are sought, so that every span is found which its zone moves into this one."""
        return Window(_moved(self.since, -slack), _moved(self.until, slack), _moved(self.as_of, slack))


def _moved(moment: datetime, by: timedelta) -> datetime:
    """A moment moved, as far as the calendar goes."""
    try:
        return moment + by
    except OverflowError:
        return moment


def spans_of(tx: Transaction, assets: Sequence[Key], window: Window, zone: tzinfo = UTC) -> dict[Key, list[Span]]:
    """The spans of down time that a window's figures need, by asset; nothing for one without any.

    Args:
        tx: to read in.
        assets: whose.
        window: of the figures.
        zone: where the assets are: the one whose midnights plain dates mean.
    """
    found: dict[Key, Rows] = {}
    slack = timedelta() if zone is UTC else FARTHEST_MIDNIGHT
    window = window.wider(slack)
    _add(found, _in_window(tx, assets, window))
    if window.end < window.as_of:
        for asset, rows in found.items():
            _add(found, _tail(tx, asset, rows, window, 2 * slack))
    earlier = [row for row in _spells(tx, found) if row.ended_at is not None and row.ended_at < window.since]
    _add(found, _beside(tx, earlier, slack))
    return {asset: _spans(rows.values(), zone) for asset, rows in found.items()}


def _add(found: dict[Key, Rows], rows: Iterable[Kept]) -> None:
    for row in rows:
        found.setdefault((row.connection_id, row.asset_key), {})[row.origin, row.key, row.part] = row


@cache
def _selected() -> sa.Select[Any]:
    """Every row that counts: void ones and those that lack a start never do."""
    dated = sa.type_coerce(sa.case((downtime.c.day_precision, downtime.c.fields), else_=sa.null()), Document)
    return sa.select(*(downtime.c[name] for name in Kept._fields[:-1]), dated.label("dated")).where(
        sa.not_(downtime.c.is_void), downtime.c.started_at.is_not(None)
    )


def _in_window(tx: Transaction, assets: Sequence[Key], window: Window) -> Iterator[Kept]:
    """What starts before the window's end and has not ended before its start; one that ends there touches it.

    The keys stand in the statement, so that PostgreSQL knows how many they are: of a set it takes them to be a hundred,
    and for one asset among many would read them all.
    """
    statement = _selected().where(
        downtime.c.started_at < window.end,
        sa.or_(downtime.c.ended_at.is_(None), downtime.c.ended_at >= window.since),
    )
    for connection, group in itertools.groupby(sorted(assets), key=lambda asset: asset[0]):
        keys = [asset for _, asset in group]
        for first in range(0, len(keys), KEYS_AT_ONCE):
            some = downtime.c.asset_key.in_(keys[first : first + KEYS_AT_ONCE])
            yield from _kept(tx.connection.execute(statement.where(downtime.c.connection_id == connection, some)).all())


def _kept(rows: Iterable[Row[Any]]) -> Iterator[Kept]:
    return map(Kept._make, rows)


def _tail(tx: Transaction, asset: Key, rows: Rows, window: Window, slack: timedelta) -> list[Kept]:
    """What starts behind the window's end while the outage that reaches there still lasts."""
    reach = max([row.ended_at or window.as_of for row in rows.values()])
    if _moved(reach, slack) < window.end:
        return []
    statement = (
        _selected()
        .where(
            downtime.c.connection_id == asset[0],
            downtime.c.asset_key == asset[1],
            downtime.c.started_at >= window.end,
            downtime.c.started_at < window.as_of,
        )
        .order_by(downtime.c.started_at)
    )
    tail = []
    with tx.connection.execute(statement, execution_options={"yield_per": TAIL_STEP}) as behind:
        for row in _kept(behind):
            if row.started_at > _moved(reach, slack):
                break
            tail.append(row)
            reach = max(reach, row.ended_at or window.as_of)
    return tail


def _spells(tx: Transaction, found: Mapping[Key, Rows]) -> list[Kept]:
    """Every spell of the orders that have one among the rows."""
    orders = {
        (connection, key) for (connection, _), rows in found.items() for kind, key, _ in rows if kind == WORK_ORDER
    }
    if not orders:
        return []
    wanted = [{"connection_id": connection, "origin": WORK_ORDER, "key": key} for connection, key in sorted(orders)]
    source = tx.rows(downtime, ("connection_id", "origin", "key"))
    same = sa.and_(*(downtime.c[name] == source.c[name] for name in ("connection_id", "origin", "key")))
    # A spell with no asset counts nowhere; an order's spells are all on one.
    statement = _selected().join_from(source, downtime, same).where(downtime.c.asset_key.is_not(None))
    return list(_kept(tx.run(statement, wanted)))


def _beside(tx: Transaction, earlier: Sequence[Kept], slack: timedelta) -> Iterable[Kept]:
    """Earlier spells and what overlaps them, which decides whether they owned anything and their order failed then."""
    if not earlier:
        return ()
    names = ("connection_id", "asset_key", "started_at", "ended_at")
    wanted = [
        {
            "connection_id": row.connection_id,
            "asset_key": row.asset_key,
            "started_at": _moved(row.started_at, -slack),
            "ended_at": _moved(row.ended_at, slack),
        }
        for row in earlier
        if row.ended_at is not None
    ]
    source = tx.rows(downtime, names)
    statement = (
        _selected()
        .join_from(source, downtime, _same_asset(source))
        .where(
            downtime.c.started_at <= source.c.ended_at,
            sa.or_(downtime.c.ended_at.is_(None), downtime.c.ended_at >= source.c.started_at),
        )
    )
    return _kept(tx.run(statement, wanted))


def _same_asset(source: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(downtime.c.connection_id == source.c.connection_id, downtime.c.asset_key == source.c.asset_key)


def _spans(rows: Iterable[Kept], zone: tzinfo) -> list[Span]:
    """One asset's rows as spans: those of one order share a `ref`, and so do those of one run of a status stream."""
    held = sorted(rows, key=_IN_ORDER)
    return [_span(row, f"{row.origin}:{row.key}", zone) for row in held if row.origin != STATUS] + _runs(
        [row for row in held if row.origin == STATUS], zone
    )


def _runs(edges: Sequence[Kept], zone: tzinfo) -> list[Span]:
    """Spans of a status stream, oldest first: repeats of a status touch, and are one stop told again and again."""
    spans: list[Span] = []
    runs: dict[bool | None, tuple[str, datetime | None]] = {}
    for row in edges:
        ref, end = runs.get(row.planned, ("", row.started_at))
        if not ref or (end is not None and end < row.started_at):
            ref, end = f"{STATUS}:{row.part}", row.started_at
        runs[row.planned] = (ref, None if end is None or row.ended_at is None else max(end, row.ended_at))
        spans.append(_span(row, ref, zone))
    return spans


def _span(row: Kept, ref: str, zone: tzinfo) -> Span:
    start: datetime | None = row.started_at
    end = row.ended_at
    if row.day_precision and zone is not UTC:
        fields = row.dated or {}
        start = local_midnight(start, fields.get("started_at"), zone)
        end = local_midnight(end, fields.get("ended_at"), zone)
    return Span(start, end, row.planned, row.failure, row.day_precision, ref)
