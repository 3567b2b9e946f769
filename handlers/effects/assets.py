"""Assets: their newest state, and the down time that their status stream tells."""

from collections.abc import Sequence
from typing import Any

from handlers.effects import Effect
from handlers.events import Action
from handlers.rules.facts import Fact, Key, fold_all
from handlers.rules.naming import named_assets
from handlers.rules.order import word
from handlers.rules.registers import Record, ref_key
from handlers.store import records
from handlers.store.asset_parents import add_parents
from handlers.store.downtime import add_edges
from handlers.store.rowset import Transaction
from handlers.store.schema import assets

PARENT = "parent_ref"
TYPES = frozenset(f"asset.{verb}" for verb in ("created", "updated", "deleted", "restored", "status_changed"))


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Makes a row for every asset that any fact names, and folds the facts about assets into theirs.

    A status change is an edge of the asset's status stream as well. All rows are made in one statement, in order: two
    transactions that name each other's new assets must not wait for one another.
    """
    records.insert_bare(
        tx, assets, {(each.event.connection_id, asset) for each in facts for asset in named_assets(each)}
    )
    facts = [each for each in facts if each.event.type in TYPES]
    held = records.lock(tx, assets, {each.subject for each in facts})
    fold_all(facts, held)
    records.save(tx, assets, [_row(key, record) for key, record in held.items()])
    edges = [each for each in facts if each.event.action is Action.STATUS_CHANGED]
    for each in edges:
        # However late it comes, an edge is a row of its own and ends the one before it.
        each.changed = True
    add_edges(tx, [(each.subject, each.stamp, word(each.written.get("status"))) for each in edges])
    add_parents(
        tx,
        [(each.subject, each.stamp, ref_key(each.written[PARENT])) for each in facts if PARENT in each.written],
    )


def _row(key: Key, record: Record) -> dict[str, Any]:
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": record,
        "name": record.read("name"),
        "status": word(record.read("status")),
        "site_key": record.ref("site_ref"),
        "parent_key": record.ref("parent_ref"),
        "anomalies": [],
    }


EFFECT = Effect("assets", 90, TYPES, apply, sees_all=True)
