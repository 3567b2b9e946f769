"""Deliveries, the worker that reads them and the scheduler that rings for them: no processes, one clock."""

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from handlers.connections import Registry
from handlers.events import Delivery
from handlers.sources import load
from handlers.store import audit, letter_acts, read_letters, replays, retries, schema
from handlers.store.audit import Entry
from handlers.store.engine import Database
from handlers.store.read_candidates import candidates, counted
from handlers.store.read_letters import KeptLetter, Wanted
from handlers.store.replays import Replay, Standing
from handlers.store.rowset import Transaction
from worker import replay
from worker.acts import Operator
from worker.dispatch import Dispatcher
from worker.queue import Undecodable
from worker.replay_plan import Plan, outlook, plan
from worker.streams_leases import Envelope
from worker.telling import Tell, silent
from worker.units import Reader

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ANNA = Operator("anna", "map mended")
ZONE = 'time_zone = "Europe/Berlin"'
"""With it, times without a zone can be read."""


class Yard:
    """One installation.

    Attributes:
        now: the time of everybody.
        database: where all of it is.
    """

    def __init__(self, database: Database, folder: Path, *, tell: Tell = silent) -> None:
        self.now = NOW
        self.database = database
        self._path = folder / "connections.toml"
        self._connections: dict[str, str] = {}
        self.connect("plant")
        self._registry = Registry(self._path, folder)
        reader = Reader(self._registry, load(), max_body_bytes=1024 * 1024)
        self._dispatcher = Dispatcher(database, reader, clock=lambda: self.now, dice=random.Random(1), tell=tell)
        self._number = 0

    def connect(self, name: str, *options: str) -> None:
        """Registers a connection, or sets its options anew."""
        self._write(name, *options)
        if hasattr(self, "_registry"):
            self._registry.refresh()

    def resume_unseen(self, name: str) -> None:
        """Has a connection without options, which the worker has not noticed yet."""
        self._write(name)

    def _write(self, name: str, *options: str) -> None:
        self._connections[name] = "\n".join(['source = "unified"', 'secrets = [{ ref = "env:P" }]', *options])
        self._path.write_text("".join(f"[connections.{each}]\n{text}\n" for each, text in self._connections.items()))

    def send(self, *events: Mapping[str, Any] | bytes, to: str = "plant") -> str:
        """Has one delivery worked on and returns its id: raw bytes, one event, or an array of several."""
        self._number += 1
        one = len(events) == 1
        body = events[0] if isinstance(events[0], bytes) else orjson.dumps(events[0] if one else list(events))
        name = f"d{self._number:03d}"
        self.process(Delivery(name, to, self.now, body, {"content-type": "application/json", "webhook-id": "m"}))
        return name

    def process(self, *batch: Delivery | Undecodable) -> None:
        """Has a batch worked on."""
        self._dispatcher.process(batch, Envelope("live", "1-0", batch))

    def suspected(self, *batch: Delivery) -> None:
        """Has a batch worked on that has ended two workers."""
        self._dispatcher.process(batch, Envelope("live", "1-0", batch, times_delivered=3))

    def beat(self) -> int:
        """What the scheduler does in a second, and the workers at once; returns how many letters went by themselves."""
        there = [each.id for each in self._registry.all().values() if not each.paused]
        sent = letter_acts.send_waiting(self.database, there, self.now, 500)
        self.work()
        return sent

    def work(self) -> None:
        """Rings for what is due, and does it."""
        while ids := self.due():
            self._dispatcher.process_rows(ids)

    def due(self) -> list[retries.RowId]:
        """What the scheduler would ring for now."""
        with self.database.write() as connection:
            return retries.lease_due(Transaction(connection), now=self.now, lease=timedelta(minutes=1), limit=500)

    def plan(self, **wanted: Any) -> Plan:
        """What a replay would do; the same as is told before it, when letters are counted only."""
        which = Wanted(**{"state": None, **wanted})
        known, endpoints = self._registry.all(), self._registry.endpoints()
        planned = plan(candidates(self.database, which), known, self.now, endpoints)
        assert outlook(counted(self.database, which), known, self.now, endpoints).lines == planned.lines
        return planned

    def start(self, **wanted: Any) -> Replay:
        """A replay, frozen, of which nothing is sent yet."""
        return replay.start(self.database, self.plan(**wanted), {}, ANNA, rate=100, now=self.now)

    def replay(self, **wanted: Any) -> Replay:
        """Sends letters on their way, and has the workers read them."""
        sent = replay.run(self.database, self.start(**wanted), clock=lambda: self.now, wait=no_wait)
        self.work()
        return sent

    def standing(self, of: Replay) -> Standing:
        """What has become of a replay's letters."""
        with self.database.read() as connection:
            return replays.standing(Transaction(connection), of.replay_id)

    def letters(self, **wanted: Any) -> list[KeptLetter]:
        """The letters that are wanted; all of them, whatever their state, unless told otherwise."""
        return list(read_letters.listed(self.database, Wanted(**{"state": None, **wanted})))

    def letter(self, **wanted: Any) -> KeptLetter:
        """The only one."""
        (letter,) = self.letters(**wanted)
        return letter

    def outcomes(self) -> dict[str, str]:
        """How events ended, by their ids."""
        return {row["event_id"]: row["outcome"] for row in self.rows(schema.events)}

    def acts(self) -> list[Entry]:
        """The audit log."""
        return list(audit.entries(self.database))

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        """A table, in the order of its key."""
        with self.database.read() as connection:
            found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            return [dict(row) for row in found.mappings()]


def order(id_: str, key: str = "WO-1", *, at: str = "2026-03-01T08:00:00Z", **data: Any) -> dict[str, Any]:
    """An event about a work order."""
    return {"id": id_, "type": "work_order.updated", "occurred_at": at, "data": {"key": key, **data}}


def zoneless(id_: str, key: str = "WO-1", **data: Any) -> dict[str, Any]:
    """One that can be read once its connection has a time zone."""
    return order(id_, key, at="2026-03-01T08:00:00", **data)


def no_wait(seconds: float) -> None:
    """Waits for nothing."""
    del seconds
