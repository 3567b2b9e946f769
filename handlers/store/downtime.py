"""Spans of down time: rows derived from intervals, work orders and status edges, rewritten only where they changed."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from handlers.rules.edges import Edge, span
from handlers.rules.facts import Key
from handlers.rules.spells import Spell
from handlers.rules.times import parse_instant
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_status_edges, downtime

INTERVAL, WORK_ORDER, STATUS = "interval", "work_order", "status"
"""Origins of a span."""
PRIMARY_KEY = ("connection_id", "origin", "key", "part")
EDGE_KEY = ("connection_id", "asset_key", "stamp")


def replace_spells(tx: Transaction, orders: Mapping[Key, tuple[str | None, Sequence[Spell]]]) -> None:
    """Rewrites the spans of work orders, given as (asset, spells); the caller holds the orders' locks."""
    keys = sorted(orders)
    tx.delete(downtime, [{"connection_id": each, "origin": WORK_ORDER, "key": key} for each, key in keys])
    tx.insert(downtime, [row for key in keys for row in _spell_rows(key, *orders[key])])


def _spell_rows(order: Key, asset: str | None, spells: Sequence[Spell]) -> Iterable[dict[str, Any]]:
    for number, spell in enumerate(spells):
        yield {
            "connection_id": order[0],
            "origin": WORK_ORDER,
            "key": order[1],
            "part": f"{number:06d}",
            "asset_key": asset,
            "started_at": parse_instant(spell.started_at),
            "ended_at": parse_instant(spell.ended_at),
            "planned": spell.planned,
            "failure": spell.failure,
            "is_void": spell.void,
            "work_order_key": order[1],
        }


def add_edges(tx: Transaction, edges: Iterable[tuple[Key, str, str | None]]) -> None:
    """Adds status facts (asset, stamp, status), and rewrites the spans of each and of its two neighbours.

    Only neighbours are read and written: an asset with a hundred thousand edges costs no more than one with three.
    The caller holds the assets' locks.
    """
    rows = [
        {"connection_id": connection, "asset_key": asset, "stamp": stamp, "status": status}
        for (connection, asset), stamp, status in sorted(edges, key=lambda each: (each[0], each[1]))
    ]
    if not rows:
        return
    tx.insert_missing(asset_status_edges, rows)
    source = tx.rows(asset_status_edges, EDGE_KEY)
    keys = [{name: row[name] for name in EDGE_KEY} for row in rows]
    touched = {tuple(row[name] for name in EDGE_KEY) for row in keys}
    for found in tx.run(_neighbours(source), keys):
        beside = (found.before, found.after)
        touched |= {(found.connection_id, found.asset_key, stamp) for stamp in beside if stamp is not None}
    affected = [dict(zip(EDGE_KEY, each, strict=True)) for each in sorted(touched)]
    spans = [row for found in tx.run(_edges(source), affected) for row in _edge_rows(found)]
    tx.insert_missing(downtime, [{name: row[name] for name in PRIMARY_KEY} for row in spans])
    tx.update(downtime, spans, PRIMARY_KEY)


def _edge_rows(found: sa.Row[Any]) -> Iterable[dict[str, Any]]:
    opened = span(Edge(found.stamp, found.status, found.next_stamp))
    if opened is not None:
        yield {
            "connection_id": found.connection_id,
            "origin": STATUS,
            "key": found.asset_key,
            "part": found.stamp,
            "asset_key": found.asset_key,
            "started_at": opened.started_at,
            "ended_at": opened.ended_at,
            "planned": opened.planned,
            "failure": not opened.planned,
        }


@lru_cache(maxsize=4)
def _neighbours(source: sa.FromClause) -> sa.Select[Any]:
    """For each row of `source`: the stamps just before and just after it."""
    before, after = (_beside(source, following=following) for following in (False, True))
    return sa.select(
        source.c.connection_id,
        source.c.asset_key,
        before.scalar_subquery().label("before"),
        after.scalar_subquery().label("after"),
    )


@lru_cache(maxsize=4)
def _edges(source: sa.FromClause) -> sa.Select[Any]:
    """For each row of `source`: its status and the stamp after it."""
    edge = asset_status_edges
    after = _beside(source, following=True)
    return sa.select(
        source.c.connection_id,
        source.c.asset_key,
        source.c.stamp,
        edge.c.status,
        after.scalar_subquery().label("next_stamp"),
    ).join_from(source, edge, sa.and_(*(edge.c[name] == source.c[name] for name in EDGE_KEY)))


def _beside(source: sa.FromClause, *, following: bool) -> sa.Select[Any]:
    """The stamp of the same asset's edge just before, or just after, a row of `source`."""
    beside = asset_status_edges.alias("after" if following else "before")
    later = beside.c.stamp > source.c.stamp
    return (
        sa.select(beside.c.stamp)
        .where(
            beside.c.connection_id == source.c.connection_id,
            beside.c.asset_key == source.c.asset_key,
            later if following else beside.c.stamp < source.c.stamp,
        )
        .order_by(beside.c.stamp if following else beside.c.stamp.desc())
        .limit(1)
        .correlate(source)
    )
