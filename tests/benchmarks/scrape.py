"""How long `/metrics` takes of a whole `up`: on an empty database, and beside it on one with many events stored.

Both have as many connections and run side by side, so that each page has all the roles' counters in it. The full one
has for every hundred events ten orders, an asset of one of eighty sites, two stops and an open dead letter, and for
every thousand a retry. Measured from the request to the last byte of the page, once the scheduler's leader has reckoned
what it says of sites; how long that took, in short rounds, stands beside it.

Example: python -m tests.benchmarks.scrape --events 1000000 --postgresql
"""

import contextlib
import random
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import psutil  # type: ignore[import-untyped]  # it ships no types
from prometheus_client.parser import text_string_to_metric_families

from handlers.store import migrate
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, dead_letters, deliveries, downtime, events, retries, work_orders
from tests.benchmarks.measuring import alternating, arguments, spread
from tests.journeys.installation import Installation, installation
from tests.receiver.harness import write_connections
from tests.servers import postgres_server
from worker.cli import output
from worker.codes import KNOWN

EMPTY, FULL = "empty", "full"
SITES, EACH = 80, 1_000
STATUSES: Final = ("approved", "in_progress", "on_hold", "completed", "closed")
PATIENCE_SECONDS: Final = 600.0
NOW: Final = datetime.now(UTC)


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--postgresql", action="store_true", help="in place of SQLite")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        databases: Mapping[str, Mapping[str, str]] = {EMPTY: {}, FULL: {}}
        if given.postgresql:
            server = stack.enter_context(postgres_server())
            url = {name: stack.enter_context(server.database(f"bench_{name}")) for name in databases}
            databases = {name: {"MAINTENWORKS_DATABASE_URL": url[name]} for name in databases}
        parts: dict[str, dict[str, psutil.Process]] = {}
        running = {name: stack.enter_context(installation(**settings)) for name, settings in databases.items()}
        names = [f"c-{number}" for number in range(given.connections)]
        for name, here in running.items():
            write_connections(here.home / "connections.toml", **{each: {} for each in names})
            _fill(here, names, given.events if name == FULL else 0)
            parts[name] = stack.enter_context(here.up()).parts()
        client = stack.enter_context(httpx.Client(timeout=PATIENCE_SECONDS))
        pages = {name: _settled(client, here) for name, here in running.items()}
        took: dict[str, list[float]] = {name: [] for name in running}
        spent = {name: _seconds(parts[name]) for name in running}
        for _, name in alternating(running, given.rounds):
            began = time.perf_counter()
            client.get(f"{running[name].console}/metrics")
            took[name].append((time.perf_counter() - began) * 1000)
        spent = {name: (_seconds(parts[name]) - spent[name]) * 1000 / given.rounds for name in running}
        rows = [
            (
                name,
                f"{given.events if name == FULL else 0:,}",
                spread(took[name]).told(1),
                spread([one / other for one, other in zip(took[name], took[EMPTY], strict=True)]).told(2),
                f"{spent[name]:.1f}",
                f"{len(pages[name]) / 1024:,.0f}",
                f"{_reckoned(running[name]):.2f}",
            )
            for name in running
        ]
    columns = ("database", "events", "ms", "to the empty one", "console's CPU ms", "page KiB", "leader's reckoning s")
    output.table(columns, rows, right=columns[1:])


