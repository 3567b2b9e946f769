"""Everything that runs in one run: two receivers, two workers, a scheduler, a broker, a database; proxies between."""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.chaos.members import Member, RoleMember, ServerMember
from tests.chaos.plan import POSTGRESQL, REDIS, VALKEY, Plan
from tests.chaos.proxy import Proxies, Proxy, proxies
from tests.chaos.schedule import BROKER, DATABASE, LINES, RECEIVERS, ROLES
from tests.chaos.stream import CONNECTIONS
from tests.journeys.installation import Installation
from tests.journeys.roles import eventually
from tests.journeys.small_disk import MIB, Filler, NoSmallDiskError, small_disk
from tests.servers import BrokerServer, free_port, postgres_server, redis_server, valkey_server

DISK_BYTES = 96 * MIB
DISK_BYTES_AN_EVENT = 8 * 1024
"""Room on the small disk for the broker's log, and for SQLite's file where it is the database."""
MINIMUM_BYTES = 16 * MIB
NEVER_ENOUGH_BYTES = 2**62
KEEP_SECONDS = 0.25
LIVE_LANE, GROUP = "maintenworks:lane:live", "workers"
METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Counters live in files there, so that what a killed process has counted is not forgotten."""


class Disk(ABC):
    """The disk that broker and home are on."""

    @abstractmethod
    def fill(self) -> None:
        """Leaves no room."""

    @abstractmethod
    def free(self) -> None:
        """Gives it back."""


class SmallDisk(Disk):
    """A small file system of its own."""

    def __init__(self, filler: Filler) -> None:
        self._filler = filler

    def fill(self) -> None:
        """Fills it to the last byte."""
        self._filler.fill()

    def free(self) -> None:
        """Deletes what filled it."""
        self._filler.go()


class PretendedDisk(Disk):
    """Where none can be mounted: receivers are told that no room would be enough."""

    def __init__(self, receivers: Sequence[RoleMember]) -> None:
        self._receivers = receivers

    def fill(self) -> None:
        """Starts them again with a minimum that no disk has."""
        self._restart({"MAINTENWORKS_MIN_FREE_BYTES": str(NEVER_ENOUGH_BYTES)})

    def free(self) -> None:
        """Starts them again as they were."""
        self._restart({})

    def _restart(self, extra: Mapping[str, str]) -> None:
        for each in self._receivers:
            with each.busy:
                each.stop()
                each.extra = dict(extra)
                each.start()


class House(NamedTuple):
    """All of it, running.

    Attributes:
        running: the home, the connections, and what looks into the tables; past the proxies.
        members: by name.
        lines: the proxy between a role and a server.
        proxies: tell those what to do.
        disk: of broker and home.
        receivers: their addresses.
        metrics: the folder of the counters.
        broker_server: for looking into it.
    """

    running: Installation
    members: Mapping[str, Member]
    lines: Mapping[tuple[str, str], Proxy]
    proxies: Proxies
    disk: Disk
    receivers: Sequence[str]
    metrics: Path
    broker_server: BrokerServer

    @property
    def roles(self) -> list[RoleMember]:
        """The members that are ours."""
        return [each for each in self.members.values() if isinstance(each, RoleMember)]

    @property
    def accepted(self) -> set[str]:
        """Ids of the deliveries that were answered 200."""
        return {each for sender in self.running.senders for each in sender.accepted}

    @property
    def complaints(self) -> list[str]:
        """What anybody did that they never should."""
        return [complaint for each in self.members.values() for complaint in each.complaints]

    def holds(self, role: RoleMember) -> bool:
        """Whether a worker has something in its hands; its process id stands in its consumer's name."""
        with self.broker_server.client() as client:
            pending = client.xpending(LIVE_LANE, GROUP)
        return any(f"-{role.role.process.pid}-".encode() in each["name"] for each in pending["consumers"])

    def drain(self) -> None:
        """Has all roles end in order, at once, as a deployment would."""
        stopping = [threading.Thread(target=each.stop) for each in self.roles]
        for each in stopping:
            each.start()
        for each in stopping:
            each.join()


