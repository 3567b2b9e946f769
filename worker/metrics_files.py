"""What a process of `up` counted stays on the page once it has ended, in one file of a kind however many have ended.

`prometheus_client` leaves the files of the dead for ever: a role that ends at each start would fill the machine's
memory with them, and the page would take longer each time it is read, on the very day that somebody looks at it.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import structlog
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import mark_process_dead

LOCK: Final = "lock"
"""In the folder: whoever reads its files holds it shared, whoever adds two of them to one holds it alone."""
NOBODY: Final = 0
"""Stands for all that have ended, where a file's name has a process id: no process of ours has it."""
PATIENCE_SECONDS: Final = 0.5
"""A page is read in a tenth of that; a reader that is frozen must not keep whoever ends the frozen."""
PAUSE_SECONDS: Final = 0.01
HEAD_BYTES: Final = 4
"""At a file's start: how many bytes of it are in use (prometheus_client 0.26, `mmap_dict`)."""
KINDS: Final[dict[str, Callable[[float, float], float]]] = {
    "counter": lambda one, other: one + other,
    "histogram": lambda one, other: one + other,
    "gauge_max": max,
}
"""How values of two processes are one; other gauges are of the living alone."""

log = structlog.get_logger()


@contextlib.contextmanager
def reading(folder: str) -> Iterator[None]:
    """Files stay as they are while the block runs, but for what the living write."""
    with Path(folder, LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def forget_process(pid: int, folder: str) -> None:
    """Takes what a process that has ended was holding (threads, connections) out of the page; its counts stay.

    Args:
        pid: its id.
        folder: where it kept its metrics.
    """
    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]  # untyped library
    try:
        with Path(folder, LOCK).open("ab") as lock:
            if not _alone(lock.fileno()):
                return
            for kind, together in KINDS.items():
                _add(Path(folder, f"{kind}_{pid}.db"), Path(folder, f"{kind}_{NOBODY}.db"), together)
    except OSError as error:  # nothing is lost: its files are read like those of the living
        log.warning("metrics_not_joined", pid=pid, reason=error.strerror)


def _alone(lock: int) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(PAUSE_SECONDS)


def _add(dead: Path, kept: Path, together: Callable[[float, float], float]) -> None:
    if not dead.exists():
        return
    if not kept.exists():
        dead.rename(kept)
        return
    _make_room(kept, _used(kept) + _used(dead))
    values = MmapedDict(str(kept))  # type: ignore[no-untyped-call]  # untyped library
    try:
        for key, value, stamp, _ in MmapedDict.read_all_values_from_file(str(dead)):  # type: ignore[no-untyped-call]  # untyped library
            before, before_stamp = values.read_value(key)  # type: ignore[no-untyped-call]  # untyped library
            values.write_value(key, together(before, value), max(before_stamp, stamp))  # type: ignore[no-untyped-call]  # untyped library
    finally:
        values.close()  # type: ignore[no-untyped-call]  # untyped library
    dead.unlink()


def _used(path: Path) -> int:
    with path.open("rb") as file:
        return int.from_bytes(file.read(HEAD_BYTES), "little")


def _make_room(path: Path, size: int) -> None:
    """Takes the blocks of a file before it is mapped: to write a page that has none would end us by SIGBUS.

    Raises:
        OSError: there is no room; or the system, such as macOS, cannot say.
    """
    if not hasattr(os, "posix_fallocate"):
        raise OSError(0, "this system cannot take blocks in advance")
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, max(size, path.stat().st_size))
