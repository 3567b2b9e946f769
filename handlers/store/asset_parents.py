"""The parents of assets, a row for each fact that states one: what an asset belonged to is kept when it moves."""

from collections.abc import Iterable

from handlers.rules.facts import Key
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_parent_edges


def add_parents(tx: Transaction, edges: Iterable[tuple[Key, str, str | None]]) -> None:
    """Adds what facts state, as (asset, stamp, parent); what stands already is the same."""
    rows = [
        {"connection_id": connection, "asset_key": asset, "stamp": stamp, "parent_key": parent}
        for (connection, asset), stamp, parent in sorted(edges, key=lambda each: (each[0], each[1]))
    ]
    tx.insert_missing(asset_parent_edges, rows)
