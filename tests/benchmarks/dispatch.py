"""Events that one `Dispatcher` commits per second, in one thread, by database and size of the batch.

Each event is one delivery: a work order update, which makes or changes a row of deliveries, events, work orders,
assets and asset history. SQLite as it is shipped (WAL, `synchronous=FULL`), PostgreSQL with `fsync` on, each time from
an empty database. CPU time is of this process: SQLite's work is in it, PostgreSQL's server is not.

Example: python -m tests.benchmarks.dispatch --databases sqlite --sizes 1 64
"""

import argparse
import contextlib
import itertools
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson

from handlers.connections import Registry
from handlers.events import Delivery
from handlers.sources import load
from handlers.store import migrate
from handlers.store.engine import Database
from tests.benchmarks.archived import BUSY, FACTS, FIRST, SPAN, fact, fill, rebuilt
from tests.benchmarks.measuring import (
    CONNECTION,
    RECEIVED,
    alternating,
    arguments,
    deliveries,
    make_home,
    short_folder,
    spread,
)
from tests.servers import PostgresServer, postgres_server
from worker.cli import output
from worker.dispatch import Dispatcher
from worker.streams_leases import Envelope
from worker.units import Reader

SQLITE, POSTGRESQL = "sqlite", "postgresql"
SIZES = (1, 16, 64, 500)
EMPTY, FULL, ON_BUSY = "in an empty database", "in the full one", "on an asset that has much"
WARM_BATCHES = 3
"""Statements are prepared and the first rows made before the clock runs."""

_numbers = itertools.count()


class Pace(NamedTuple):
    """What was measured.

    Attributes:
        per_second: events committed.
        cpu: microseconds of this process for each.
    """

    per_second: float
    cpu: float


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of work, for each in each round")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="events a batch")
    parser.add_argument("--databases", nargs="+", choices=(SQLITE, POSTGRESQL), default=(SQLITE, POSTGRESQL))
    parser.add_argument("--assets", type=int, help="of the full database, a hundred facts each")
    parser.add_argument("--busy", type=int, default=100_000, help="facts of the one asset that has so many")
    given = parser.parse_args()
    if given.assets is not None:
        full(given)
        return
    found = measured(given)
    rows = [
        (name, size, spread([each.per_second for each in rounds]).told(), spread([each.cpu for each in rounds]).told())
        for (name, size), rounds in found.items()
    ]
    columns = ("database", "batch", "committed/s", "CPU µs an event")
    output.table(columns, rows, right=columns[1:])


def measured(given: argparse.Namespace) -> dict[tuple[str, int], list[Pace]]:
    """Every pace, by database and size."""
    found: dict[tuple[str, int], list[Pace]] = {(name, size): [] for name in given.databases for size in given.sizes}
    with short_folder() as folder, contextlib.ExitStack() as stack:
        home = make_home(folder / "home")
        server = stack.enter_context(postgres_server(fsync="on")) if POSTGRESQL in given.databases else None
        for number, name in alternating(given.databases, given.rounds):
            for size in given.sizes:
                with empty_database(name, home, server) as database:
                    pace = work(database, home, size, given.seconds)
                found[name, size].append(pace)
                output.note(f"round {number + 1}: {name} by {size}: {pace.per_second:,.0f}/s")
    return found


def full(given: argparse.Namespace) -> None:
    """What it costs to have much stored."""
    with short_folder() as folder, postgres_server(fsync="on", shared_buffers="512MB") as server:
        home = make_home(folder / "home")
        with empty_database(POSTGRESQL, home, server) as small, empty_database(POSTGRESQL, home, server) as large:
            rebuilds = [fill(large, home, given.assets, given.busy), rebuilt(large, home)]
            names = ("all to be written", "nothing differs")
            rows = [
                (name, f"{done.deliveries:,}", f"{took:,.1f}", f"{done.deliveries / took:,.0f}", f"{done.held_s:.2f}")
                for name, (done, took) in zip(names, rebuilds, strict=True)
            ]
            columns = ("rebuild", "deliveries", "s", "deliveries/s", "writers wait s")
            output.table(columns, rows, right=columns[1:])
            for size in given.sizes:
                took = beside(small, large, home, size, given)
                empty = took[EMPTY]
                told = [
                    (
                        name,
                        spread([each * 1e3 for each in every]).told(2),
                        spread([one / other for one, other in zip(every, empty, strict=True)]).told(2),
                    )
                    for name, every in took.items()
                ]
                heads = (f"an event, by {size}", "ms", "to empty")
                output.table(heads, told, right=heads[1:])


