"""The history of assets: every event in the history of each asset it names, and of its subject's at the time."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.rules.trail import Step, asset_after
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_history

CARRIED = ""
"""Slot of a row that stands where the event's subject belonged just after it."""
PRIMARY_KEY = ("connection_id", "subject_kind", "subject_key", "stamp", "slot")
Subject = tuple[str, str, str]
"""(connection, kind, key)."""


def add(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows; one that stands already is the same."""
    tx.insert_missing(asset_history, rows)


def carry(tx: Transaction, trails: Mapping[Subject, Sequence[Step]]) -> None:
    """Moves rows to the asset that their subject belonged to, after a late fact has changed the trail behind them."""
    wanted = [
        {"connection_id": connection, "subject_kind": kind, "subject_key": key, "slot": CARRIED}
        for connection, kind, key in sorted(trails)
    ]
    moved = []
    for row in tx.select(asset_history, wanted, (*PRIMARY_KEY, "asset_key")):
        asset = asset_after(trails[row.connection_id, row.subject_kind, row.subject_key], row.stamp)
        if asset != row.asset_key:
            moved.append({**{name: getattr(row, name) for name in PRIMARY_KEY}, "asset_key": asset})
    tx.update(asset_history, moved, PRIMARY_KEY)
