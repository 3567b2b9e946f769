"""A year's figures read from PostgreSQL: of one asset, and of a site of a thousand.

Each asset has as many stops as are asked for, spread over three years, and the year asked about is the middle one. The
small database holds one asset alone, the large one all of them; ratios are taken within a round. One asset of the large
to that of the small says what a full database costs, the site to its one asset what a thousand cost together. Measured
from the question to the last row of figures, on statistics that are up to date; the server's own work is in it.

Example: python -m tests.benchmarks.uptime --assets 10000 --stops 100
"""

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from handlers.connections.calendars import parse_calendars
from handlers.rules.calendars import Calendar
from handlers.store import migrate
from handlers.store.engine import Database
from handlers.store.read_looks import Look
from handlers.store.read_reliability import asset_reliability
from handlers.store.read_spans import Window
from handlers.store.read_uptime import asset_figures
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_history, assets, downtime
from tests.benchmarks.measuring import alternating, arguments, spread
from tests.servers import PostgresServer, postgres_server
from worker.cli import output

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=3 * 365)
YEAR = Window(datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), FIRST + YEARS)
BUSY, SITE, REST = "c", "site", "others"
"""Connections: the one with one asset alone, the one that is the site, and one with what else is stored."""
SHIFTS = """
[calendars.two-shift]
time_zone = "Europe/Berlin"
shifts = [{ days = "mon-fri", from = "06:00", to = "22:00" }]
[connections.c]
calendar = "two-shift"
"""
ROWS_AT_ONCE = 5_000


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--site", type=int, default=1_000, help="assets of the site")
    parser.add_argument("--assets", type=int, default=2_000, help="of the large database, the site's among them")
    parser.add_argument("--stops", type=int, default=20, help="of each asset")
    given = parser.parse_args()
    calendar = parse_calendars(SHIFTS, "calendars")["c"].calendar
    with postgres_server() as server, filled(server, "small", {BUSY: 1}, given.stops) as small:
        sizes = {BUSY: 1, SITE: given.site, REST: max(0, given.assets - given.site - 1)}
        with filled(server, "large", sizes, given.stops) as large:
            asked: dict[str, Callable[[], int]] = {
                "one asset alone": partial(_uptime, small, BUSY, None),
                "one asset among all": partial(_uptime, large, BUSY, None),
                "the same by calendar": partial(_uptime, large, BUSY, calendar),
                "the same, every figure": partial(_reliability, large, BUSY),
                "a site": partial(_uptime, large, SITE, None),
                "a site by calendar": partial(_uptime, large, SITE, calendar),
                "a site, every figure": partial(_reliability, large, SITE),
            }
            took: dict[str, list[float]] = {name: [] for name in asked}
            for ask in asked.values():
                ask()  # statements are prepared and pages cached before the clock runs
            for _, name in alternating(asked, given.rounds):
                began = time.perf_counter()
                asked[name]()
                took[name].append((time.perf_counter() - began) * 1000)
    alone, site = took["one asset alone"], took["a site"]
    rows = [
        (
            name,
            spread(every).told(1),
            spread([one / other for one, other in zip(every, alone, strict=True)]).told(2),
            spread([one / other for one, other in zip(every, site, strict=True)]).told(2),
        )
        for name, every in took.items()
    ]
    columns = ("a year of", "ms", "to one alone", "to a site")
    output.table(columns, rows, right=columns[1:])


@contextlib.contextmanager
def filled(server: PostgresServer, name: str, sizes: dict[str, int], stops: int) -> Iterator[Database]:
    """A database with so many assets of each connection, all with their stops."""
    with server.database(f"bench_{name}") as url, contextlib.closing(Database(url)) as database:
        migrate.upgrade(database)
        for connection, count in sizes.items():
            for first in range(0, count, max(1, ROWS_AT_ONCE // stops)):
                keys = [f"A-{number:06d}" for number in range(first, min(count, first + max(1, ROWS_AT_ONCE // stops)))]
                _insert(database, connection, keys, stops)
        with database.write() as plain:
            plain.exec_driver_sql("ANALYZE")
        output.note(f"{name}: {sum(sizes.values()):,} assets, {sum(sizes.values()) * stops:,} stops")
        yield database


def _insert(database: Database, connection: str, keys: list[str], stops: int) -> None:
    dice = random.Random(f"{connection} {keys[0]}")
    spans = [_stop(connection, key, number, dice) for key in keys for number in range(stops)]
    with database.write() as plain:
        tx = Transaction(plain)
        tx.insert(assets, [{"connection_id": connection, "key": key} for key in keys])
        tx.insert(downtime, spans)
        tx.insert(asset_history, [_fact(each) for each in spans])


def _stop(connection: str, asset: str, number: int, dice: random.Random) -> dict[str, Any]:
    start = FIRST + YEARS * dice.random()
    planned = dice.random() < 0.3
    return {
        "connection_id": connection,
        "origin": "interval",
        "key": f"{asset}-{number}",
        "part": "",
        "asset_key": asset,
        "started_at": start,
        "ended_at": start + timedelta(hours=dice.expovariate(1 / 4)),
        "planned": planned,
        "failure": not planned,
    }


def _fact(stop: dict[str, Any]) -> dict[str, Any]:
    return {
        "connection_id": stop["connection_id"],
        "subject_kind": "downtime",
        "subject_key": stop["key"],
        "stamp": "0",
        "slot": stop["asset_key"],
        "asset_key": stop["asset_key"],
        "occurred_at": stop["started_at"],
        "type": "downtime.started",
        "event_id": stop["key"],
        "digest": "0",
        "detail": {},
    }


def _uptime(database: Database, connection: str, calendar: Calendar | None) -> int:
    asset = "A-000000" if connection == BUSY else None
    return sum(1 for _ in asset_figures(database, connection, lambda _key, _site: Look(YEAR, UTC, calendar), asset))


def _reliability(database: Database, connection: str) -> int:
    asset = "A-000000" if connection == BUSY else None
    return sum(1 for _ in asset_reliability(database, connection, lambda _key, _site: Look(YEAR), asset))


if __name__ == "__main__":
    main()
