"""A small file system of its own in a folder, and something that fills it; only root can mount one."""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

MIB = 1024 * 1024


class NoSmallDiskError(Exception):
    """None can be mounted here; the message says why."""


class Filler:
    """Something else on the same disk that takes all there is, in pieces down to one byte."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "filler"

    def fill(self) -> None:
        """Takes what is free now."""
        with self._path.open("ab", buffering=0) as file:
            for size in (MIB, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass

    def free(self) -> int:
        """Bytes free on the disk."""
        return shutil.disk_usage(self._folder).free

    def go(self) -> None:
        """Gives it all back."""
        self._path.unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Filler]:
    """A file system of that size at a folder.

    Raises:
        NoSmallDiskError: it cannot be mounted.
    """
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NoSmallDiskError(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield Filler(folder)
    finally:
        # Lazily: a process that a failed test left behind must not keep it there.
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
