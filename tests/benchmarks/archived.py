"""A database with as many events as are asked for: their deliveries put into the archive, and state had from it.

Each asset has a hundred facts, told one a delivery: twelve work orders of five moves each, ten stops, ten changes of
its status and ten readings of its meter. One more asset, `BUSY`, has as many facts of those kinds as it is given.
"""

import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from handlers.connections import Registry
from handlers.sources import load
from handlers.store.deliveries import body_digest
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from handlers.store.schema import deliveries
from tests.benchmarks.measuring import CONNECTION
from worker import rebuild, rebuild_check
from worker.acts import Operator
from worker.cli import output
from worker.rebuild_check import Checked
from worker.rebuild_hands import Recipe
from worker.rebuilt import Rebuilt
from worker.rereading import Archive
from worker.units import Reader

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
SPAN = timedelta(days=3 * 365)
FACTS = 100
"""Of each asset."""
BUSY = "BUSY"
AT_ONCE = 5_000
MOVES = ("approved", "scheduled", "in_progress", "on_hold", "completed")
MAX_BODY = 1024 * 1024


def facts(asset: str, count: int, dice: random.Random) -> Iterator[dict[str, Any]]:
    """So many facts of an asset, in the order in which they happened, of each kind by turns."""
    step = SPAN / count
    for number in range(count):
        at = FIRST + step * number
        yield fact(asset, number, at + step * dice.random() / 2)


def fact(asset: str, number: int, at: datetime) -> dict[str, Any]:
    """One fact of an asset."""
    place, turn = number % 10, number // 10
    told: dict[str, Any] = {"id": f"{asset}-{number}", "occurred_at": at.isoformat()}
    if place < 6:  # of ten facts six tell of work orders, of which each has five
        order, move = divmod(turn * 6 + place, len(MOVES))
        data: dict[str, Any] = {"key": f"{asset}-WO-{order}", "asset_key": asset, "status": MOVES[move]}
        data |= {"title": "Replace bearing on conveyor drive motor", "priority": "high", "cost_center": "4711"}
        return {**told, "type": "work_order.updated", "data": data}
    if place < 8:
        data = {"key": f"{asset}-D-{turn}", "asset_key": asset, "reason": "seal"}
        return {**told, "type": f"downtime.{'started' if place == 6 else 'ended'}", "data": data}
    if place == 8:
        return {**told, "type": "asset.status_changed", "data": {"key": asset, "status": "down" if turn % 2 else "up"}}
    data = {"key": f"{asset}-R-{turn}", "meter_key": f"{asset}-M", "asset_key": asset, "value": turn * 8, "unit": "h"}
    return {**told, "type": "meter_reading.recorded", "data": data}


def fill(database: Database, home: Path, assets: int, busy: int = 0) -> tuple[Rebuilt, float]:
    """Fills an empty database; returns what a rebuild made of its archive, and in how many seconds."""
    dice = random.Random(assets)
    wanted = {f"A-{number:06d}": FACTS for number in range(assets)} | ({BUSY: busy} if busy else {})
    page: list[dict[str, Any]] = []
    total = 0
    for asset, count in wanted.items():
        for each in facts(asset, count, dice):
            page.append(_row(total, each))
            total += 1
            if len(page) == AT_ONCE:
                _insert(database, page)
                page = []
    _insert(database, page)
    _analyze(database)
    output.note(f"{total:,} deliveries in the archive")
    done, took = rebuilt(database, home)
    _analyze(database)
    return done, took


def rebuilt(database: Database, home: Path) -> tuple[Rebuilt, float]:
    """Computes state anew; returns what that came to, and in how many seconds."""
    read, recipe = _read(database, home)
    began = time.perf_counter()
    done = rebuild.run(database, read, Operator("bench", "measured"), lambda _total: bool, recipe)
    return done, time.perf_counter() - began


def checked(database: Database, home: Path) -> tuple[Checked, float]:
    """Compares state with the archive; likewise."""
    read, recipe = _read(database, home)
    began = time.perf_counter()
    done = rebuild_check.check(database, read, bool, lambda _total: bool, recipe)
    return done, time.perf_counter() - began


def _read(database: Database, home: Path) -> tuple[Archive, Recipe]:
    registry = Registry(home / "connections.toml", home)
    known = registry.get(CONNECTION)
    assert known is not None
    read = Archive(known, Reader(registry, load(), max_body_bytes=MAX_BODY), datetime.now(UTC))
    url = database.engine.url.set(drivername=database.dialect).render_as_string(hide_password=False)
    return read, Recipe(url, home / "connections.toml", home, CONNECTION, MAX_BODY, read.now, read.fingerprint)


def _row(number: int, event: dict[str, Any]) -> dict[str, Any]:
    body = orjson.dumps(event)
    received = datetime.fromisoformat(event["occurred_at"]) + timedelta(seconds=1)
    return {
        "received_at": received,
        "delivery_id": f"d-{number:09d}",
        "connection_id": CONNECTION,
        "body": body,
        "body_digest": body_digest(body),
        "body_bytes": len(body),
        "headers": {"content-type": "application/json"},
        "verdict": "verified",
        "secret_position": 0,
        "processed_at": received,
    }


def _insert(database: Database, rows: Sequence[dict[str, Any]]) -> None:
    with database.write() as plain:
        Transaction(plain).insert(deliveries, rows)


def _analyze(database: Database) -> None:
    with database.write() as plain:
        plain.exec_driver_sql("ANALYZE")
