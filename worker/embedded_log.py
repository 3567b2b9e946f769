"""The embedded broker's log is written anew when it has grown far over what it holds, and only where the disk has room.

Left to itself the server begins whenever the log has doubled. On a disk without room for the copy that fills it, and a
server that cannot append ends: reproduced with a backlog that was larger than what was free.
"""

import shutil
from pathlib import Path
from typing import Final

import redis
import structlog

from handlers.errors import ServiceUnreachableError
from worker.address import FOLDER, embedded_socket, socket_url
from worker.streams_server import connect

MIB: Final = 1024 * 1024
WORTH_BYTES: Final = 64 * MIB
"""What must be saved by it; the server's own default of the size from which it bothers."""
WORTH_BYTES_LOW: Final = MIB
"""The same where less is free than must be."""
MARGIN_BYTES: Final = MIB
ANSWER_SECONDS: Final = 0.5
"""Whoever asks has others to look after."""

_log = structlog.stdlib.get_logger(__name__)


def shorten(home: Path, minimum_bytes: int) -> None:
    """Has the log written anew where that is worth it and safe; a server that does not answer is asked another time.

    Args:
        home: with the broker in it.
        minimum_bytes: with less free than this nothing is accepted.
    """
    try:
        with connect(socket_url(embedded_socket(home)), seconds=ANSWER_SECONDS) as client:
            about = client.info("persistence") | client.info("memory")
            size, held = int(about["aof_current_size"]), int(about["used_memory_dataset"])
            free = shutil.disk_usage(home / FOLDER).free
            if not about["aof_rewrite_in_progress"] and is_worth_it(size, held, free, minimum_bytes):
                client.bgrewriteaof()
                _log.info("broker_log_shortened", size=size, held=held, free=free)
    except (redis.RedisError, OSError, ServiceUnreachableError) as error:
        _log.debug("broker_log_not_looked_at", error=type(error).__name__)


def is_worth_it(size: int, held: int, free: int, minimum: int) -> bool:
    """Whether writing the log anew saves enough, at least half of it, and the disk has twice the room for it.

    Args:
        size: of the log, in bytes, like all of these.
        held: what is in the server's memory; written out it takes no more.
        free: on the disk.
        minimum: what must be free for anything to be accepted.
    """
    worth = WORTH_BYTES_LOW if free < minimum else WORTH_BYTES
    return size >= 2 * held + worth and free >= 2 * held + MARGIN_BYTES
