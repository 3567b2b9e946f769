"""The real thing, for the demonstration: `up` in a home of its own, as a child process."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from handlers.errors import MaintenworksError
from handlers.settings import PREFIX
from worker.children import end_with_parent
from worker.cli import output

READY_SECONDS: Final = 60.0
"""Six interpreters start one after the other; on a busy small machine that takes some ten seconds."""
DRAIN_SECONDS: Final = 120.0
"""Longer than the roles' own patience together; after it everything is killed."""
LOG: Final = "up.log"
"""In the home: what all the roles said."""

_COMMAND: Final = (sys.executable, "-P", "-c", "from worker.main import main; main()")
_LAST_LINES: Final = 5


@dataclass(frozen=True)
class Running:
    """A running `up`.

    Attributes:
        receiver: URL.
        console: URL.
        home: its folder.
    """

    receiver: str
    console: str
    home: Path


@contextlib.contextmanager
def running(home: Path) -> Iterator[Running]:
    """Starts `maintenworks up` on free ports, and drains it at the end.

    Args:
        home: holds its connections already. Of our own settings it takes none.

    Raises:
        MaintenworksError: it did not get ready; the last lines of its log say why.
    """
    options = ("--json", "--public-host", "127.0.0.1", "--public-port", "0", "--ops-port", "0")
    with (home / LOG).open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # our own command
            [*_COMMAND, "up", *options],
            cwd=home,
            env=environment(home),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for us to hear first
            preexec_fn=end_with_parent(os.getpid()),  # noqa: PLW1509  # no other thread runs yet
        )
    try:
        ready = _await_ready(process, home)
        yield Running(ready["receiver"], ready["console"], home)
    finally:
        _drain(process)


def command(home: Path, arguments: Sequence[str]) -> list[dict[str, Any]]:
    """Runs one of our commands on a home and reads the JSON lines that it prints; none where nothing matched.

    Raises:
        MaintenworksError: it failed; its last words say why.
    """
    done = subprocess.run(  # noqa: S603  # our own command
        [*_COMMAND, *arguments], cwd=home, env=environment(home), capture_output=True, check=False
    )
    if done.returncode not in {output.OK, output.NOTHING}:
        raise MaintenworksError(f"{arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def environment(home: Path) -> Mapping[str, str]:
    """Ours without any setting: a demonstration must not write into anybody's real database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**kept, f"{PREFIX}HOME": str(home)}


def _await_ready(process: "subprocess.Popen[bytes]", home: Path) -> dict[str, str]:
    assert process.stdout is not None, "it is a pipe"
    told, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
    line = process.stdout.readline() if told else b""
    if not line:
        why = f"was not ready within {READY_SECONDS:.0f} s" if not told else "ended"
        last = (home / LOG).read_text(errors="replace").splitlines()[-_LAST_LINES:]
        raise MaintenworksError("\n".join([f"`maintenworks up` {why}; it said last:", *last]))
    ready: dict[str, str] = json.loads(line)
    return ready


def _drain(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.ExitStack() as ends:
        if process.stdout is not None:
            ends.enter_context(process.stdout)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DRAIN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
