"""The processes that things befall: each is kept running, as a supervisor would, until somebody holds it down."""

import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

from tests.journeys.roles import Role
from tests.servers import BrokerServer, PostgresServer, Server

BACKOFF_SECONDS = 0.5
"""Between the end of a process and its next start, where nobody asked for the end."""
DRAIN_SECONDS = 40.0
"""How long a role may take to drain: it gives its work 25 s, and the machine is busy."""
UNREACHABLE = 69
"""How a role ends that finds no broker or database at its start."""


class Member(ABC):
    """One process.

    Attributes:
        name: as in the schedule.
        complaints: what it did that it never should.
        busy: held while something is done to it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.complaints: list[str] = []
        self.busy = threading.Lock()

    @abstractmethod
    def start(self) -> None:
        """Starts it."""

    @abstractmethod
    def kill(self) -> None:
        """SIGKILL."""

    @abstractmethod
    def stop(self) -> None:
        """Asks it to end, and waits until it has."""

    @abstractmethod
    def is_running(self) -> bool:
        """Whether it has not ended."""

    @abstractmethod
    def processes(self) -> list[psutil.Process]:
        """All that belongs to it, parents first."""

    def freeze(self) -> None:
        """SIGSTOP."""
        for process in self.processes():
            _signalled(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        for process in reversed(self.processes()):
            _signalled(process, signal.SIGCONT)

    def keep(self) -> None:
        """Starts it again if it has ended by itself; nothing while something is done to it."""
        if self.busy.acquire(blocking=False):
            try:
                if not self.is_running():
                    time.sleep(BACKOFF_SECONDS)
                    self.start()
            finally:
                self.busy.release()


class RoleMember(Member):
    """A role of ours.

    Args:
        name: as in the schedule.
        environment: its own.
        folder: for what it says, a file each time it starts.
    """

    def __init__(self, name: str, environment: Mapping[str, str], folder: Path) -> None:
        super().__init__(name)
        self.command = name.partition("-")[0]
        self.extra: dict[str, str] = {}
        self._environment = environment
        self._folder = folder
        self._starts = 0
        self._role: Role | None = None

    @property
    def role(self) -> Role:
        """The process as it runs now, or ran last."""
        assert self._role is not None
        return self._role

    def is_ready(self) -> bool:
        """Whether this start of it has come to where its work begins."""
        return bool(self.role.logged(f"{self.command}_ready"))

    def start(self) -> None:
        """Starts it; it is not ready yet."""
        if self._role is not None:
            self._looked_at()
        self._starts += 1
        log = self._folder / f"{self.name}-{self._starts}.log"
        self._role = Role([self.command], {**self._environment, **self.extra}, log)

    def kill(self) -> None:
        """SIGKILL."""
        self._looked_at()
        self.role.kill_all()

    def stop(self) -> None:
        """SIGTERM, upon which it is to drain and end with 0."""
        self._looked_at()
        was_ready = self.is_ready()
        self.role.process.send_signal(signal.SIGTERM)
        try:
            code = self.role.process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            self.complaints.append(f"{self.name} did not end within {DRAIN_SECONDS:.0f} s of SIGTERM")
        else:
            if was_ready and code != 0:
                self.complaints.append(f"{self.name} ended with {code} upon SIGTERM: {self.last_line()}")
        self.role.kill_all()

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._role is not None and self._role.process.poll() is None

    def processes(self) -> list[psutil.Process]:
        """It alone."""
        return [psutil.Process(self.role.process.pid)] if self.is_running() else []

    def end(self) -> None:
        """Whatever it does: it is gone when this returns."""
        if self._role is not None:
            self._role.kill_all()

    def last_line(self) -> str:
        """What it said last, and where all of it stands."""
        lines = self.role.log.read_text(errors="replace").splitlines()
        return f"{lines[-1] if lines else 'nothing said'} ({self.role.log})"

    def _looked_at(self) -> None:
        """Notes it where the process ended though nobody asked it to, unless it could not begin."""
        code = self.role.process.poll()
        closed = self.role.process.stdout is None or self.role.process.stdout.closed
        if code is None or closed:
            return
        if code != UNREACHABLE or self.is_ready():
            self.complaints.append(f"{self.name} ended by itself with {code}: {self.last_line()}")
        self.role.kill_all()


class ServerMember(Member):
    """Broker or database.

    Args:
        name: as in the schedule.
        server: running.
    """

    def __init__(self, name: str, server: Server) -> None:
        super().__init__(name)
        self._server = server

    def start(self) -> None:
        """Starts it; without room on its disk it does not, and is tried again later."""
        try:
            self._server.start()
        except AssertionError:
            if isinstance(self._server, PostgresServer):
                raise

    def kill(self) -> None:
        """SIGKILL."""
        if self.is_running():
            self._server.kill()

    def stop(self) -> None:
        """Its own orderly end."""
        if self.is_running():
            self._server.stop()

    def is_running(self) -> bool:
        """Whether it has not ended."""
        process = self._server._process
        return process is not None and process.poll() is None

    def processes(self) -> list[psutil.Process]:
        """The server and whatever it started."""
        if not self.is_running():
            return []
        server = psutil.Process(self._server.pid)
        return [server, *server.children(recursive=True)] if not isinstance(self._server, BrokerServer) else [server]


def _signalled(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