@contextlib.contextmanager
def house(folder: Path, plan: Plan) -> Iterator[House]:
    """Starts everything, keeps it running, and ends it.

    Args:
        folder: for what is said; a short path.
        plan: which servers, and how many events there must be room for.

    Raises:
        MissingServerError: one of the servers is not on this machine.
    """
    with contextlib.ExitStack() as stack:
        disk = folder / "disk"
        filler = stack.enter_context(_mounted(disk, DISK_BYTES + plan.events * DISK_BYTES_AN_EVENT))
        (disk / "broker").mkdir()
        start = {VALKEY: valkey_server, REDIS: redis_server}[plan.broker]
        broker_server = stack.enter_context(start("--dir", str(disk / "broker"), tcp=True))
        urls = {BROKER: broker_server.url}
        members: dict[str, Member] = {BROKER: ServerMember(BROKER, broker_server)}
        if plan.database == POSTGRESQL:
            server = stack.enter_context(postgres_server(tcp=True))
            urls[DATABASE] = server.url
            members[DATABASE] = ServerMember(DATABASE, server)
        settings = {f"MAINTENWORKS_{name.upper()}_URL": url for name, url in urls.items()}
        running = Installation(disk, MAINTENWORKS_MIN_FREE_BYTES=str(MINIMUM_BYTES), **settings)
        stack.callback(running.close)
        for connection in CONNECTIONS:
            running.connect(connection)
        running.run("migrate")
        shared = stack.enter_context(proxies())
        lines = {line: _before(shared, urls[line[1]]) for line in LINES if line[1] in urls}
        ports = {name: free_port() for name in RECEIVERS}
        metrics = folder / "metrics"
        metrics.mkdir()
        for name in ROLES:
            own = {METRICS: str(metrics), "MAINTENWORKS_PUBLIC_PORT": str(ports.get(name, 0))}
            for server_name, url in urls.items():
                if (line := lines.get((name, server_name))) is not None:
                    own[f"MAINTENWORKS_{server_name.upper()}_URL"] = _moved(url, line.port)
            members[name] = RoleMember(name, {**running.environment, **own}, folder)
        receivers = [each for name in RECEIVERS if isinstance(each := members[name], RoleMember)]
        built = House(
            running=running,
            members=members,
            lines=lines,
            proxies=shared,
            disk=SmallDisk(filler) if filler else PretendedDisk(receivers),
            receivers=[f"http://127.0.0.1:{port}" for port in ports.values()],
            metrics=metrics,
            broker_server=broker_server,
        )
        stack.enter_context(_kept(built))
        yield built


@contextlib.contextmanager
def _kept(built: House) -> Iterator[None]:
    """Starts the roles and keeps every member running; in the end no role is left."""
    over = threading.Event()

    def keep(member: Member) -> None:
        while not over.wait(KEEP_SECONDS):
            member.keep()

    threads = [threading.Thread(target=keep, args=(each,), daemon=True) for each in built.members.values()]
    try:
        for role in built.roles:
            role.start()
        for role in built.roles:
            eventually(role.is_ready, or_say=role.last_line)
        for thread in threads:
            thread.start()
        yield
    finally:
        over.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
        for role in built.roles:
            role.end()


@contextlib.contextmanager
def _mounted(disk: Path, room: int) -> Iterator[Filler | None]:
    """A folder that is a small disk of its own; None where none can be mounted."""
    disk.mkdir()
    with contextlib.ExitStack() as stack:
        filler = None
        with contextlib.suppress(NoSmallDiskError, OSError):
            filler = stack.enter_context(small_disk(disk, room))
        yield filler


def _before(shared: Proxies, url: str) -> Proxy:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return shared.before(parts.hostname, parts.port)


def _moved(url: str, port: int) -> str:
    """The same address at another port."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{port}")).geturl()
