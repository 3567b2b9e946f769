"""The quick way to state: events of many deliveries told apart by subject, and those of a subject folded in one go.

Nothing here touches a database, so any process can do it. What the effects are is not known here either: they fold a
shard's events as they would a worker's batch, only that it is large and that nothing stood before it.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from handlers import effects
from handlers.effects.meters import meter_row
from handlers.events import Event, Outcome
from handlers.rules.facts import Key
from handlers.rules.fetching import counts_again
from handlers.rules.registers import Record, join
from handlers.store import bulk, events, fetches, records
from handlers.store.events import Arrival
from handlers.store.memory import Memory, defaults
from handlers.store.schema import assets, meters
from handlers.store.schema import events as events_table
from handlers.store.shadow import COPIED


class _Mapped(Event, frozen=True, array_like=True, gc=False, kw_only=True):
    """An event on its way from who has read it to who folds it: its members without their names.

    The type of a value cannot be told to the decoder: it names itself.
    """

    fields: dict[str, Any]
    custom_fields: dict[str, Any]


class Folded(NamedTuple):
    """What a shard comes to.

    Attributes:
        texts: rows, as (table, text) that `handlers.store.bulk.put` takes.
        named: keys of assets that were only named.
        meters: the registers of meters, as (key, fields, registers): another shard's readings may tell of them too.
    """

    texts: list[tuple[str, bytes]]
    named: list[str]
    meters: list[tuple[str, dict[str, Any], str]]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[tuple[_Mapped, str, datetime, str]])
_MEMBERS = attrgetter(*_Mapped.__struct_fields__)


def apart(arrivals: Iterable[Arrival], shards: int) -> dict[int, bytes]:
    """Tells events apart by subject: each shard's as bytes, in their order."""
    told: dict[int, list[tuple[Any, ...]]] = {}
    for event, *came in arrivals:
        shard = crc32(f"{event.kind} {event.key}".encode()) % shards
        told.setdefault(shard, []).append((_MEMBERS(event), *came))
    return {shard: _ENCODER.encode(held) for shard, held in told.items()}


@contextmanager
def uncollected() -> Iterator[None]:
    """Leaves the search for cycles of garbage for later: of a million small objects that live on it finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def fold(chunks: Iterable[bytes], now: datetime, dialect: str) -> Folded:
    """Folds all events of a shard.

    Args:
        chunks: as `apart` made them, in the order in which their deliveries came.
        now: what `processed_at` says of events that had been lost.
        dialect: of the database that its rows are for.
    """
    arrivals = [Arrival(*each) for chunk in chunks for each in _DECODER.decode(chunk)]
    fresh: dict[events.Identity, Arrival] = {}
    again = [each for each in arrivals if fresh.setdefault(events.identity(each.event), each) is not each]
    memory = Memory()
    outcomes = effects.apply(memory, [each.event for each in fresh.values()])
    told_again = (each for each in again if counts_again(each.event))
    fetches.note(memory, [(each.event, each.received_at) for each in (*fresh.values(), *told_again)])
    rows = [events.row_of(each, now, reused=False) for each in fresh.values()]
    for row, outcome in zip(rows, outcomes, strict=True):
        if outcome is not Outcome.APPLIED:
            row["outcome"] = outcome.value
    memory.insert(events_table, rows)
    return _folded(memory, dialect)


def _folded(memory: Memory, dialect: str) -> Folded:
    named: list[str] = []
    texts: list[tuple[str, bytes]] = []
    for table in COPIED:
        if table is meters:
            continue
        rows = memory.written(table)
        if table is assets:
            named = [row["key"] for row in rows if not row.get("registers")]
            rows = [row for row in rows if row.get("registers")]
        texts += [(table.name, text) for text in bulk.texts(dialect, table, rows, defaults(table))]
    told = [(row["key"], row["fields"], row["registers"]) for row in memory.rows_of(meters)]
    return Folded(texts, named, told)


class Meters:
    """Meters, of which any shard's readings may tell.

    Args:
        connection_id: whose.
    """

    def __init__(self, connection_id: str) -> None:
        self._connection_id = connection_id
        self._held: dict[Key, Record] = {}

    def add(self, told: Iterable[tuple[str, dict[str, Any], str]]) -> None:
        """Takes in what one shard says of them."""
        for key, fields, registers in told:
            record = records.read(fields, registers)
            known = self._held.setdefault((self._connection_id, key), record)
            if known is not record:
                join(known, record)

    def rows(self) -> list[dict[str, Any]]:
        """Their rows."""
        memory = Memory()
        memory.insert(meters, [{"connection_id": connection, "key": key} for connection, key in self._held])
        records.save(memory, meters, [meter_row(key, record) for key, record in self._held.items()])
        return list(memory.rows_of(meters))


def bare(connection_id: str, keys: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of assets that were only named."""
    return [{**defaults(assets), "connection_id": connection_id, "key": key} for key in keys]
