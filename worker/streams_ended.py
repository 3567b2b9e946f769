"""What consumers are called, so that whoever knows that one has ended can free at once what it held."""

import os
import secrets
import socket

from worker.scripts import RELEASE
from worker.streams_server import GROUP, LANES, RETURNED, connect, stream, translated

RUN = "MAINTENWORKS_RUN"
"""Names one run of `up` in its children's environment: process ids repeat from container to container."""


def consumer_name() -> str:
    """A name for this process that none had before: host, process id, and what `freed` knows it by."""
    return f"{_beginning(os.environ.get(RUN, ''), os.getpid())}{secrets.token_hex(4)}"


def freed(url: str, run: str, pid: int) -> int:
    """Lets any worker take at once what a process of this host held that has ended; counted, as if its lease ran out.

    Args:
        url: of the broker.
        run: what `RUN` was in its environment; not empty.
        pid: of a child that was waited for: nothing else may be taken for ended.

    Returns:
        How many entries there were.

    Raises:
        TransientError: the server does not answer; whatever was not freed is taken over when its lease has run out.
    """
    with translated(), connect(url) as client:
        release = client.register_script(RELEASE)
        return sum(release(keys=[stream(lane)], args=[GROUP, RETURNED, _beginning(run, pid)]) for lane in LANES)


def _beginning(run: str, pid: int) -> str:
    return f"{socket.gethostname()}-{pid}-{run}"
