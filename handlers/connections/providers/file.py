"""`file:PATH`: a file's bytes, one line break at the end dropped; a relative path starts from the home."""

import stat
from pathlib import Path
from typing import Final

from handlers.connections.providers import Provider, unresolved

_MAX_BYTES: Final = 64 * 1024
"""Far beyond any secret; a path that leads elsewhere must not fill the memory."""


def _problem(path: str) -> str | None:
    return None if path and path.isprintable() else "names no file; write file: and the file's path"


def _read(path: str, home: Path) -> bytes:
    full = home / path
    try:
        if not stat.S_ISREG(full.stat().st_mode):  # reading a pipe or a terminal might never end
            raise unresolved("is no regular file")
        with full.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise unresolved(f"cannot be read ({error.strerror})") from None
    if len(content) > _MAX_BYTES:
        raise unresolved(f"is longer than {_MAX_BYTES} bytes")
    return content.removesuffix(b"\n").removesuffix(b"\r") if content.endswith(b"\n") else content


PROVIDER = Provider(name="file", form="file:PATH", problem=_problem, read=_read)
