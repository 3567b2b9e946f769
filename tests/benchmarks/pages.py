"""How long the console's pages about maintenance take to their first byte, over a full database and a small one.

The database is filled by SQL: events, orders of which few are open, assets with stops and histories, occurrences of
plans. Each page is asked over HTTP on this machine, by turns; the small database holds a hundredth of everything, so
the ratio of the two says what size costs. Measured from the request to the first byte of the answer.

Example: python -m tests.benchmarks.pages --events 1000000
"""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx

from handlers.connections import Registry
from handlers.store import migrate
from handlers.store.engine import Database
from tests.benchmarks.filling import CONNECTION, Sizes, fill
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
)
SMALL = 100
"""The small database has a hundredth."""


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL; on SQLite otherwise")
    given = parser.parse_args()
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="pages-")))
        server = held.enter_context(postgres_server()) if given.postgres else None
        clients = {}
        for name, events in (("small", given.events // SMALL), ("large", given.events)):
            home = folder / name
            home.mkdir()
            url = f"sqlite:///{home / 'm.db'}"
            if server is not None:
                url = held.enter_context(server.database(f"pages_{name}"))
            database = held.enter_context(contextlib.closing(Database(url, pool_size=4)))
            migrate.upgrade(database)
            began = time.perf_counter()
            fill(database, Sizes.of(events))
            output.note(f"{name}: {Sizes.of(events)}, filled in {time.perf_counter() - began:.0f} s")
            clients[name] = held.enter_context(_client(home, database))
        _measure(clients, given.rounds)


def _measure(clients: dict[str, httpx.Client], rounds: int) -> None:
    asked = {f"{name} {path}": (clients[name], path) for path in PAGES for name in clients}
    took: dict[str, list[float]] = {each: [] for each in asked}
    for client, path in asked.values():
        _first_byte(client, path)  # templates are compiled, statements prepared, and pages of the disk cached
    for _, each in alternating(asked, rounds):
        took[each].append(_first_byte(*asked[each]))
    rows = []
    for path in PAGES:
        small, large = took[f"small {path}"], took[f"large {path}"]
        ratio = spread([one / other for one, other in zip(large, small, strict=True)])
        rows.append((path, spread(small).told(1), spread(large).told(1), ratio.told(2)))
    columns = ("page", "small ms", "large ms", "large to small")
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
