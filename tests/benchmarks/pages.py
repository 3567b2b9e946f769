"""How long the console's pages and the API's lists take to their first byte, over a full database and a small one.

The database is filled by SQL: events, orders of which few are open, assets with stops and histories, occurrences of
plans. Each page is asked over HTTP on this machine, by turns; the small database holds a hundredth of everything, so
the ratio of the two says what size costs. Measured from the request to the first byte of the answer; beside it the CPU
time that this process spent on it, client and all, which is what to look at on a busy machine.

Example: python -m tests.benchmarks.pages --events 1000000 --only events
"""

import contextlib
import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx

from handlers.connections import Registry
from handlers.store import migrate
from handlers.store.engine import Database
from tests.benchmarks.filling import CONNECTION, QUIET, RARE_TYPE, Sizes, fill
from tests.benchmarks.measuring import alternating, arguments, spread
from tests.servers import postgres_server
from worker.cli import output
from worker.console.app import build_app
from worker.console.checks import Readiness
from worker.console.house import House, utc_now
from worker.console.opening import door
from worker.console.replaying import Runner
from worker.console.serve import listen, serving
from worker.settings import WorkerSettings
from worker.tokens import OPERATOR_FILE, make_operator_token

ASSET = f"connection={CONNECTION}&key=A-000007"
PAGES = (
    "/today",
    "/work-orders",
    "/work-orders?state=overdue",
    "/work-orders?site=S-3",
    "/work-orders?crew=T-3",
    "/work-orders?state=all",
    "/work-orders?state=all&status=on_hold",
    "/work-orders?state=all&asset=A-000007",
    f"/work-orders/show?connection={CONNECTION}&key=W-0000007",
    "/assets",
    "/assets?q=pump+77",
    f"/assets/show?{ASSET}",
    f"/assets/show?{ASSET}&days=365",
    f"/assets/timeline?{ASSET}",
    "/pm",
    "/connections",
    f"/connections/show?id={CONNECTION}",
    "/audit",
    "/uptime",
    "/records?kind=purchase-orders",
    "/records?kind=downtime",
    "/records?kind=purchase-orders&status=none",
    "/work-orders?crew=nobody",
    "/work-orders?state=all&type=inspection",
    "/work-orders?state=all&site=S-none",
    "/uptime?period=2026-09&by=asset",
    "/uptime?period=2026-09",
    "/uptime?period=2026-09&by=customer",
    "/events",
    f"/events?type={RARE_TYPE}",
    "/events?type=none.such",
    "/events?outcome=stale",
    f"/events?connection={QUIET}",
    f"/events?connection={CONNECTION}",
    "/events?subject=W-0000007",
    "/events?subject=work_order/W-0000007",
    "/events?until=2026-02-01",
    "/events?until=2026-02-01&type=none.such",
    "/events?since=2026-11-01&type=none.such",
    "/dead-letters",
    "/dead-letters?by=type",
    "/dead-letters?by=error&connection=bench",
    "/dead-letters?by=none",
    "/dead-letters?by=none&error=none_such",
    "/dead-letters?fingerprint=0000000000000001",
    "/replays/plan",
    "/replays/plan?fingerprint=0000000000000001",
    "/api/v1/events?type=none.such",
    "/api/v1/work-orders?type=inspection",
    "/api/v1/dead-letters/groups",
    "/api/v1/dead-letters?type=none.such",
    "/api/v1/today",
    "/api/v1/uptime?period=2026-09",
    "/api/v1/uptime?period=2026-09&by=site",
)
SMALL = 100
"""The small database has a hundredth."""


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL; on SQLite otherwise")
    parser.add_argument("--only", default="", help="pages whose address has this in it")
    parser.add_argument("--keep", type=Path, help="a folder in which SQLite's files are kept, and used again")
    given = parser.parse_args()
    with ExitStack() as held:
        folder = given.keep or Path(held.enter_context(tempfile.TemporaryDirectory(prefix="pages-")))
        server = held.enter_context(postgres_server()) if given.postgres else None
        clients = {}
        for name, events in (("small", given.events // SMALL), ("large", given.events)):
            home = folder / name
            home.mkdir(parents=True, exist_ok=True)
            url = f"sqlite:///{home / 'm.db'}"
            is_filled = (home / "filled").exists() and server is None
            if server is not None:
                url = held.enter_context(server.database(f"pages_{name}"))
            database = held.enter_context(contextlib.closing(Database(url, pool_size=4)))
            migrate.upgrade(database)
            began = time.perf_counter()
            if not is_filled:
                fill(database, Sizes.of(events))
                (home / "filled").touch()
                output.note(f"{name}: {Sizes.of(events)}, filled in {time.perf_counter() - began:.0f} s")
            clients[name] = held.enter_context(_client(home, database))
        gc.freeze()  # as the console does
        _measure(clients, given.rounds, [path for path in PAGES if given.only in path])


def _measure(clients: dict[str, httpx.Client], rounds: int, pages: Sequence[str]) -> None:
    asked = {f"{name} {path}": (clients[name], path) for path in pages for name in clients}
    took: dict[str, list[float]] = {each: [] for each in asked}
    spent: dict[str, list[float]] = {each: [] for each in asked}
    for client, path in asked.values():
        _first_byte(client, path)  # templates are compiled, statements prepared, and pages of the disk cached
    for _, each in alternating(asked, rounds):
        before = time.process_time()
        took[each].append(_first_byte(*asked[each]))
        spent[each].append((time.process_time() - before) * 1000)
    rows = []
    for path in pages:
        small, large = took[f"small {path}"], took[f"large {path}"]
        ratio = spread([one / other for one, other in zip(large, small, strict=True)])
        cpu = spread(spent[f"large {path}"])
        rows.append((path, spread(small).told(1), spread(large).told(1), cpu.told(1), ratio.told(2)))
    columns = ("page", "small ms", "large ms", "large CPU ms", "large to small")
    output.table(columns, rows, right=columns[1:])


@contextlib.contextmanager
def _client(home: Path, database: Database) -> Iterator[httpx.Client]:
    """A browser of sorts, of an operator, at a console over a database."""
    (home / "connections.toml").write_text(
        f'[connections.{CONNECTION}]\nsource = "unified"\nsecrets = [{{ ref = "env:NONE_SUCH" }}]\n'
    )
    settings = WorkerSettings(home=home)
    make_operator_token(home)
    token = (home / OPERATOR_FILE).read_text().strip()
    house = House(database, Registry(home / "connections.toml", home), settings, Runner(database, utc_now))
    app = build_app(Readiness([]), [], ops_host="127.0.0.1", token=None, console=(house, door(settings)))
    listener = listen("127.0.0.1", 0, "MAINTENWORKS_OPS_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    headers = {"authorization": f"Bearer {token}"}
    with serving(app, listener), httpx.Client(base_url=url, headers=headers, timeout=120) as client:
        yield client


def _first_byte(client: httpx.Client, path: str) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    with client.stream("GET", path) as answer:
        took = (time.perf_counter() - began) * 1000
        body = answer.read()
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"{path}: {answer.status_code} {body[:500]!r}")
    return took


if __name__ == "__main__":
    main()
