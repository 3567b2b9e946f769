"""`env:NAME`: a variable of the process's own environment, taken as it is."""

import os
import re
from pathlib import Path
from typing import Final

from handlers.connections.providers import Provider, unresolved

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
"""POSIX names; what is none may be a secret that was written there by mistake."""


def _problem(name: str) -> str | None:
    return None if _NAME.fullmatch(name) else "names no environment variable; write env: and the variable's name"


def _read(name: str, home: Path) -> bytes:
    del home
    value = os.environ.get(name)
    if not value:
        raise unresolved("is not set in this process's environment")
    return os.fsencode(value)


PROVIDER = Provider(name="env", form="env:NAME", problem=_problem, read=_read)
