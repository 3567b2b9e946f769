"""Writing that a crash cannot leave half done, for files that nobody else may read."""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from handlers.errors import ConfigurationError

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


def content_of(path: Path) -> bytes | None:
    """A configuration file's bytes; None where there is no file.

    Raises:
        ConfigurationError: it is there and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        problem = f"{path}:1: cannot be read ({error.strerror}); make it a file this process may read"
        raise ConfigurationError([problem]) from None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds off every other editor of the same file on this machine, by a lock file beside it."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    # Whoever owns the folder must not have root give them what a link leads to.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    lock = os.open(path.with_name(f".{path.name}.lock"), flags, PRIVATE_FILE)
    try:
        _give(lock, path.parent.stat())
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def replace(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, and durably.

    What stood there keeps its mode and, as far as this process may, its owner; a new file is 0600. A link is followed,
    so that what it points to is replaced.
    """
    target = path.resolve()
    descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _adopt(file.fileno(), target)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def create(path: Path, content: bytes) -> None:
    """Writes a new private file, durably, in a private folder that is made if need be.

    Raises:
        FileExistsError: something stands there already; it is left as it is.
    """
    folder = path.parent
    folder.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=PRIVATE_FOLDER)
        _give(folder, folder.parent.stat())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        _give(file.fileno(), folder.stat())
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(folder)


def touch(path: Path) -> None:
    """Sees to it that a private file is there, empty if it is new, for others to fill."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            _give(descriptor, path.parent.stat())
        finally:
            os.close(descriptor)


def _adopt(descriptor: int, target: Path) -> None:
    try:
        before = target.stat()
    except FileNotFoundError:
        _give(descriptor, target.parent.stat())
        return
    os.fchmod(descriptor, before.st_mode & 0o777)
    _give(descriptor, before)


def _give(file: int | Path, like: os.stat_result) -> None:
    """Root, editing for a service that runs as somebody else, must not shut the service out of what is private."""
    if os.geteuid() == 0:
        os.chown(file, like.st_uid, like.st_gid, follow_symlinks=isinstance(file, int))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
