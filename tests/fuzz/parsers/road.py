"""The rest of the road: whatever the bytes, a batch of deliveries is committed, and none of it is tried for ever."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from handlers.connections import Registry
from handlers.events import Delivery
from handlers.sources import load
from handlers.store import migrate, schema
from handlers.store.engine import Database
from tests import folding
from tests.fuzz.parser import Ends, Feed, Parser
from tests.fuzz.parsers.queue import message
from tests.fuzz.parsers.sources import GENERIC_MAP, LIMIT, hostile_delivery
from tests.servers import postgres_server
from worker.dispatch import Dispatcher
from worker.queue import Undecodable, decode
from worker.streams_leases import Envelope
from worker.units import Reader

AT_ONCE = 50
NOW = datetime(2026, 3, 2, tzinfo=UTC)

Batch = Sequence[Delivery | Undecodable]


def _batch(chance: random.Random) -> Batch:
    """Deliveries as the receiver makes them, to any source; one in ten came to harm in the broker besides."""
    names = sorted(load())
    batch: list[Delivery | Undecodable] = []
    for number in range(AT_ONCE):
        if chance.random() < 0.1:
            batch.append(decode(message(chance), "acme"))
        else:
            name = chance.choice([*names, "unknown"])
            drawn = hostile_delivery(chance, name)
            # U+0000 in a header field never passes the receiver's parser.
            headers = {header: value.replace("\0", "") for header, value in drawn.headers.items()}
            batch.append(replace(drawn, delivery_id=f"d-{number}", connection_id=name, headers=headers))
    return batch


@contextmanager
def _worker(database: Database, folder: Path) -> Iterator[Feed]:
    connections = folder / "connections.toml"
    connections.write_text(
        "".join(f'[connections.{name}]\nsource = "{name}"\nsecrets = [{{ ref = "env:S" }}]\n' for name in load())
        + GENERIC_MAP
    )
    reader = Reader(Registry(connections, folder), load(), max_body_bytes=LIMIT)
    dispatcher = Dispatcher(database, reader, clock=lambda: NOW, dice=random.Random(1))

    def feed(batch: Batch) -> Ends:
        dispatcher.process(batch, Envelope("live", "1-0", batch))
        kept = _rows(database, schema.deliveries)
        assert {each.delivery_id for each in batch if isinstance(each, Delivery)} <= {
            row["delivery_id"] for row in kept
        }
        tried_again = [row["attempts"] for row in _rows(database, schema.retries) if row["attempts"]]
        assert tried_again == [], "an error that nobody foresaw"
        ends = {
            "events": len(_rows(database, schema.events)),
            "dead letters": len(_rows(database, schema.dead_letters)),
        }
        folding.empty(database)
        return ends

    migrate.upgrade(database)
    try:
        yield feed
    finally:
        database.close()


def _rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    with database.read() as connection:
        return [dict(row) for row in connection.execute(sa.select(table)).mappings()]


@contextmanager
def _sqlite(folder: Path) -> Iterator[Feed]:
    with _worker(Database(f"sqlite:///{folder / 'road.db'}", pool_size=2), folder) as feed:
        yield feed


@contextmanager
def _postgresql(folder: Path) -> Iterator[Feed]:
    with (
        postgres_server() as server,
        server.database("fuzz") as url,
        _worker(Database(url, pool_size=2), folder) as feed,
    ):
        yield feed


PARSERS = (
    Parser("road (SQLite)", 40, _batch, _sqlite, AT_ONCE),
    Parser("road (PostgreSQL)", 40, _batch, _postgresql, AT_ONCE),
)
