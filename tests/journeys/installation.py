"""One installation as its user has it: a home, commands, processes, and the tables to look into."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from handlers.store.engine import Database
from handlers.store.schema import deliveries
from tests.journeys.roles import PATIENCE_SECONDS, Role, eventually
from tests.journeys.sender import Sender
from tests.worker.cli.at_home import Home
from tests.worker.cli.plant import Done

FOREIGN = ("MAINTENWORKS_", "PROMETHEUS_")
"""Settings of a real installation on this machine, which must not be followed."""


class Installation:
    """A home, and what runs on it.

    Args:
        folder: an empty one with a short name, for the broker's socket.
        settings: environment variables, whole names.

    Attributes:
        home: that folder, below the given one.
        environment: of every process here.
        said: what commands printed, secrets shown once left out.
        logs: of the processes that ran on.
        console: URL, once `up` is ready.
        senders: one for each secret issued.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        own = {"HOME": str(self.home), "PUBLIC_HOST": "127.0.0.1", "PUBLIC_PORT": "0", "OPS_PORT": "0"}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        self.environment = {**kept, **{f"MAINTENWORKS_{name}": value for name, value in own.items()}, **settings}
        self.said: list[str] = []
        self.logs: list[Path] = []
        self.console = ""
        self.senders: list[Sender] = []
        self._address = ""
        self._folder = folder
        self._database = Database(settings.get("MAINTENWORKS_DATABASE_URL", f"sqlite:///{self.home}/maintenworks.db"))

    def run(self, *arguments: str, given: bytes = b"", **settings: str) -> Done:
        """Runs a command, which must end well, in this process: another one would take a second or two to start.

        Args:
            arguments: of the command line.
            given: what it reads from standard input.
            settings: environment variables besides those of the installation.
        """
        done = self._ended(*arguments, given=given, **settings)
        self.said += [done.out, done.said]
        return done

    def connect(self, connection: str, *options: str) -> Sender:
        """Adds a connection with a secret of our making, and gives the system that signs with it."""
        sender = Sender(
            connection, self._issued("add", connection, "--source", "unified", "--generate-secret", *options)
        )
        sender.address = self._address
        self.senders.append(sender)
        return sender

    def rotate(self, sender: Sender, *options: str) -> Sender:
        """Gives a connection a new secret; the system that signs with it is another, the old one stays as it was."""
        new = Sender(sender.connection, self._issued("rotate", sender.connection, *options))
        new.address = self._address
        self.senders.append(new)
        return new

    @contextlib.contextmanager
    def up(self) -> Iterator[Role]:
        """`maintenworks up`, ready; drained at the end, which ends with 0 unless it was killed meanwhile."""
        with self._started("up", "--json") as role:
            ready = role.ready_line()
            self.console = ready["console"]
            self._reach(ready["receiver"])
            yield role

    @contextlib.contextmanager
    def receiver(self) -> Iterator[Role]:
        """`maintenworks receiver`, ready."""
        with self._started("receiver") as role:
            self._reach(f"http://127.0.0.1:{role.await_line('receiver_ready')['port']}")
            yield role

    @contextlib.contextmanager
    def worker(self) -> Iterator[Role]:
        """`maintenworks worker`, ready."""
        with self._started("worker") as role:
            role.await_line("worker_ready")
            yield role

    @contextlib.contextmanager
    def scheduler(self) -> Iterator[Role]:
        """`maintenworks scheduler`, ready."""
        with self._started("scheduler") as role:
            role.await_line("scheduler_ready")
            yield role

    def ask(self, query: sa.Select[*tuple[Any, ...]]) -> Sequence[sa.Row[*tuple[Any, ...]]]:
        """What the tables say."""
        with self._database.read() as connection:
            return connection.execute(query).all()

    def settle(self, *senders: Sender) -> None:
        """Waits until everything that was answered 200 is in the archive, and with it whatever it came to."""
        expected = {each for sender in senders for each in sender.accepted}
        names = [sender.connection for sender in senders]
        archived = sa.select(deliveries.c.delivery_id).where(deliveries.c.connection_id.in_(names))
        eventually(lambda: expected <= {row.delivery_id for row in self.ask(archived)}, every=0.1)

    def samples(self, name: str, url: str = "") -> list[Sample]:
        """A metric's samples now, as the console shows them, or whoever has a page of its own at the URL."""
        page = httpx.get(f"{url or self.console}/metrics", timeout=PATIENCE_SECONDS).text
        families = text_string_to_metric_families(page)
        return [sample for family in families for sample in family.samples if sample.name == name]

    def metric(self, name: str, url: str = "", **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        return sum(sample.value for sample in self.samples(name, url) if labels.items() <= sample.labels.items())

    def written(self) -> str:
        """Everything that processes and commands wrote."""
        return "\n".join([*self.said, *(log.read_text(errors="replace") for log in self.logs)])

    def close(self) -> None:
        """Lets the database go."""
        self._database.close()

    def _issued(self, *arguments: str) -> str:
        done = self._ended("connections", *arguments, "--json")
        told = done.row
        secret: str = told.pop("secret")
        self.said += [json.dumps(told), done.said]
        return secret

    def _ended(self, *arguments: str, given: bytes = b"", **settings: str) -> Done:
        own = {name: value for name, value in self.environment.items() if os.environ.get(name) != value}
        done = Home(self.home, **{**own, **settings}).run(*arguments, given=given)
        assert done.code == 0, done.said
        return done

    def _reach(self, address: str) -> None:
        self._address = address
        for sender in self.senders:
            sender.address = address

    @contextlib.contextmanager
    def _started(self, *arguments: str) -> Iterator[Role]:
        log = self._folder / f"{arguments[0]}-{len(self.logs)}.log"
        self.logs.append(log)
        role = Role(arguments, self.environment, log)
        try:
            yield role
            if not role.was_killed:
                role.stop()
        finally:
            role.kill_all()


@contextlib.contextmanager
def installation(**settings: str) -> Iterator[Installation]:
    """A fresh one, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="mw-") as folder:
        made = Installation(Path(folder), **settings)
        try:
            yield made
        finally:
            made.close()
