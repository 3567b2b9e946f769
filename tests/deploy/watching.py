"""The real Prometheus and Alertmanager with what is shipped for them, in shortened time, and somebody who is paged.

All durations of rules and configurations, and thresholds that are times, are divided by `HASTE`; nothing else differs
but the addresses.
"""

import contextlib
import json
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from ruamel.yaml import YAML

from tests.deploy.shipped import PROMETHEUS, read_yaml
from tests.journeys.roles import eventually
from tests.programs import program
from tests.servers import free_port

HASTE = 15
"""A scrape is a second then; more of it, and a busy machine would miss some."""
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?<=[\[: ])(\d+)([smhd])(?=[\]:\s])")
_MINUTES = re.compile(r"\b(\d+) \* 60\b")


class Told(NamedTuple):
    """An alert that came, at a moment of the monotonic clock.

    Attributes:
        at: seconds.
        receiver: for whom.
        status: `firing` or `resolved`.
        labels: its labels.
        annotations: what it says.
    """

    at: float
    receiver: str
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Pager:
    """Whom Alertmanager tells.

    Attributes:
        told: everything so far.
        url: where it listens.
    """

    def __init__(self) -> None:
        self.told: list[Told] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                at = time.monotonic()
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                for each in body["alerts"]:
                    told.append(Told(at, self.path[1:], each["status"], each["labels"], each["annotations"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing, or it would stand among the tests' own lines."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def of(self, alert: str, status: str) -> list[Told]:
        """What came of an alert."""
        return [each for each in self.told if (each.labels["alertname"], each.status) == (alert, status)]

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Answers while the block runs."""
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@contextlib.contextmanager
def watched(folder: Path, console: str) -> Iterator[Pager]:
    """Prometheus watches a console, and Alertmanager tells a pager.

    Args:
        folder: an empty one.
        console: its URL.
    """
    pager = Pager()
    manager = f"127.0.0.1:{free_port()}"
    with pager.listening(), _alertmanager(folder, manager, pager), _prometheus(folder, manager, console):
        yield pager


def hastened(text: str) -> str:
    """Rules or a configuration with every duration shortened.

    Args:
        text: YAML.
    """
    text = _MINUTES.sub(lambda found: f"{int(found[1]) * 60 / HASTE:g}", text)
    return _DURATION.sub(lambda found: f"{int(found[1]) * SECONDS[found[2]] * 1000 // HASTE}ms", text)


@contextlib.contextmanager
def _prometheus(folder: Path, manager: str, console: str) -> Iterator[None]:
    (folder / "rules").mkdir()
    for path in (PROMETHEUS / "rules").glob("*.yml"):
        (folder / "rules" / path.name).write_text(hastened(path.read_text()))
    given = _hastened(folder, "prometheus.yml")
    given["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [manager]}]}]
    given["scrape_configs"][0]["static_configs"] = [{"targets": [console.removeprefix("http://")]}]
    address = f"127.0.0.1:{free_port()}"
    options = [f"--storage.tsdb.path={folder / 'prometheus'}", f"--web.listen-address={address}"]
    with _running("prometheus", _written(folder / "prometheus.yml", given), options, address):
        yield


@contextlib.contextmanager
def _alertmanager(folder: Path, address: str, pager: Pager) -> Iterator[None]:
    given = _hastened(folder, "alertmanager.yml")
    for receiver in given["receivers"]:
        receiver["webhook_configs"][0]["url"] = f"{pager.url}/{receiver['name']}"
    options = [f"--storage.path={folder / 'alertmanager'}", f"--web.listen-address={address}"]
    options.append("--cluster.listen-address=")  # alone
    with _running("prometheus-alertmanager", _written(folder / "alertmanager.yml", given), options, address):
        yield


@contextlib.contextmanager
def _running(name: str, configuration: Path, options: list[str], address: str) -> Iterator[None]:
    log = configuration.with_suffix(".log")
    with log.open("wb") as said:
        command = [program(name), f"--config.file={configuration}", *options]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        eventually(lambda: _is_ready(address), or_say=log.read_text)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait()


def _is_ready(address: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://{address}/-/ready", timeout=30).is_success
    return False


def _hastened(folder: Path, name: str) -> Any:
    path = folder / f"hastened-{name}"
    path.write_text(hastened((PROMETHEUS / name).read_text()))
    return read_yaml(path)


def _written(path: Path, given: Any) -> Path:
    with path.open("w") as file:
        YAML(typ="safe").dump(given, file)
    return path
