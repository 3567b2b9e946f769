"""Processes of ours, each under its own command, with a file for what they say."""

import contextlib
import json
import select
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types

from tests.log_lines import read_line

COMMAND = Path(sysconfig.get_path("scripts")) / "maintenworks"
PATIENCE_SECONDS = 90.0
"""Far beyond anything that happens on a busy machine: what takes longer never happens."""
PARTS = {
    "broker": "valkey-server",
    "receiver": "-m receiver",
    "worker": "-m worker worker",
    "scheduler": "-m worker scheduler",
    "console": "-m worker console",
}
"""The children of `up` by what stands in their command lines."""


class Role:
    """A process of ours under its own command; what it and its children say goes to a file.

    Attributes:
        process: the command's.
        log: that file.
    """

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as said:
            self.process = subprocess.Popen(
                [COMMAND, *arguments],
                cwd=log.parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            )

    def logged(self, event: str) -> list[dict[str, Any]]:
        """All lines of one kind so far."""
        lines = self.log.read_bytes().splitlines(keepends=True)
        told = [read_line(line) for line in lines if line.startswith(b"{") and line.endswith(b"\n")]
        return [line for line in told if line["event"] == event]

    def await_line(self, event: str) -> dict[str, Any]:
        """The first line of one kind, waited for."""
        eventually(lambda: bool(self.logged(event)), or_say=self._last_words)
        return self.logged(event)[0]

    def ready_line(self) -> dict[str, Any]:
        """The object that `up --json` prints once everything is ready."""
        assert self.process.stdout is not None
        told, _, _ = select.select([self.process.stdout], [], [], PATIENCE_SECONDS)
        line = self.process.stdout.readline() if told else b""
        assert line, self._last_words()
        ready: dict[str, Any] = json.loads(line)
        return ready

    def parts(self) -> dict[str, psutil.Process]:
        """The children that run now, by name."""
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                command = " ".join(child.cmdline())
                found |= {name: child for name, mark in PARTS.items() if mark in command}
        return found

    def stop(self) -> None:
        """SIGTERM, upon which it drains and ends well."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_SECONDS) == 0, self._last_words()

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it, or a second SIGTERM."""
        return self.process.poll() in {-signal.SIGKILL, 128 + signal.SIGTERM}

    def kill_all(self) -> None:
        """SIGKILL for it and everything below it; none of them has a moment to put anything in order."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGSTOP)  # or it would start again what is killed before it
            children = psutil.Process(self.process.pid).children(recursive=True)
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            self.process.kill()
            self.process.wait()
            psutil.wait_procs(children, timeout=PATIENCE_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])


def eventually(seen: Callable[[], bool], *, every: float = 0.05, or_say: Callable[[], str] = lambda: "") -> None:
    """Waits until something is so.

    Args:
        seen: asked again and again.
        every: seconds between two looks.
        or_say: what to add if it never becomes so.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        assert time.monotonic() < deadline, f"it never happened {or_say()}"
        time.sleep(every)
