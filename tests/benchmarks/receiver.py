"""Requests accepted per second by our receiver, beside what one would write instead.

bare   Starlette on uvicorn, one route that checks the HMAC and keeps nothing
naive  the same, and Dramatiq's `actor.send` to its RedisBroker in the thread pool
ours   `python -P -m receiver`

All three are one process, on the same Valkey (append-only, `appendfsync always`), under the same load, by turns; each
answers 200 only once its event is in the broker, save `bare`.

Example: python -m tests.benchmarks.receiver --rounds 5 --seconds 4
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import load
from tests.benchmarks.measuring import CONNECTION, alternating, arguments, make_home, serving, short_folder, spread
from tests.benchmarks.rivals import BROKER_VARIABLE, PATH
from tests.servers import free_port, valkey_server
from worker.cli import output

UVICORN = ("--factory", "--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning")
BARE, NAIVE, OURS = "bare", "naive", "ours"


class Target(NamedTuple):
    """Where one of them listens."""

    port: int
    path: str


def main() -> None:
    """Runs it."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of load, for each in each round")
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()

    found: dict[str, list[load.Load]] = {BARE: [], NAIVE: [], OURS: []}
    with short_folder() as folder, valkey_server() as server, contextlib.ExitStack() as stack:
        targets = dict(started(stack, folder, server.url))
        for target in targets.values():  # warm
            load.run(*target, seconds=1, connections=given.connections)
        for number, name in alternating(targets, given.rounds):
            with server.client() as client:
                client.flushall()
            measured = load.run(*targets[name], seconds=given.seconds, connections=given.connections)
            found[name].append(measured)
            output.note(f"round {number + 1}: {name} {measured.per_second:,.0f}/s")
    tell(found)
    output.note(f"{given.connections} connections, load by {load.generator()}")


def started(stack: contextlib.ExitStack, folder: Path, broker_url: str) -> Iterator[tuple[str, Target]]:
    """Starts all three; they stop with the stack."""
    for name in (BARE, NAIVE):
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", f"tests.benchmarks.rivals:{name}", "--port", str(port), *UVICORN]
        stack.enter_context(serving(command, port, {BROKER_VARIABLE: broker_url}))
        yield name, Target(port, PATH)
    port = free_port()
    settings = {
        "MAINTENWORKS_HOME": str(make_home(folder / "home")),
        "MAINTENWORKS_BROKER_URL": broker_url,
        "MAINTENWORKS_PUBLIC_HOST": "127.0.0.1",
        "MAINTENWORKS_PUBLIC_PORT": str(port),
        "MAINTENWORKS_BACKLOG_LIMIT_BYTES": str(2**40),  # nobody works it off here
    }
    stack.enter_context(serving([sys.executable, "-P", "-m", "receiver"], port, settings))
    yield OURS, Target(port, f"/webhooks/{CONNECTION}")


def tell(found: dict[str, list[load.Load]]) -> None:
    """Prints a line for each; a ratio is taken within a round, and then their median."""
    rows = []
    for name, rounds in found.items():
        ratios = [one.per_second / other.per_second for one, other in zip(rounds, found[NAIVE], strict=True)]
        rows.append(
            (
                name,
                spread([each.per_second for each in rounds]).told(),
                spread(ratios).told(2),
                spread([each.p50 for each in rounds]).told(1),
                spread([each.p99 for each in rounds]).told(1),
            )
        )
    columns = ("receiver", "accepted/s", f"times {NAIVE}", "p50 ms", "p99 ms")
    output.table(columns, rows, right=columns[1:])


if __name__ == "__main__":
    main()
