"""The supervisor with small real processes: what it starts, starts again, drains and kills."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from handlers.errors import ServiceUnreachableError, TransientError
from tests.journeys.roles import PATIENCE_SECONDS, eventually
from tests.log_lines import read_line
from worker.parts import FIRST_DELAY_SECONDS, GREATEST_DELAY_SECONDS, Child, Launched, Part
from worker.supervisor import Supervisor

ROLE = """
import os, signal, sys, time
from worker import telemetry
telemetry.BEAT_SECONDS = 0.1
name, folder, manner = sys.argv[1:]
def note(word):
    with open(os.path.join(folder, "story"), "a") as story:
        story.write(f"{name} {word} {os.getpid()}\\n")
def stop(*_):
    if manner in ("stubborn", "short"):
        return note("shrugged")
    note("drained")
    os._exit(0)
signal.signal(signal.SIGTERM, stop)
if manner == "hopeless":
    sys.exit(2)
note("started")
print("what a role prints is no data of the command", flush=True)
telemetry.report_ready()
note("ready")
while True:
    time.sleep(60)
"""

SUPERVISOR = """
import os, sys
from worker import supervisor
from worker.children import role
from worker.telemetry import configure_logging
configure_logging()
folder, look, *manners = sys.argv[1:]
supervisor.LOOK_SECONDS = float(look)
def part(name, manner):
    grace = 0.3 if manner == "short" else 60.0
    return role(name, ["rolescript", name, folder, manner], os.environ, grace=grace)
