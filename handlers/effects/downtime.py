"""Down time told as intervals: one record a key, one span a record."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.effects import Effect
from handlers.events import Action, Json
from handlers.rules.facts import Fact, Key
from handlers.rules.intervals import interval
from handlers.rules.registers import Record
from handlers.rules.trail import step
from handlers.store import records
from handlers.store.downtime import INTERVAL
from handlers.store.rowset import Transaction
from handlers.store.schema import downtime

VERBS = ("started", "ended", "corrected", "voided", "restored")
FIXED = {"origin": INTERVAL, "part": ""}


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds the facts into their intervals."""
    records.fold(tx, downtime, facts, _row, _step, **FIXED)


def _step(action: Action, written: Mapping[str, Json]) -> dict[str, Json]:
    """An interval's trail is only whose it was."""
    kept = step(action, written)
    return {"asset": kept["asset"]} if "asset" in kept else {}


def _row(key: Key, record: Record) -> dict[str, Any]:
    told = interval(record)
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": record,
        "asset_key": told.asset_key,
        "started_at": told.started_at,
        "ended_at": told.ended_at,
        "planned": told.planned,
        "failure": told.failure,
        "is_void": told.void,
        "day_precision": told.day_precision,
        "cause": record.read("cause"),
        "reason": record.read("reason"),
        "work_order_key": record.ref("work_order_ref"),
        "anomalies": told.anomalies,
    }


EFFECT = Effect("downtime", 20, frozenset(f"downtime.{verb}" for verb in VERBS), apply)
