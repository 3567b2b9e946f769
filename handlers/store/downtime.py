"""Spans of down time: rows derived from intervals, work orders and status edges, rewritten only where they changed."""

from collections.abc import Iterable, Mapping, Sequence
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
    keys = [{name: row[name] for name in EDGE_KEY} for row in rows]
    touched = {tuple(row[name] for name in EDGE_KEY) for row in keys}
    for found in tx.beside(asset_status_edges, keys):
        beside = (found.before, found.after)
        touched |= {(found.connection_id, found.asset_key, stamp) for stamp in beside if stamp is not None}
    affected = [dict(zip(EDGE_KEY, each, strict=True)) for each in sorted(touched)]
    edges_now = tx.beside(asset_status_edges, affected, ("status",))
    spans = [row for found in edges_now for row in _edge_rows(found)]
    tx.insert_missing(downtime, [{name: row[name] for name in PRIMARY_KEY} for row in spans])
    tx.update(downtime, spans, PRIMARY_KEY)


def _edge_rows(found: sa.Row[Any]) -> Iterable[dict[str, Any]]:
    opened = span(Edge(found.stamp, found.status, found.after))
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
