"""Room kept aside on the embedded broker's disk, so that a full one can be worked empty.

A broker that syncs every write ends when a write fails for lack of space, and ends again at the first message that a
worker takes, since taking one is a write too. The ballast is a file that is good for nothing else: once it is deleted
there is room for the workers' own writes. Receivers take nothing meanwhile: the disk is still below their minimum.
"""

import contextlib
import os
import shutil
from pathlib import Path

import structlog

PART = 8
"""The ballast is one part in so many of `MIN_FREE_BYTES`: given up, it lifts no disk that is full over that minimum."""

NAME = "ballast"

_log = structlog.stdlib.get_logger(__name__)


class Ballast:
    """A file of the broker's folder, there while there is room for it.

    Args:
        folder: the broker's; need not be there yet.
        minimum_bytes: below so much free space nothing is accepted; 0 keeps no ballast either.
    """

    def __init__(self, folder: Path, minimum_bytes: int) -> None:
        self._path = folder / NAME
        self._minimum = minimum_bytes
        self._size = minimum_bytes // PART

    def make(self) -> None:
        """Makes it where it is missing and leaves more than the minimum free; what is in its way is only logged."""
        if not self._size or self._is_whole():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._path.unlink(missing_ok=True)
            if shutil.disk_usage(self._path.parent).free < self._minimum + self._size:
                return
            self._allocate()
        except OSError as error:
            _log.warning("ballast_not_made", reason=error.strerror, size=self._size)
        else:
            _log.info("ballast_made", size=self._size)

    def give_up(self) -> None:
        """Deletes it if the disk is below the minimum."""
        try:
            if not self._path.exists() or shutil.disk_usage(self._path.parent).free >= self._minimum:
                return
            self._path.unlink()
        except OSError as error:
            _log.warning("ballast_not_given_up", reason=error.strerror)
        else:
            _log.warning("ballast_given_up", size=self._size)

    def _is_whole(self) -> bool:
        with contextlib.suppress(OSError):
            return self._path.stat().st_size == self._size
        return False

    def _allocate(self) -> None:
        """Really takes the space: a file of that length alone would be a hole. All of it, or no file is left."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(descriptor, 0, self._size)
            else:  # macOS
                _write_zeros(descriptor, self._size)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(descriptor)


def _write_zeros(descriptor: int, size: int) -> None:
    piece = bytes(1024 * 1024)
    while size > 0:
        size -= os.write(descriptor, piece[:size])