def _settled(client: httpx.Client, here: Installation) -> str:
    """The page once the leader has reckoned what it says of sites; not in the first moments, when roles start."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        page = client.get(f"{here.console}/metrics").text
        names = {sample.name for family in text_string_to_metric_families(page) for sample in family.samples}
        if "maintenworks_site_gauges_timestamp_seconds" in names:
            return page
        if time.monotonic() > deadline:
            raise SystemExit("nothing was reckoned of sites")
        time.sleep(1)


def _seconds(parts: Mapping[str, psutil.Process]) -> float:
    """Of one core, that the console has spent since it started."""
    spent = parts["console"].cpu_times()
    return float(spent.user + spent.system)


def _reckoned(here: Installation) -> float:
    return here.metric("maintenworks_schedule_duration_seconds_sum", schedule="site_gauges")


def _fill(here: Installation, connections: list[str], count: int) -> None:
    url = here.environment.get("MAINTENWORKS_DATABASE_URL", f"sqlite:///{here.home}/maintenworks.db")
    with contextlib.closing(Database(url)) as database:
        migrate.upgrade(database)
        for first in range(0, count, EACH):
            with database.write() as plain:
                tx = Transaction(plain)
                for table, rows in _rows(connections, range(first, min(count, first + EACH))).items():
                    tx.insert(table, rows)
        if count:
            with database.write() as plain:
                plain.exec_driver_sql("ANALYZE")
            output.note(f"{count:,} events stored")


def _rows(connections: list[str], numbers: range) -> dict[Any, list[dict[str, Any]]]:
    dice = random.Random(numbers.start)
    rows: dict[Any, list[dict[str, Any]]] = {
        table: [] for table in (deliveries, events, work_orders, assets, downtime, dead_letters, retries)
    }
    for number in numbers:
        connection = connections[number // 100 % len(connections)]
        for table, row in _row(number, dice):
            rows[table].append({"connection_id": connection, **row})
    return rows


def _row(number: int, dice: random.Random) -> Iterator[tuple[Any, dict[str, Any]]]:
    """What one event has left behind."""
    at = NOW - timedelta(days=40) * dice.random()
    name, asset = f"{number:09}", f"A-{number // 100}"
    heard = {"received_at": at, "processed_at": at}
    yield (
        deliveries,
        {
            "delivery_id": name,
            "body": b'{"id": "%09d", "type": "work_order.updated"}' % number,
            "body_digest": name,
            "body_bytes": 44,
            "headers": {},
            "verdict": "verified",
            "secret_position": 0,
            **heard,
        },
    )
    yield (
        events,
        {
            "event_id": name,
            "digest": name,
            "delivery_id": name,
            "event_index": 0,
            "type": "work_order.updated",
            "subject_kind": "work_order",
            "subject_key": f"WO-{number // 10}",
            "occurred_at": at,
            "outcome": "applied",
            "event_id_reused": False,
            "map": "bench",
            **heard,
        },
    )
    if number % 10 == 0:
        due = at + timedelta(days=dice.randrange(60))
        status, day = dice.choice(STATUSES), due.date().isoformat()
        order = {"key": f"WO-{number // 10}", "status": status, "asset_key": asset, "due_at": day}
        yield work_orders, {**order, "fields": {"due_date": day, "status": {"value": status}}}
    if number % 50 == 0:
        yield downtime, _stop(f"D-{number}", asset, at, dice)
    if number % 100 == 0:
        yield assets, {"key": asset, "site_key": f"S-{number // 100 % SITES}"}
        yield dead_letters, _letter(name, at, dice)
    if number % 1000 == 0:
        yield (
            retries,
            {"delivery_id": name, "event_index": 0, "attempt": 1, "due_at": NOW + timedelta(days=1), "attempts": []},
        )


def _stop(key: str, asset: str, at: datetime, dice: random.Random) -> dict[str, Any]:
    return {
        "origin": "interval",
        "key": key,
        "part": "",
        "asset_key": asset,
        "started_at": at,
        "ended_at": at + timedelta(hours=dice.expovariate(1 / 4)),
        "planned": False,
        "failure": True,
    }


def _letter(name: str, at: datetime, dice: random.Random) -> dict[str, Any]:
    return {
        "delivery_id": name,
        "event_index": 0,
        "digest": name,
        "code": dice.choice(sorted(KNOWN)),
        "class": "PermanentError",
        "message": "a field is missing",
        "fingerprint": "bench",
        "attempts": [],
        "state": "open",
        "first_seen_at": at,
        "buried_at": at,
    }


if __name__ == "__main__":
    main()