def beside(
    small: Database, large: Database, home: Path, size: int, given: argparse.Namespace
) -> dict[str, list[float]]:
    """Seconds an event, of each round: in both databases, and about the asset that has much."""
    dice = random.Random(size)
    reader = Reader(Registry(home / "connections.toml", home), load(), max_body_bytes=1024 * 1024)
    by = {
        name: Dispatcher(database, reader, clock=lambda: datetime.now(UTC), dice=random.Random(1))
        for name, database in ((EMPTY, small), (FULL, large), (ON_BUSY, large))
    }
    told: dict[str, int] = {BUSY: given.busy + size * 1_000_000}
    took: dict[str, list[float]] = {name: [] for name in by}
    batches: dict[str, list[Delivery]] = {}
    for number, name in alternating(by, given.rounds + WARM_BATCHES):
        if len(took[EMPTY]) == len(took[FULL]) == len(took[ON_BUSY]):
            chosen = [f"A-{dice.randrange(given.assets):06d}" for _ in range(size)]
            batches[EMPTY] = batches[FULL] = _told(chosen, told, size)
            batches[ON_BUSY] = _told([BUSY] * size, told, size)
        began = time.perf_counter()
        by[name].process(batches[name], Envelope("live", f"{number}-0", batches[name]))
        took[name].append((time.perf_counter() - began) / size)
    return {name: every[WARM_BATCHES:] for name, every in took.items()}


def _told(chosen: list[str], told: dict[str, int], size: int) -> list[Delivery]:
    made = []
    for asset in chosen:
        number = told.setdefault(asset, FACTS + size * 1_000_000)
        told[asset] += 1
        event = fact(asset, number, FIRST + SPAN + timedelta(minutes=number % 500_000))
        made.append(
            Delivery(f"n-{next(_numbers):09d}", CONNECTION, RECEIVED + timedelta(days=900), orjson.dumps(event))
        )
    return made


@contextlib.contextmanager
def empty_database(name: str, home: Path, server: PostgresServer | None) -> Iterator[Database]:
    """A database with the schema and nothing in it, gone afterwards."""
    unique = f"bench_{next(_numbers)}"
    with contextlib.ExitStack() as stack:
        if name == POSTGRESQL:
            assert server is not None
            url = stack.enter_context(server.database(unique))
        else:
            url = f"sqlite:///{home / unique}.db"
        database = Database(url)
        stack.callback(database.close)
        migrate.upgrade(database)
        yield database


def work(database: Database, home: Path, size: int, seconds: float) -> Pace:
    """Commits batches until so many seconds were spent on it; making them is not counted."""
    reader = Reader(Registry(home / "connections.toml", home), load(), max_body_bytes=1024 * 1024)
    dispatcher = Dispatcher(database, reader, clock=lambda: datetime.now(UTC), dice=random.Random(1))
    took = cpu = 0.0
    events = 0
    for number in itertools.count():
        batch = deliveries(size, number * size)
        began, began_cpu = time.perf_counter(), time.process_time()
        dispatcher.process(batch, Envelope("live", f"{number}-0", batch))
        if number >= WARM_BATCHES:
            took += time.perf_counter() - began
            cpu += time.process_time() - began_cpu
            events += size
        if took >= seconds:
            break
    return Pace(events / took, cpu / events * 1e6)


if __name__ == "__main__":
    main()
