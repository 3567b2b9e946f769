"""How well the broker keeps what was answered 200 and not worked on yet.

What the settings do: https://valkey.io/topics/persistence/ and https://valkey.io/topics/lru-cache/ (read 2026-11-24).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import redis

from handlers.errors import MaintenworksError, ServiceUnreachableError, TransientError
from handlers.settings import PREFIX, Settings
from worker.address import broker_url
from worker.doctor.findings import Finding, Kept, Level, clock
from worker.embedded_program import OLDEST, find_program
from worker.streams_server import connect, translated

_FSYNC = {"always": Kept.SYNCED, "everysec": Kept.DELAYED, "no": Kept.IN_MEMORY}


class Facts(NamedTuple):
    """What a server says of itself; None where it does not say.

    Attributes:
        server: `valkey` or `redis`.
        version: such as (9, 1, 2).
        clustered: whether it is a node of a cluster.
        role: `master` or `slave`.
        replicas: how many follow it now.
        append_only: whether each write is logged.
        last_write_ok: whether the newest of them was.
        append_fsync: `always`, `everysec` or `no`.
        no_fsync_on_rewrite: whether syncing stops while the log is rewritten.
        policy: what it evicts when its memory is full.
        max_memory: bytes it may use; 0 for no limit.
        machine_memory: bytes its machine has.
        clock: its time (UTC).
    """

    server: str
    version: tuple[int, ...]
    clustered: bool
    role: str
    replicas: int
    append_only: bool
    last_write_ok: bool
    append_fsync: str | None
    no_fsync_on_rewrite: bool | None
    policy: str
    max_memory: int
    machine_memory: int
    clock: datetime


def examine(settings: Settings) -> tuple[list[Finding], Kept]:
    """Looks at the broker of these settings."""
    try:
        url = broker_url(settings)
    except ServiceUnreachableError as error:
        return [_not_started(error)], Kept.AWAY
    before = datetime.now(UTC)
    try:
        facts = ask(url)
    except TransientError as error:
        mend = f"start it, or mend {PREFIX}BROKER_URL; senders are answered 503 meanwhile"
        return [Finding("broker", Level.FAIL, f"does not answer: {error}", mend)], Kept.AWAY
    after = datetime.now(UTC)
    found = [*judge(facts, settings.backlog_limit_bytes), clock("broker clock", facts.clock, before, after)]
    return found, kept(facts)


def ask(url: str) -> Facts:
    """Asks a server.

    Raises:
        TransientError: it does not answer, or refuses us.
    """
    with translated(), connect(url) as client:
        info: dict[str, Any] = client.info()
        seconds, microseconds = client.time()
        configured = _configured(client)
    version = str(info.get("valkey_version") or info["redis_version"])
    return Facts(
        server=str(info.get("server_name") or "redis"),
        version=tuple(int(part) for part in version.split(".")[:3] if part.isdecimal()),
        clustered=bool(info.get("cluster_enabled")),
        role=str(info["role"]),
        replicas=int(info["connected_slaves"]),
        append_only=bool(info["aof_enabled"]),
        last_write_ok=info.get("aof_last_write_status", "ok") == "ok",
        append_fsync=configured.get("appendfsync"),
        no_fsync_on_rewrite=_flag(configured.get("no-appendfsync-on-rewrite")),
        policy=str(info["maxmemory_policy"]),
        max_memory=int(info["maxmemory"]),
        machine_memory=int(info.get("total_system_memory", 0)),
        clock=datetime.fromtimestamp(seconds + microseconds / 1e6, UTC),
    )


def kept(facts: Facts) -> Kept:
    """How well it keeps what it took."""
    if not facts.append_only or not facts.last_write_ok or _evicts_ours(facts):
        return Kept.IN_MEMORY
    if facts.append_fsync is None:
        return Kept.UNKNOWN
    found = _FSYNC.get(facts.append_fsync, Kept.UNKNOWN)
    return Kept.DELAYED if found is Kept.SYNCED and facts.no_fsync_on_rewrite else found


def judge(facts: Facts, backlog_limit_bytes: int) -> Iterator[Finding]:
    """What is right and wrong with a server.

    Args:
        facts: what it says.
        backlog_limit_bytes: how much may wait in it.
    """
    yield _server(facts)
    yield _append_only(facts)
    yield _fsync(facts)
    yield _rewrite(facts)
    yield _eviction(facts)
    yield _memory(facts, backlog_limit_bytes)
    yield _replicas(facts)


def _not_started(error: ServiceUnreachableError) -> Finding:
    try:
        program = find_program()
    except MaintenworksError as missing:
        return Finding("broker", Level.FAIL, str(error), str(missing))
    will = f"`maintenworks up` starts {program}, append-only and synced at every write"
    return Finding("broker", Level.FAIL, "the embedded broker is not running", will)


def _server(facts: Facts) -> Finding:
    name = f"{facts.server} {'.'.join(map(str, facts.version))}"
    if facts.version < OLDEST:
        return Finding("broker", Level.FAIL, f"{name} is too old", f"run {'.'.join(map(str, OLDEST))} or newer")
    if facts.clustered:
        return Finding(
            "broker", Level.FAIL, f"{name} is a node of a cluster", "run one server, with replicas if need be"
        )
    if facts.role != "master":
        return Finding("broker", Level.FAIL, f"{name} is a replica and takes no writes", "connect to its master")
    return Finding("broker", Level.OK, f"{name} answers")


def _append_only(facts: Facts) -> Finding:
    if not facts.append_only:
        detail = "off: what was answered 200 is lost when the broker ends"
        return Finding("append-only log", Level.FAIL, detail, "set `appendonly yes` in its configuration")
    if not facts.last_write_ok:
        detail = "its last write failed, so nothing new is kept"
        return Finding("append-only log", Level.FAIL, detail, "make room on its disk; its own log says more")
    return Finding("append-only log", Level.OK, "on")


def _fsync(facts: Facts) -> Finding:
    check, mend = "appendfsync", "set `appendfsync always`"
    match facts.append_fsync:
        case "always":
            return Finding(check, Level.OK, "always: on the disk before the 200")
        case "everysec":
            return Finding(check, Level.WARN, "everysec: a power failure may lose the last two seconds", mend)
        case None:
            detail = "the server does not tell (CONFIG GET is refused)"
            return Finding(check, Level.WARN, detail, "look it up where the server is run")
        case other:
            return Finding(check, Level.FAIL, f"{other}: a power failure may lose the last half minute", mend)


def _rewrite(facts: Facts) -> Finding:
    check = "no-appendfsync-on-rewrite"
    if facts.no_fsync_on_rewrite:
        detail = "yes: nothing is synced while the log is rewritten"
        return Finding(check, Level.WARN, detail, "set `no-appendfsync-on-rewrite no`")
    if facts.no_fsync_on_rewrite is None:
        detail = "the server does not tell (CONFIG GET is refused)"
        return Finding(check, Level.WARN, detail, "look it up where the server is run")
    return Finding(check, Level.OK, "no: synced also while the log is rewritten")


def _eviction(facts: Facts) -> Finding:
    check, mend = "eviction", "set `maxmemory-policy noeviction`"
    if _evicts_ours(facts):
        return Finding(check, Level.FAIL, f"{facts.policy}: a full memory drops queued deliveries", mend)
    if facts.policy.startswith("allkeys"):
        return Finding(check, Level.WARN, f"{facts.policy}, and only `maxmemory 0` keeps it from dropping any", mend)
    return Finding(check, Level.OK, f"{facts.policy}: drops no delivery")


def _evicts_ours(facts: Facts) -> bool:
    """No key of ours expires, so the policies for keys that do leave them alone."""
    return facts.policy.startswith("allkeys") and facts.max_memory > 0


def _memory(facts: Facts, backlog_limit_bytes: int) -> Finding:
    has = facts.max_memory or facts.machine_memory
    limit = f"{PREFIX}BACKLOG_LIMIT_BYTES"
    of = "maxmemory" if facts.max_memory else "the machine's memory"
    if has and has < backlog_limit_bytes:
        detail = f"{of} is {size(has)}, less than the {size(backlog_limit_bytes)} of {limit}"
        return Finding(
            "memory", Level.WARN, detail, f"give it more, or lower {limit}: it is full before the backlog is"
        )
    return Finding("memory", Level.OK, f"{size(has)} ({of}) for a backlog of {size(backlog_limit_bytes)} at most")


def _replicas(facts: Facts) -> Finding:
    if facts.replicas == 0:
        return Finding("replicas", Level.OK, "none: its disk is the one copy of what waits")
    detail = f"{facts.replicas}, copied to after the answer: a failover may lose what was accepted last"
    return Finding("replicas", Level.WARN, detail, "bring the same server back where you can, before failing over")


def size(count: int) -> str:
    """Bytes for people."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:,.1f} {unit}"
    return f"{count} bytes"


def _configured(client: redis.Redis) -> dict[str, str]:
    """Settings that only CONFIG tells; hosted servers often forbid it."""
    found: dict[str, str] = {}
    for name in ("appendfsync", "no-appendfsync-on-rewrite"):
        try:
            answer: dict[Any, Any] = client.config_get(name)
        except redis.ResponseError:
            continue
        for value in answer.values():
            found[name] = value.decode() if isinstance(value, bytes) else value
    return found


def _flag(text: str | None) -> bool | None:
    return None if text is None else text == "yes"
