"""What the benchmarks share: their input, processes to measure, and how figures are told."""

import argparse
import contextlib
import json
import os
import random
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from handlers.events import Delivery
from tests.receiver.harness import write_connections
from tests.servers import START_SECONDS

CONNECTION = "bench"
REPOSITORY = Path(__file__).parents[2]
START = datetime(2025, 1, 1, tzinfo=UTC)
"""When the first event of the input happened; the others follow by the second."""
RECEIVED = START + timedelta(days=365)
ORDERS, ASSETS = 5_000, 500
"""So many records share the events, at random."""


class Spread(NamedTuple):
    """A figure of several rounds."""

    median: float
    least: float
    most: float

    def told(self, decimals: int = 0) -> str:
        """The median, and from where to where the rounds went."""
        return f"{self.median:,.{decimals}f} ({self.least:,.{decimals}f} to {self.most:,.{decimals}f})"


def spread(values: Sequence[float]) -> Spread:
    """Of one value a round."""
    return Spread(statistics.median(values), min(values), max(values))


def arguments(text: str | None) -> argparse.ArgumentParser:
    """A parser whose help is a module's docstring."""
    return argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)


def bodies(count: int, first: int = 0) -> Iterator[tuple[str, bytes]]:
    """Event ids and bodies of work order updates as an upstream would send them, about 650 bytes each."""
    dice = random.Random(first)
    for number in range(first, first + count):
        event_id = f"evt-{number:08d}"
        event = {
            "id": event_id,
            "type": "work_order.updated",
            "occurred_at": (START + timedelta(seconds=number)).isoformat().replace("+00:00", "Z"),
            "data": {
                "key": f"WO-{dice.randrange(ORDERS)}",
                "asset_key": f"A-{dice.randrange(ASSETS)}",
                "status": dice.choice(["approved", "in_progress", "on_hold", "completed"]),
                "title": "Replace bearing on conveyor drive motor",
                "description": "Vibration above limit on the drive end; check alignment and grease. " * 4,
                "priority": dice.choice(["low", "medium", "high"]),
                "requested_at": "2024-12-31T11:00:00Z",
                "cost_center": "4711",
            },
        }
        yield event_id, json.dumps(event, separators=(",", ":")).encode()


def deliveries(count: int, first: int = 0) -> list[Delivery]:
    """The same as a worker gets them."""
    headers = {"content-type": "application/json"}
    return [Delivery(name, CONNECTION, RECEIVED, body, headers) for name, body in bodies(count, first)]


def make_home(folder: Path) -> Path:
    """A home with the one connection that everything is sent over; its secret is the harness's."""
    folder.mkdir()
    write_connections(folder / "connections.toml", **{CONNECTION: {}})
    return folder


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A temporary folder whose name is short enough for a broker's socket in it."""
    with tempfile.TemporaryDirectory(prefix="mw-") as name:
        yield Path(name)


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of a real installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAINTENWORKS_")}
    return {**kept, **given}


@contextlib.contextmanager
def serving(command: Sequence[str], port: int, given: Mapping[str, str]) -> Iterator[None]:
    """A server process that listens on a port of 127.0.0.1 by the time it is handed over."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=environment(given), cwd=REPOSITORY, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"{' '.join(command)} did not start:\n{log.read()[-2000:]}")
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(START_SECONDS)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def alternating(names: Iterable[str], rounds: int) -> Iterator[tuple[int, str]]:
    """Who is measured when: each once a round, and a round begins with another one than the last.

    So whatever else the machine is doing meets all of them alike.
    """
    order = list(names)
    for number in range(rounds):
        for name in order:
            yield number, name
        order = order[1:] + order[:1]
