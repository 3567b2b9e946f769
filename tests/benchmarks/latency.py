"""How long an event takes through `maintenworks up` while nothing else is going on: from its post to its commit.

Events are posted one by one, each after the last is committed and a pause. "Committed" is when another connection to
the SQLite file first sees the row; looking takes up to half a millisecond, which is counted.

Example: python -m tests.benchmarks.latency --posts 200
"""

import contextlib
import http.client
import json
import random
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.benchmarks.measuring import CONNECTION, arguments, bodies, environment, make_home, short_folder
from tests.receiver.harness import makini
from worker.address import SQLITE_FILE
from worker.cli import output

COMMAND = (sys.executable, "-P", "-c", "import sys; from worker.main import main; main()", "up", "--json")
WARM_POSTS = 10
LOOK_SECONDS = 0.0003
PAUSE_SECONDS = (0.02, 0.08)
"""Between two posts, at random, so that nothing in step with them hides."""
PATIENCE_SECONDS = 30.0
STOP_SECONDS = 60.0


class Way(NamedTuple):
    """One event's times, in milliseconds since its post."""

    answered: float
    committed: float


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--posts", type=int, default=200)
    given = parser.parse_args()
    with short_folder() as folder:
        home = make_home(folder / "home")
        with running(home) as receiver:
            ways = posted(receiver, home / SQLITE_FILE, WARM_POSTS + given.posts)[WARM_POSTS:]
    rows = [
        _row("posted to answered", [each.answered for each in ways]),
        _row("answered to committed", [each.committed - each.answered for each in ways]),
        _row("posted to committed", [each.committed for each in ways]),
    ]
    columns = ("milliseconds", "median", "p99", "max")
    output.table(columns, rows, right=columns[1:])


def _row(name: str, times: list[float]) -> tuple[str, ...]:
    figures = (statistics.median(times), statistics.quantiles(times, n=100, method="inclusive")[98], max(times))
    return (name, *(f"{each:.1f}" for each in figures))


@contextlib.contextmanager
def running(home: Path) -> Iterator[str]:
    """`up` on free ports; gives the receiver's URL."""
    command = [*COMMAND, "--home", str(home), "--public-host", "127.0.0.1", "--public-port", "0", "--ops-port", "0"]
    with (home.parent / "log").open("w+") as log:
        process = subprocess.Popen(command, env=environment({}), stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            ready = process.stdout.readline()
            if not ready:
                log.seek(0)
                raise SystemExit(f"`up` did not start:\n{log.read()[-2000:]}")
            yield json.loads(ready)["receiver"]
        finally:
            process.terminate()
            process.communicate(timeout=STOP_SECONDS)


def posted(receiver: str, database: Path, count: int) -> list[Way]:
    """Posts so many events, one at a time."""
    host = urlsplit(receiver)
    client = http.client.HTTPConnection(host.hostname or "", host.port, timeout=PATIENCE_SECONDS)
    looking = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    ways = []
    with contextlib.closing(client), contextlib.closing(looking):
        for event_id, body in bodies(count):
            time.sleep(random.uniform(*PAUSE_SECONDS))
            headers = {"Content-Type": "application/json", "X-Webhook-Signature": makini(body)}
            began = time.perf_counter()
            client.request("POST", f"/webhooks/{CONNECTION}", body, headers)
            answer = client.getresponse()
            said = answer.read()
            answered = time.perf_counter()
            if answer.status != http.client.OK:
                raise SystemExit(f"answered {answer.status}: {said.decode()}")
            _wait(looking, event_id, answered)
            ways.append(Way((answered - began) * 1000, (time.perf_counter() - began) * 1000))
    return ways


def _wait(looking: sqlite3.Connection, event_id: str, since: float) -> None:
    query = "SELECT 1 FROM events WHERE connection_id = ? AND event_id = ?"
    while looking.execute(query, (CONNECTION, event_id)).fetchone() is None:
        if time.perf_counter() - since > PATIENCE_SECONDS:
            raise SystemExit(f"{event_id} was answered 200 and never committed")
        time.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    main()
