"""How the broker is, and who works from it: read for the page of metrics, in one round trip."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from worker.streams_leases import LEASE
from worker.streams_server import BACKLOG_BYTES, GROUP, LIVE, RETURNED, connect, stream, translated

GONE_AFTER: Final[timedelta] = 2 * LEASE
"""A worker asks for work every second, or renews its lease: one that has done neither for so long works no more."""
TELLS_WHO_WAITS: Final = (7, 2)
"""From this version of Redis on, a consumer that waits for its first entry is known (`XINFO CONSUMERS`, history)."""
NO_GROUP: Final = ("no such key", "nogroup")
"""What the server answers where nobody ever worked."""


class BrokerState(NamedTuple):
    """What a server says.

    Attributes:
        workers: processes that ask for work; before Redis 7.2 those that lately got some, or 1 where any asks.
        backlog_bytes: bytes of deliveries that it holds.
        memory_bytes: what it uses.
        memory_limit_bytes: what it may use; 0 for no limit of its own.
        is_logging: whether it logs each write, and the newest was written.
    """

    workers: int
    backlog_bytes: int
    memory_bytes: int
    memory_limit_bytes: int
    is_logging: bool


def broker_state(url: str) -> BrokerState:
    """Asks a server.

    Raises:
        TransientError: it does not answer.
    """
    with translated(), connect(url) as client, client.pipeline(transaction=False) as pipeline:
        pipeline.info("memory")
        pipeline.info("persistence")
        pipeline.get(BACKLOG_BYTES)
        pipeline.info("server")
        pipeline.xinfo_consumers(stream(LIVE), GROUP)
        memory, persistence, backlog, server, consumers = pipeline.execute(raise_on_error=False)
        for answer in (memory, persistence, backlog, server):
            if isinstance(answer, Exception):
                raise answer
        if isinstance(consumers, Exception):
            if not any(words in str(consumers).lower() for words in NO_GROUP):
                raise consumers
            consumers = []
        workers = _alive(consumers)
        if not workers and _version(server) < TELLS_WHO_WAITS:
            workers = int(any(_asks(each) for each in client.client_list()))
    return BrokerState(
        workers=workers,
        backlog_bytes=int(backlog or 0),
        memory_bytes=int(memory["used_memory"]),
        memory_limit_bytes=int(memory["maxmemory"]),
        is_logging=bool(persistence["aof_enabled"]) and persistence.get("aof_last_write_status", "ok") == "ok",
    )


def _alive(consumers: Sequence[dict[str, Any]]) -> int:
    fresh = GONE_AFTER.total_seconds() * 1000
    return sum(each["idle"] < fresh and each["name"] != RETURNED.encode() for each in consumers)


def _version(server: Mapping[str, Any]) -> tuple[int, ...]:
    """Valkey tells the version of Redis that it stands for."""
    return tuple(int(part) for part in str(server["redis_version"]).split(".")[:2])


def _asks(client: Mapping[str, str]) -> bool:
    return client["cmd"] == "xreadgroup" and int(client["idle"]) < GONE_AFTER.total_seconds()