parts = [part(name, manner) for name, manner in (each.split("=") for each in manners)]
sys.exit(supervisor.Supervisor(parts, lambda: print("ready", flush=True)).run())
"""


class _Up:
    """A supervisor in a process of its own."""

    def __init__(self, folder: Path, *manners: str, look: float) -> None:
        self._story = folder / "story"
        (folder / "rolescript.py").write_text(ROLE)
        environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{Path(__file__).parents[2]}"}
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SUPERVISOR, str(folder), str(look), *manners],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def story(self) -> list[tuple[str, str, int]]:
        if not self._story.exists():
            return []
        lines = [line.split() for line in self._story.read_text().splitlines()]
        return [(name, word, int(pid)) for name, word, pid in lines]

    def noted(self, name: str, word: str) -> list[int]:
        return [pid for *noted, pid in self.story() if noted == [name, word]]

    def started(self, name: str) -> list[int]:
        return self.noted(name, "started")

    def logged(self, event: str) -> list[dict[str, object]]:
        lines = [read_line(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def end(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        for pid in {pid for _, _, pid in self.story() if psutil.pid_exists(pid)}:
            os.kill(pid, signal.SIGKILL)


Launcher = Callable[..., _Up]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launcher]:
    """Starts one supervisor, whose parts are given as `name=manner` in the order of starting.

    It looks for silent ones seldom, unless told otherwise: a busy machine may let one be silent for a while.
    """
    with contextlib.ExitStack() as stack:

        def start(*manners: str, look: float = 60.0) -> _Up:
            up = _Up(tmp_path, *manners, look=look)
            stack.callback(up.close)
            return up

        yield start


def test_all_start_and_the_last_started_is_the_first_drained(launch: Launcher) -> None:
    up = launch("broker=kind", "worker=kind", "receiver=kind")
    up.wait_ready()
    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 0
    assert [name for name, word, _ in up.story() if word == "drained"] == ["receiver", "worker", "broker"]


def test_ctrl_c_reaches_the_supervisor_alone_which_drains(launch: Launcher) -> None:
    up = launch("worker=kind")
    up.wait_ready()
    (pid,) = up.started("worker")
    assert os.getpgid(pid) != os.getpgid(up.process.pid)
    up.process.send_signal(signal.SIGINT)
    assert up.end() == 0
    assert ("worker", "drained", pid) in up.story()


def test_what_dies_is_started_again_and_again(launch: Launcher) -> None:
    up = launch("worker=kind", "receiver=kind")
    up.wait_ready()
    os.kill(up.started("worker")[0], signal.SIGKILL)
    eventually(lambda: len(up.started("worker")) == 2)
    os.kill(up.started("worker")[1], signal.SIGKILL)
    eventually(lambda: len(up.started("worker")) == 3)
    assert len(up.started("receiver")) == 1
    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 0


def test_what_is_frozen_is_killed_and_started_again_and_who_lives_is_left_alone(launch: Launcher) -> None:
    """A stopped process may stand in a transaction that bars all others; only its end lets go of that."""
    up = launch("broker=kind", "worker=kind", look=0.4)
    for times in range(2):  # the broker lives through twice as many looks as a silent one outlives
        eventually(lambda times=times: len(up.noted("worker", "ready")) > times)  # type: ignore[misc]  # its default
        os.kill(up.started("worker")[-1], signal.SIGSTOP)
    eventually(lambda: len(up.started("worker")) == 3)
    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 0
    assert len(up.started("broker")) == 1
    assert [line["name"] for line in up.logged("role_silent")] == ["worker", "worker"]


def test_what_cannot_start_for_its_configuration_ends_the_rest_with_its_exit_code(launch: Launcher) -> None:
    up = launch("worker=kind", "receiver=hopeless")
    assert up.end() == 2
    assert all(not psutil.pid_exists(pid) for pid in up.started("worker"))


def test_what_does_not_end_in_time_is_killed_and_the_drain_still_succeeds(launch: Launcher) -> None:
    up = launch("broker=kind", "worker=short")
    up.wait_ready()
    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 0
    ended = [(line["name"], line["code"]) for line in up.logged("role_ended")]
    assert ended == [("worker", -signal.SIGKILL), ("broker", 0)]


def test_a_second_signal_ends_everything_at_once(launch: Launcher) -> None:
    up = launch("broker=kind", "worker=stubborn")
    up.wait_ready()
    up.process.send_signal(signal.SIGTERM)
    eventually(lambda: any(word == "shrugged" for _, word, _ in up.story()))
    up.process.send_signal(signal.SIGINT)
    assert up.end() == 128 + signal.SIGINT
    eventually(lambda: all(not psutil.pid_exists(pid) for _, _, pid in up.story()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_children_end_with_a_parent_that_was_killed(launch: Launcher) -> None:
    up = launch("broker=kind", "worker=kind")
    up.wait_ready()
    up.process.kill()
    up.process.wait()
    eventually(lambda: {name for name, word, _ in up.story() if word == "drained"} == {"broker", "worker"})


def test_the_wait_before_a_start_doubles_up_to_half_a_minute_and_is_jittered(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("worker.supervisor.time.monotonic", lambda: now)

    def refuse() -> Launched:
        raise TransientError("process_not_started", "no memory")

    child = Child(Part("worker", refuse, 1.0))
    child.was_ready = True
    waits = []
    for _ in range(12):
        assert child.start() is None
        waits.append(child.due - now)
    for failures, wait in enumerate(waits):
        greatest = min(GREATEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**failures)
        assert greatest / 2 <= wait <= greatest
    assert len(set(waits)) == len(waits)


def test_a_part_that_cannot_be_launched_at_first_is_an_error_of_the_whole() -> None:
    def refuse() -> Launched:
        raise ServiceUnreachableError("no valkey-server on this machine")

    with pytest.raises(ServiceUnreachableError):
        Supervisor([Part("broker", refuse, 1.0)], lambda: None).run()
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_is_looked_at_now_and_then_and_at_every_end_is_done_in_its_own_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A part that ends each time it is started: its end is told before the next start, and the chore comes round."""
    monkeypatch.setattr("worker.supervisor.CHORE_SECONDS", 0.05)
    story: list[str] = []

    def launch() -> Launched:
        story.append("started")
        if story.count("started") == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return Launched(subprocess.Popen([sys.executable, "-S", "-c", ""]))

    supervisor = Supervisor(
        [Part("worker", launch, 10.0)],
        lambda: None,
        on_end=lambda: story.append("ended"),
        chore=lambda: story.append("chore"),
    )
    assert supervisor.run() == 0
    assert [word for word in story if word != "chore"] == ["started", "ended", "started", "ended", "started"]
    assert "chore" in story
