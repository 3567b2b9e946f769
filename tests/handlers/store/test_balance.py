"""What the tables say became of events, for whoever counts them."""

import random
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from handlers.connections import Registry
from handlers.events import Delivery
from handlers.sources import load
from handlers.store.balance import Count, archived, counts, fates
from handlers.store.durability import durability
from handlers.store.engine import Database
from worker.dispatch import Dispatcher
from worker.streams_leases import Envelope
from worker.units import Reader

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CONNECTIONS = """
[connections.a]
source = "unified"
secrets = [{ ref = "env:A" }]
[connections.b]
source = "unified"
secrets = [{ ref = "env:B" }]
"""
APPLIED = b'{"id":"1","type":"asset.updated","occurred_at":"2026-03-01T09:00:00Z","data":{"key":"P","name":"new"}}'
STALE = b'{"id":"2","type":"asset.updated","occurred_at":"2026-03-01T08:00:00Z","data":{"key":"P","name":"old"}}'
IGNORED = b'{"id":"3","type":"shift.over","occurred_at":"2026-03-01T08:00:00Z","data":{"key":"S"}}'
UNREADABLE = b'{"id":"4","type":"asset.updated","data":{"key":"P"}}'
BROKEN = b'{"id":"5"'


def _digest(raw: bytes) -> str:
    return sha256(raw).hexdigest()


def test_each_event_has_one_fate_and_each_delivery_a_place_in_the_archive(database: Database, tmp_path: Path) -> None:
    (tmp_path / "connections.toml").write_text(CONNECTIONS)
    reader = Reader(Registry(tmp_path / "connections.toml", tmp_path), load(), max_body_bytes=1024 * 1024)
    dispatcher = Dispatcher(database, reader, clock=lambda: NOW, dice=random.Random(1))
    bundle = b"[" + b",".join((IGNORED, UNREADABLE)) + b"]"
    posts = [("a", APPLIED), ("a", STALE), ("a", bundle), ("a", BROKEN), ("a", bundle), ("a", BROKEN), ("b", APPLIED)]
    for number, (connection, body) in enumerate(posts):
        batch = [Delivery(f"d{number}", connection, NOW, body)]
        dispatcher.process(batch, Envelope("live", f"{number}-0", batch))

    assert fates(database) == {
        ("a", _digest(APPLIED)): "applied",
        ("a", _digest(STALE)): "stale",
        ("a", _digest(IGNORED)): "ignored",
        ("a", _digest(UNREADABLE)): "dead_letter",
        ("a", _digest(BROKEN)): "dead_letter",
        ("b", _digest(APPLIED)): "applied",
    }
    assert sorted(counts(database)) == [
        Count("a", "applied", 1),
        Count("a", "dead_letter", 2),
        Count("a", "ignored", 1),
        Count("a", "stale", 1),
        Count("b", "applied", 1),
    ]
    assert sorted(archived(database)) == [f"d{number}" for number in range(len(posts))]


def test_a_database_tells_how_it_keeps_what_is_committed(database: Database) -> None:
    facts = durability(database)
    if database.dialect == "sqlite":
        assert facts.server.startswith("SQLite 3.")
        assert (facts.settings, facts.clock) == ({"journal_mode": "wal", "synchronous": "2"}, None)
    else:
        assert facts.server.startswith("PostgreSQL 1")
        assert facts.settings["synchronous_commit"] == "on"
        assert facts.clock is not None
        assert abs((facts.clock - datetime.now(UTC)).total_seconds()) < 60
