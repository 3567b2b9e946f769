"""Meters and their readings: each reading is a record, and fills in what its meter does not say of itself.

Which reading came before which is asked when they are read: a late one changes nothing but its own row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from handlers.effects import Effect
from handlers.events import Action, Json
from handlers.rules import order
from handlers.rules.facts import Fact, Key, fold_all
from handlers.rules.meters import point, reset_of, told_of_meter
from handlers.rules.registers import Record, fold, ref_key, take
from handlers.rules.trail import step
from handlers.store import records
from handlers.store.rowset import Transaction
from handlers.store.schema import meter_readings, meters

READING, RESET = "meter_reading", "meter"
"""Origins of a reading: the kind of the subject whose event it was. At one instant a reset comes first."""


def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
    """Folds readings into their own records and then into their meters, resets likewise, and what meters say."""
    readings = [each for each in facts if each.event.kind == READING]
    resets = [each for each in facts if each.event.type == "meter.reset"]
    told = [each for each in facts if each.event.kind == RESET and each.event.type != "meter.reset"]
    _fold_readings(tx, readings)
    _fold_resets(tx, resets)
    named = {each.subject for each in (*told, *resets)} | set(_meters_named((*readings, *resets)))
    held = records.lock(tx, meters, named)
    fold_all(told, held, _step)
    for each in readings:
        _fill(each, ref_key(each.written.get("meter_ref")), held)
    for each in resets:
        _fill(each, _reset_meter(each), held)
        each.record = meter = held[each.subject]
        # A fact about the meter, though its values are kept apart: what comes late must see that it stands behind it.
        meter.last_stamp = max(meter.last_stamp, each.stamp)
    records.save(tx, meters, [meter_row(key, record) for key, record in held.items()])


def _fold_readings(tx: Transaction, facts: Sequence[Fact]) -> None:
    records.fold(tx, meter_readings, facts, _reading_row, _step, origin=READING)


def _fold_resets(tx: Transaction, facts: Sequence[Fact]) -> None:
    """A reset is a record of its own, kept under its stamp: its meter may be reset any number of times."""
    meter_of = {(each.event.connection_id, each.stamp): _reset_meter(each) for each in facts}
    held = records.lock(tx, meter_readings, meter_of, origin=RESET)
    for each in facts:
        each.changed = fold(held[each.event.connection_id, each.stamp], each.event, each.stamp, each.written)
    rows = [_reading_row(key, record, meter_of[key]) for key, record in held.items()]
    records.save(tx, meter_readings, rows, origin=RESET)


def _meters_named(facts: Iterable[Fact]) -> Iterable[Key]:
    for each in facts:
        meter = ref_key(each.written.get("meter_ref"))
        if meter is not None:
            yield (each.event.connection_id, meter)


def _reset_meter(fact: Fact) -> str:
    return reset_of(fact.event.key, fact.written)


def _fill(fact: Fact, meter: str | None, held: Mapping[Key, Record]) -> None:
    """Writes into a meter what a reading says of it, ordered by time: versions order one subject's events only."""
    if meter is not None:
        stamp = order.stamp(msgspec.structs.replace(fact.event, version=None))
        filled = take(held[fact.event.connection_id, meter], stamp, told_of_meter(fact.written))
        fact.changed = fact.changed or filled


def _step(action: Action, written: Mapping[str, Json]) -> dict[str, Json]:
    """The trail of a meter, or a reading, is only whose it was."""
    kept = step(action, written)
    return {"asset": kept["asset"]} if "asset" in kept else {}


def _reading_row(key: Key, reading: Record, reset_of: str | None = None) -> dict[str, Any]:
    found = point(reading, reset_of=reset_of)
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": reading,
        "meter_key": found.meter,
        "asset_key": found.asset,
        "read_at": found.read_at,
        "value": found.value,
        "is_point": found.is_point,
        "restarts": found.restarts,
        "anomalies": [],
    }


def meter_row(key: Key, meter: Record) -> dict[str, Any]:
    """A meter's row, as `handlers.store.records.save` takes it."""
    return {
        "connection_id": key[0],
        "key": key[1],
        "record": meter,
        "name": meter.read("name"),
        "unit": meter.read("unit"),
        "asset_key": ref_key(meter.read("asset_ref")),
        "is_counter": meter.read("is_counter"),
        "counts_down": meter.read("counts_down"),
        "anomalies": [],
    }


TYPES = frozenset(
    {
        *(f"meter.{verb}" for verb in ("created", "updated", "deleted", "restored", "reset")),
        *(f"meter_reading.{verb}" for verb in ("recorded", "deleted", "restored")),
    }
)
EFFECT = Effect("meters", 60, TYPES, apply)
