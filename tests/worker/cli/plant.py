"""A home with a database in it, what is sent to it, and the commands that look at it."""

import contextlib
import io
import itertools
import json
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from handlers.connections import Registry
from handlers.events import Delivery
from handlers.sources import load
from handlers.store.arrival import id_at
from handlers.store.engine import Database
from tests.databases import prepare
from worker.dispatch import Dispatcher
from worker.main import main
from worker.streams_leases import Envelope
from worker.units import Reader

SAMPLES = Path(__file__).parents[2] / "samples"
NOW = datetime(2026, 7, 1, tzinfo=UTC)
CONNECTIONS = """
[connections.plant]
source = "unified"
customer = "acme"
secrets = [{ ref = "env:PLANT" }]
[connections.second]
source = "unified"
customer = "acme"
secrets = [{ ref = "env:PLANT" }]
[connections.trial]
source = "unified"
environment = "sandbox"
secrets = [{ ref = "env:PLANT" }]
"""


class Done(NamedTuple):
    """What a command came to: exit code, standard output, standard error."""

    code: int
    raw: bytes
    said: str

    @property
    def out(self) -> str:
        """Standard output as text."""
        return self.raw.decode()

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.raw.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        """The one JSON line."""
        (row,) = self.rows
        return row


class Plant:
    """One installation.

    Attributes:
        home: its folder.
        url: of its database, which has the schema, or is a file of SQLite that is not there yet.
        database: opened.
    """

    def __init__(self, home: Path, url: str, *, connections: str = CONNECTIONS) -> None:
        self.home = home
        self.url = url
        (home / "connections.toml").write_text(connections)
        prepare(url)
        self.database = Database(url)
        self._ids = (f"{id_at(NOW)}-{number:08d}" for number in itertools.count())
        reader = Reader(Registry(home / "connections.toml", home), load(), max_body_bytes=1024 * 1024)
        self._dispatcher = Dispatcher(self.database, reader, clock=lambda: NOW, dice=random.Random(1))

    def send(self, *bodies: bytes | str | Mapping[str, Any] | Sequence[Any], to: str = "plant") -> list[str]:
        """Has a batch of deliveries worked on, and returns their ids; what is no text is written as JSON."""
        batch = [Delivery(next(self._ids), to, NOW, _bytes(body)) for body in bodies]
        self._dispatcher.process(batch, Envelope("live", "1-0", batch))
        return [each.delivery_id for each in batch]

    def send_all(self, lines: Iterable[bytes], seed: int, size: int = 500) -> None:
        """Sends lines in any order, a fifth of them twice, each a delivery of its own."""
        dice = random.Random(seed)
        told = list(lines)
        told += dice.sample(told, len(told) // 5)
        dice.shuffle(told)
        for start in range(0, len(told), size):
            self.send(*told[start : start + size])

    def run(self, *arguments: str) -> Done:
        """Runs a command as the console script would, in this process."""
        out, err = io.TextIOWrapper(io.BytesIO(), write_through=True), io.StringIO()
        settings = {"MAINTENWORKS_HOME": str(self.home), "MAINTENWORKS_DATABASE_URL": self.url}
        with (
            mock.patch.object(sys, "argv", ["maintenworks", *arguments]),
            mock.patch.dict("os.environ", settings),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = _code(main)
        written = out.buffer
        assert isinstance(written, io.BytesIO)
        return Done(code, written.getvalue(), err.getvalue())


def event(type_: str, key: str, at: str, id_: str | None = None, **data: Any) -> dict[str, Any]:
    """An event of the `unified` source; `at` is a time of 1 March 2026 unless it has a date."""
    told = {"type": type_, "occurred_at": at if "T" in at else f"2026-03-01T{at}:00Z", "data": {"key": key, **data}}
    return told if id_ is None else {"id": id_, **told}


def _bytes(body: object) -> bytes:
    if isinstance(body, bytes):
        return body
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


def _code(command: Any) -> int:
    try:
        command()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
