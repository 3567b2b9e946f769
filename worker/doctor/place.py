"""What is around: the connections with their secrets, the home's disk."""

import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

from handlers.connections import Address, Connection, Registry
from handlers.errors import ConfigurationError, TransientError
from handlers.settings import PREFIX, Settings
from worker.doctor.broker import size
from worker.doctor.findings import Finding, Level

IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})
"""File systems that a restart of the machine empties."""

_MOUNTS: Final = Path("/proc/self/mounts")
_CHECK: Final = "secrets"


def secrets(settings: Settings, now: datetime) -> list[Finding]:
    """Whether every connection's secrets can be had here.

    Args:
        settings: name the registry.
        now: aware.
    """
    try:
        registry = Registry(settings.connections_path, settings.home)
    except ConfigurationError as error:
        return [Finding("connections", Level.FAIL, problem, "mend that line") for problem in error.problems]
    connections: list[Address] = [*registry.all().values(), *registry.endpoints().values()]
    listed = Finding("connections", Level.OK, f"{len(registry.all())} in {settings.connections_path}")
    if not connections:
        mend = "add one: `maintenworks connections add --help`"
        return [Finding("connections", Level.WARN, f"none in {settings.connections_path}", mend)]
    found = [
        Finding(
            _CHECK, Level.FAIL, f"{each.id}: {why}", f"put it there, or `maintenworks connections rotate {each.id}`"
        )
        for each in connections
        if (why := secret_problem(registry, each, now)) is not None
    ]
    return [listed, *(found or [Finding(_CHECK, Level.OK, "all can be had here")])]


def secret_problem(registry: Registry, connection: Address, now: datetime) -> str | None:
    """Why a connection's webhooks could not be verified now, or its API not asked; None where all is there."""
    if connection.revoked:
        return None
    try:
        held = registry.secrets(connection, now)
        joined = False
        if isinstance(connection, Connection):
            joined = not connection.has_address  # its endpoint's secrets serve, and are looked at there
            if connection.api is not None and connection.api.token is not None:
                registry.resolve(connection.api.token)
    except TransientError as error:
        return str(error)
    return None if held or joined else "no secret is valid now"


def disk(home: Path, minimum_bytes: int) -> list[Finding]:
    """Whether the home's disk has room, and is one.

    Args:
        home: need not be there yet.
        minimum_bytes: with less free than this nothing is accepted.
    """
    place = _nearest(home)
    free = shutil.disk_usage(place).free
    limit = f"{PREFIX}MIN_FREE_BYTES"
    detail = f"{size(free)} free at {place}, {size(minimum_bytes)} needed"
    found = Finding("disk", Level.OK, detail)
    if free < minimum_bytes:
        found = Finding("disk", Level.FAIL, f"{detail}: nothing is accepted", f"make room, or lower {limit}")
    elif free < 2 * minimum_bytes:
        found = Finding("disk", Level.WARN, detail, "make room before it runs out")
    if not in_memory(home):
        return [found]
    gone = f"{place} is in memory: all in it is gone when the machine restarts"
    return [found, Finding("disk", Level.WARN, gone, f"set {PREFIX}HOME to a folder on a disk")]


def in_memory(home: Path) -> bool:
    """Whether the home is, or will be, on a file system that a restart empties, as far as the machine tells."""
    return file_system(_nearest(home)) in IN_MEMORY


def _nearest(home: Path) -> Path:
    """The home, or the folder above it that is there already."""
    return next(each for each in (home.resolve(), *home.resolve().parents) if each.exists())


def file_system(place: Path) -> str | None:
    """The kind of file system a folder is on; None where the machine does not tell."""
    try:
        lines = _MOUNTS.read_text(errors="replace").splitlines()
    except OSError:
        return None
    found: tuple[int, str | None] = (-1, None)
    for line in lines:
        _, point, kind, *_ = line.split(" ")
        mounted = point.replace("\\040", " ")  # proc(5): a space in a path
        if place.is_relative_to(mounted) and len(mounted) >= found[0]:
            found = (len(mounted), kind)
    return found[1]


def archive(kept: str | None) -> Finding:
    """How long the bytes of deliveries are kept.

    Args:
        kept: such as `400d`; None for ever.
    """
    if kept is None:
        return Finding("archive", Level.OK, "every byte is kept for ever")
    told = f"bytes are kept for {kept}, then only what they told: a rebuild begins there"
    return Finding("archive", Level.OK, f"{told}, and a changed map reaches what is younger")
