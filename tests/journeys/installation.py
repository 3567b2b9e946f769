"""One installation as its user has it: a home, commands, processes, and the tables to look into."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]  # it ships no types
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from handlers.store.engine import Database
from handlers.store.schema import deliveries
from tests.journeys.sender import Sender
from tests.worker.cli.plant import Done

COMMAND = Path(sysconfig.get_path("scripts")) / "maintenworks"
PATIENCE_SECONDS = 90.0
"""Far beyond anything that happens on a busy machine: what takes longer never happens."""
FOREIGN = ("MAINTENWORKS_", "PROMETHEUS_")
"""Settings of a real installation on this machine, which must not be followed."""
PARTS = {
    "broker": "valkey-server",
    "receiver": "-m receiver",
    "worker": "-m worker worker",
    "scheduler": "-m worker scheduler",
    "console": "-m worker console",
}
"""The children of `up` by what stands in their command lines."""


class Role:
    """A process of ours under its own command; what it and its children say goes to a file.

    Attributes:
        process: the command's.
        log: that file.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [COMMAND, *arguments],
                cwd=log.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            )

    def logged(self, event: str) -> list[dict[str, Any]]:
        """All lines of one kind so far."""
        lines = self.log.read_bytes().splitlines(keepends=True)
        told = [json.loads(line) for line in lines if line.startswith(b"{") and line.endswith(b"\n")]
        return [line for line in told if line["event"] == event]

    def await_line(self, event: str) -> dict[str, Any]:
        """The first line of one kind, waited for."""
        eventually(lambda: bool(self.logged(event)), or_say=self._last_words)
        return self.logged(event)[0]

    def ready_line(self) -> dict[str, Any]:
        """The object that `up --json` prints once everything is ready."""
        assert self.process.stdout is not None
        told, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        line = self.process.stdout.readline() if told else b""
        assert line, self._last_words()
        ready: dict[str, Any] = json.loads(line)
        return ready

    def parts(self) -> dict[str, psutil.Process]:
        """The children that run now, by name."""
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                command = " ".join(child.cmdline())
                found |= {name: child for name, mark in PARTS.items() if mark in command}
        return found

    def stop(self) -> None:
        """SIGTERM, upon which it drains and ends well."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_SECONDS) == 0, self._last_words()

    def kill_all(self) -> None:
        """SIGKILL for it and everything below it; none of them has a moment to put anything in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)  # or it would start again what is killed before it
            for child in psutil.Process(self.process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


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

    def run(self, *arguments: str, given: bytes = b"") -> Done:
        """Runs a command, which must end well."""
        done = self._ended(*arguments, given=given)
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

    def _ended(self, *arguments: str, given: bytes = b"") -> Done:
        done = subprocess.run(
            [COMMAND, *arguments],
            cwd=self._folder,
            env=self.environment,
            input=given,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        said = done.stderr.decode()
        assert done.returncode == 0, said
        return Done(done.returncode, done.stdout, said)

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
            if role.process.poll() is None:
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


def eventually(seen: Callable[[], bool], *, every: float = 0.05, or_say: Callable[[], str] = lambda: "") -> None:
    """Waits until something is so.

    Args:
        seen: asked again and again.
        every: seconds between two looks.
        or_say: what to add if it never becomes so.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        assert time.monotonic() < deadline, f"it never happened {or_say()}"
        time.sleep(every)
