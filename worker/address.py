"""Where the broker is: the configured one, else the one that `up` keeps under the home."""

import json
import os
import shutil
from pathlib import Path

from handlers.errors import ServiceUnreachableError
from handlers.settings import PREFIX, Settings

SOCKET_NAME = "valkey.sock"
MAX_SOCKET_BYTES = 100
"""A unix socket's path may have 107 bytes on Linux and 103 on macOS (`sun_path` of unix(7)); a round number below."""

FOLDER = "broker"
"""In the home: the embedded broker's append-only log, the lock, the server's own log and `server.json`."""

SQLITE_FILE = "maintenworks.db"
"""In the home: the database, unless another is configured."""

DRAINED_TIMES = 8
"""What one byte that waits takes in SQLite, where it is written before it leaves the broker: 3 to 7 measured, most for
the smallest events; and the broker's own log grows on the way."""

POINTER_NAME = "broker.json"
"""In the home: names the socket where its own path would be too long."""


def embedded_socket(home: Path) -> Path:
    """The embedded broker's socket, whether or not anything listens there.

    Raises:
        ServiceUnreachableError: the path under the home is too long, and no broker has yet named a shorter one.
    """
    own = home.absolute() / SOCKET_NAME
    if len(os.fsencode(own)) <= MAX_SOCKET_BYTES:
        return own
    pointer = home / POINTER_NAME
    try:
        return Path(json.loads(pointer.read_bytes())["socket"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServiceUnreachableError(f"{pointer} names no socket yet: {type(error).__name__}") from error


def kept_in(settings: Settings) -> tuple[Path, ...]:
    """The folders of this machine that must have room for what is accepted: the home, and the embedded broker's."""
    home = settings.home.absolute()
    return (home,) if settings.broker_url is not None else (home, home / FOLDER)


def most_waiting(settings: Settings, waiting_bytes: int) -> int:
    """How much may wait in the broker, in bytes, so that all of it can be worked off.

    Args:
        settings: of any role; with the greatest it may be.
        waiting_bytes: what waits now, which is on the disk already.
    """
    if settings.broker_url is not None or not (settings.home / SQLITE_FILE).exists():
        return settings.backlog_limit_bytes
    spare = shutil.disk_usage(settings.home).free - settings.min_free_bytes - waiting_bytes * DRAINED_TIMES
    return min(settings.backlog_limit_bytes, max(0, waiting_bytes + spare // (1 + DRAINED_TIMES)))


def socket_url(path: Path) -> str:
    """The URL of a broker on a unix socket."""
    return f"unix://{path}?db=0"


def broker_url(settings: Settings) -> str:
    """The URL that a role connects to; a configured one never falls back to the embedded broker.

    Raises:
        ServiceUnreachableError: none is configured and none runs under the home; names both ways.
    """
    if settings.broker_url is not None:
        return settings.broker_url.get_secret_value()
    try:
        path = embedded_socket(settings.home)
    except ServiceUnreachableError:
        path = settings.home / SOCKET_NAME
    if not path.is_socket():
        raise ServiceUnreachableError(
            f"no broker: nothing listens at {path}; set {PREFIX}BROKER_URL to a Valkey or Redis server,"
            f" or start the embedded one with `maintenworks up` in the same {PREFIX}HOME"
        )
    return socket_url(path)
