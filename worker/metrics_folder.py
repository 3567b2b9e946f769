"""Where the roles of `up` keep their metrics: files mapped into memory, and so never on a disk that may fill.

A page of a mapped file for which its disk has no block left cannot be written: the kernel ends the process by SIGBUS,
and ends it again whenever it is started. So the files lie in memory, where Linux has a folder for that; elsewhere they
lie under the home, and there a full disk may end a role.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

MEMORY: Final = Path("/dev/shm")  # noqa: S108  # every folder of ours in it is private, and made anew
LEAST_FREE_BYTES: Final = 16 * 1024 * 1024
"""What has to be free there; the roles take some hundred KiB, a restarted one as much again."""
HOME_FILE: Final = "home"
"""In each folder, whose it is, so that whoever comes later can tell whether anybody may still use it."""
ON_DISK: Final = "metrics"
"""In the home, where there is no room in memory."""

log = structlog.get_logger()


@contextlib.contextmanager
def metrics_folder(home: Path) -> Iterator[Path]:
    """An empty private folder for as long as `up` runs.

    Args:
        home: the installation's, absolute; nobody else may run from it meanwhile.
    """
    with contextlib.ExitStack() as held:
        _sweep()
        folder = _in_memory(home, held)
        if folder is None:
            folder = home / ON_DISK
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            log.info("metrics_on_disk", folder=folder)
        held.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def folder_of(home: Path) -> Path | None:
    """Where the roles of an `up` that runs now keep their metrics; None where none runs here.

    Args:
        home: the installation's, absolute.
    """
    with contextlib.suppress(OSError):
        folder = _named(home)
        if _is_used(folder) and (folder / HOME_FILE).read_bytes() == os.fsencode(home):
            return folder
    below = home / ON_DISK
    return below if below.is_dir() else None


def _prefix() -> str:
    return f"maintenworks-{os.geteuid()}-"


def _named(home: Path) -> Path:
    return MEMORY / f"{_prefix()}{sha256(os.fsencode(home)).hexdigest()[:16]}"


def _in_memory(home: Path, held: contextlib.ExitStack) -> Path | None:
    """The home's folder in memory; None where there is no room for one, or its name is taken."""
    folder = _named(home)
    try:
        if shutil.disk_usage(MEMORY).free < LEAST_FREE_BYTES or _is_used(folder):
            return None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        mark = held.enter_context((folder / HOME_FILE).open("wb", buffering=0))
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mark.write(os.fsencode(home))
    except OSError:
        return None
    return folder


def _sweep() -> None:
    """Removes what was left by one that was killed, and whose home is gone, so that nobody will start from it again."""
    for folder in MEMORY.glob(f"{_prefix()}*"):
        with contextlib.suppress(OSError):
            home = (folder / HOME_FILE).read_bytes()
            if not os.path.exists(home) and not _is_used(folder):  # noqa: PTH110  # bytes, as they came
                shutil.rmtree(folder)


def _is_used(folder: Path) -> bool:
    """Whether whoever made it still runs: in another container, say, that shares the memory and not the home."""
    try:
        with (folder / HOME_FILE).open("rb") as mark:
            fcntl.flock(mark, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
