"""`maintenworks up` with everything real: five processes under one."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest

from tests.journeys.roles import PARTS, PATIENCE_SECONDS, eventually
from tests.log_lines import read_line
from worker.console.serve import listen

SCRIPT = "import sys; from worker.main import main; sys.argv[0] = 'maintenworks'; main()"


class _Up:
    def __init__(self, home: Path, *arguments: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAINTENWORKS_")}
        self.log = home.with_suffix(f".{time.monotonic_ns()}.log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, "up", "--home", str(home), "--json", *arguments],
                env=kept,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._children: set[psutil.Process] = set()

    def ready(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        answer: dict[str, str] = json.loads(line)
        return answer

    def parts(self) -> dict[str, psutil.Process]:
        found: dict[str, psutil.Process] = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                command = " ".join(child.cmdline())
                found |= {name: child for name, mark in PARTS.items() if mark in command}
        self._children |= set(found.values())
        return found

    def end(self) -> int:
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        if self.process.poll() is None:
            self.parts()
        self.process.kill()
        self.process.communicate()
        for child in self._children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()


Launcher = Callable[..., _Up]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launcher]:
    """Starts `up` in a fresh home on free ports."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: str) -> _Up:
            up = _Up(tmp_path / "home", "--public-port", "0", "--ops-port", "0", *arguments)
            stack.callback(up.close)
            return up

        yield start


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=PATIENCE_SECONDS).status_code == 200
    except httpx.TransportError:
        return False


def _shows_every_role(page: str) -> bool:
    return (
        'maintenworks_webhooks_received_total{connection="unknown"' in page
        and 'maintenworks_schedule_last_success_timestamp_seconds{schedule="due_rows"}' in page
        and 'maintenworks_queue_messages{queue="live",state="ready"} 0.0' in page
    )


def test_an_empty_home_comes_up_whole_and_drains_in_order_leaving_nothing(launch: Launcher, tmp_path: Path) -> None:
    """One life of `up`: ready, healthy, one page of metrics for all roles, closed to a second one, drained."""
    up = launch()
    urls = up.ready()
    parts = up.parts()
    assert urls.keys() == {"receiver", "console", "home"}
    assert urls["home"] == str(tmp_path / "home")
    assert parts.keys() == PARTS.keys()
    assert parts["worker"].nice() > parts["receiver"].nice(), "a sender waits for the receiver"
    eventually(lambda: _is_ready(urls["receiver"]))
    eventually(lambda: _is_ready(urls["console"]))
    assert not any(path.stat().st_mode & 0o077 for path in (tmp_path / "home").rglob("*") if path.is_file())

    assert httpx.post(f"{urls['receiver']}/webhooks/nobody", content=b"{}", timeout=PATIENCE_SECONDS).status_code == 401
    eventually(lambda: _shows_every_role(httpx.get(f"{urls['console']}/metrics", timeout=PATIENCE_SECONDS).text))

    second = launch()
    assert second.end() == 2
    assert "another `maintenworks up` runs there" in second.log.read_text()
    assert up.parts() == parts

    up.process.send_signal(signal.SIGTERM)
    assert up.end() == 0
    lines = [read_line(line) for line in up.log.read_text().splitlines()]
    ended = [(line["name"], line["code"]) for line in lines if line["event"] == "role_ended"]
    assert ended == [("receiver", 0), ("worker", 0), ("scheduler", 0), ("console", 0), ("broker", 0)]
    assert not any(part.is_running() for part in parts.values())


def test_whatever_is_killed_comes_back_on_the_same_ports(launch: Launcher) -> None:
    up = launch()
    urls = up.ready()
    before = up.parts()
    for part in before.values():
        part.kill()
    eventually(lambda: up.parts().keys() == PARTS.keys() and not set(up.parts().values()) & set(before.values()))
    eventually(lambda: _is_ready(urls["console"]))
    eventually(lambda: _is_ready(urls["receiver"]))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_killed_itself_it_leaves_nothing_behind_and_the_home_is_usable_at_once(launch: Launcher) -> None:
    up = launch()
    up.ready()
    parts = up.parts()
    up.process.kill()
    again = launch()
    again.ready()
    eventually(lambda: not any(part.is_running() for part in parts.values()))


def test_a_port_that_is_taken_is_a_line_and_2(launch: Launcher) -> None:
    with listen("0.0.0.0", 0, "") as taken:
        up = launch("--public-port", str(taken.getsockname()[1]))
        assert up.end() == 2
    assert [line.partition(": ")[2][:25] for line in up.log.read_text().splitlines()] == [
        "MAINTENWORKS_PUBLIC_PORT: "[:25]
    ]
