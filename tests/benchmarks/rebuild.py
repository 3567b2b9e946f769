"""What a rebuild takes on PostgreSQL, and a check: wall time, CPU time an event of each process, how long writers wait.

The archive is that of `tests.benchmarks.archived`: a hundred facts of each asset, one a delivery. By turns, each round:

- nothing stands: every row has to be written;
- nothing differs;
- another map: every event says that an older one had read it, and every row differs;
- `--check`, where nothing differs.

CPU time is of this process, of those that read and fold for it, and of all of the server's. Only ratios carry over to
another machine.

Example: python -m tests.benchmarks.rebuild --assets 10000 --rounds 1
"""

import argparse
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]  # it ships no types
import sqlalchemy as sa

from handlers.store.differences import FOLDED
from handlers.store.engine import Database
from handlers.store.schema import asset_status_edges, events
from tests.benchmarks.archived import checked, fill, rebuilt
from tests.benchmarks.dispatch import POSTGRESQL, empty_database
from tests.benchmarks.measuring import arguments, make_home, short_folder, spread
from tests.servers import PostgresServer, postgres_server
from worker.cli import output

COLUMNS = ("rebuild", "deliveries/s", "CPU µs: here", "helpers", "server", "writers wait s")
SETTLE_SECONDS = 0.5
"""Until a session that ended has been reaped, and counts as its server's."""


class Cost(NamedTuple):
    """What one took.

    Attributes:
        per_second: deliveries.
        here: microseconds of CPU time of this process for each.
        helpers: of those that it started.
        server: of the database's.
        held: seconds for which writers waited.
    """

    per_second: float
    here: float
    helpers: float
    server: float
    held: float


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--assets", type=int, default=1_000, help="a hundred deliveries each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES))
    given = parser.parse_args()
    found = measured(given)
    rows = []
    for name, every in found.items():
        told = (spread([getattr(each, field) for each in every]) for field in Cost._fields)
        rows.append((name, *(each.told(1) for each in told)))
    output.table(COLUMNS, rows, right=COLUMNS[1:])


def measured(given: argparse.Namespace) -> dict[str, list[Cost]]:
    """Every cost, by case."""
    found: dict[str, list[Cost]] = {name: [] for name in given.only}
    with short_folder() as folder, postgres_server(fsync="on", shared_buffers="512MB") as server:
        home = make_home(folder / "home")
        with empty_database(POSTGRESQL, home, server) as database:
            fill(database, home, given.assets)
            for number in range(given.rounds):
                for name in given.only:
                    before, run = CASES[name]
                    before(database)
                    found[name].append(_cost(database, home, server, run))
                    output.note(f"round {number + 1}: {name}: {found[name][-1].per_second:,.0f}/s")
    return found


def _cost(
    database: Database, home: Path, server: PostgresServer, run: Callable[[Database, Path], tuple[int, float, float]]
) -> Cost:
    server_before, here_before, helpers_before = _server_seconds(server), _seconds(), _seconds(of_helpers=True)
    deliveries, took, held = run(database, home)
    time.sleep(SETTLE_SECONDS)
    micros = 1e6 / deliveries
    return Cost(
        per_second=deliveries / took,
        here=(_seconds() - here_before) * micros,
        helpers=(_seconds(of_helpers=True) - helpers_before) * micros,
        server=(_server_seconds(server) - server_before) * micros,
        held=held,
    )


def _seconds(*, of_helpers: bool = False) -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN if of_helpers else resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _server_seconds(server: PostgresServer) -> float:
    first = psutil.Process(server.pid)
    ended = first.cpu_times()
    running = [each.cpu_times() for each in first.children(recursive=True)]
    total = ended.children_user + ended.children_system + sum(each.user + each.system for each in (ended, *running))
    return float(total)


def _rebuild(database: Database, home: Path) -> tuple[int, float, float]:
    done, took = rebuilt(database, home)
    return done.deliveries, took, done.held_s


def _check(database: Database, home: Path) -> tuple[int, float, float]:
    done, took = checked(database, home)
    assert not done.differences
    return done.deliveries, took, 0.0


def _lose(database: Database) -> None:
    with database.write() as plain:
        for table in (events, *FOLDED):
            plain.execute(sa.delete(table))


def _differ(database: Database) -> None:
    with database.write() as plain:
        plain.execute(sa.update(events).values(map="older"))
        for table in FOLDED:
            if "anomalies" in table.c:
                plain.execute(sa.update(table).values(anomalies=[{"code": "other"}]))
            elif "detail" in table.c:
                plain.execute(sa.update(table).values(detail={"other": True}))
        plain.execute(sa.update(asset_status_edges).values(status="other"))


def _same(database: Database) -> None:
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
        plain.exec_driver_sql("VACUUM ANALYZE")  # what the last one left is not this one's


CASES = {
    "nothing stands": (_lose, _rebuild),
    "nothing differs": (_same, _rebuild),
    "another map": (_differ, _rebuild),
    "check": (_same, _check),
}


if __name__ == "__main__":
    main()
