"""The real command: what it prints, how it ends."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.log_lines import read_line
from tests.receiver.harness import ANSWER_SECONDS, SECRET, Running, head, received, status_of, write_connections
from tests.servers import BrokerServer, free_port

BODY = b'{"id": "evt-7"}'
COMMAND = [sys.executable, "-P", "-m", "receiver"]


def environment(home: Path, **settings: object) -> dict[str, str]:
    """A clean one, with settings of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAINTENWORKS_", "PROMETHEUS_"))}
    own = {"home": home, "public_host": "127.0.0.1", "public_port": 0, "log_format": "json", **settings}
    return {**kept, **{f"MAINTENWORKS_{name.upper()}": str(value) for name, value in own.items()}}


class Process:
    """A receiver's process that has said it is ready."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        self.process = process
        self.lines: list[dict[str, Any]] = []
        while not self.lines or self.lines[-1]["event"] != "receiver_ready":
            self.lines.append(read_line(process.stderr.readline()))
        self.ready: Mapping[str, Any] = self.lines[-1]
        self.running = Running(self.ready["port"], threading.Event())

    def end(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Until it has ended; then `lines` has all it logged."""
        code = self.process.wait(timeout=ANSWER_SECONDS)
        assert self.process.stderr is not None
        self.lines += [read_line(line) for line in self.process.stderr]
        return code


@contextlib.contextmanager
def started(home: Path, **settings: object) -> Iterator[Process]:
    process = subprocess.Popen(
        COMMAND, env=environment(home, **settings), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/"
    )
    assert process.stdout is not None
    with process:
        try:
            yield Process(process)
            assert process.stdout.read() == b""
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_connections(tmp_path / "connections.toml", acme={})
    return tmp_path


def refused(home: Path, **settings: object) -> tuple[int, list[str]]:
    """Exit code and lines of one that cannot start."""
    done = subprocess.run(
        COMMAND, env=environment(home, **settings), capture_output=True, timeout=ANSWER_SECONDS, check=False, cwd="/"
    )
    assert done.stdout == b""
    return done.returncode, done.stderr.decode().splitlines()


def test_sigterm_answers_what_is_under_way_and_exits_0(home: Path, valkey: BrokerServer) -> None:
    with started(home, broker_url=valkey.url) as found:
        assert found.running.post("acme", BODY).status == 200
        with socket.create_connection(("127.0.0.1", found.running.port), timeout=ANSWER_SECONDS) as client:
            client.sendall(head("acme", BODY, f"Content-Length: {len(BODY)}") + BODY[:4])
            found.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError):
                while True:  # until the port is closed, which the request outlasts
                    socket.create_connection(("127.0.0.1", found.running.port), timeout=ANSWER_SECONDS).close()
            client.sendall(BODY[4:])
            assert status_of(received(client)) == 200
        assert found.wait() == 0
    assert [line["event"] for line in found.lines] == [
        "receiver_ready",
        "deliveries_accepted",
        "drain_started",
        "deliveries_accepted",
        "drained",
    ]
    assert {line["role"] for line in found.lines} == {"receiver"}


def test_sigint_drains_too(home: Path, valkey: BrokerServer) -> None:
    with started(home, broker_url=valkey.url) as found:
        found.process.send_signal(signal.SIGINT)
        assert found.wait() == 0


def test_nothing_secret_and_no_body_is_logged_and_a_refusal_says_its_reason(home: Path, valkey: BrokerServer) -> None:
    marked = b'{"note": "only-in-the-body"}'
    with started(home, broker_url=valkey.url, log_level="debug") as found:
        assert found.running.post("acme", marked).status == 200
        assert (
            found.running.post("acme", marked, x_webhook_signature="ab" * 32, authorization="Bearer t0k").status == 401
        )
        found.running.raw(b"garbage only-in-the-body\r\n\r\n")
        assert found.end() == 0
    text = json.dumps(found.lines)
    assert not [word for word in (SECRET, "only-in-the-body", "ab" * 32, "t0k") if word in text]
    accepted = next(line for line in found.lines if line["event"] == "deliveries_accepted")
    refusal = next(line for line in found.lines if line["event"] == "delivery_refused")
    assert (accepted["connection"], [len(each) for each in accepted["delivery_ids"]]) == ("acme", [36])
    assert (refusal["connection"], refusal["reason"], refusal["status"]) == ("acme", "wrong_signature", 401)


def test_the_metrics_port_shows_metrics_and_probes_with_names(home: Path, valkey: BrokerServer) -> None:
    write_connections(home / "connections.toml", acme={}, later={"secrets": [{"ref": "env:NOWHERE_TO_BE_FOUND"}]})
    with started(home, broker_url=valkey.url, metrics_port=0, metrics_token="t0ken") as found:
        ops = Running(found.ready["metrics_port"], threading.Event())
        assert found.running.post("acme", BODY).status == 200
        page = ops.request("GET", "/metrics", authorization="Bearer t0ken")
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
        line = b'maintenworks_webhooks_received_total{connection="acme",outcome="accepted"} 1.0'
        assert line in page.body.splitlines()
        for given in (
            {},
            {"authorization": "Bearer t0ke"},
            {"authorization": "Basic t0ken"},
            {"authorization": "\xff"},
        ):
            refusal = ops.request("GET", "/metrics", None, **given)
            assert (refusal.status, refusal.headers["www-authenticate"]) == (401, 'Bearer realm="metrics"')
        bearer = {"authorization": "Bearer t0ken"}
        assert [ops.request("GET", path).status for path in ("/livez", "/readyz")] == [401, 401]
        assert ops.request("GET", "/livez", None, **bearer).status == 200
        assert list(json.loads(ops.request("GET", "/readyz", None, **bearer).body)["unresolved"]) == ["later"]
        assert ops.request("POST", "/webhooks/acme", BODY).status == 404
        assert found.running.request("GET", "/metrics", authorization="Bearer t0ken").status == 404
        assert found.end() == 0


def test_without_a_token_anybody_may_scrape(home: Path, valkey: BrokerServer) -> None:
    with started(home, broker_url=valkey.url, metrics_port=0) as found:
        ops = Running(found.ready["metrics_port"], threading.Event())
        assert ops.request("GET", "/metrics").status == 200
        assert found.end() == 0


def test_it_listens_on_the_socket_it_was_handed_and_says_that_it_is_ready(home: Path, valkey: BrokerServer) -> None:
    reading, writing = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        handed = {"MAINTENWORKS_LISTEN_FD": str(listener.fileno()), "MAINTENWORKS_READY_FD": str(writing)}
        process = subprocess.Popen(
            COMMAND,
            env={**environment(home, broker_url=valkey.url), **handed},
            pass_fds=(listener.fileno(), writing),
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        try:
            with os.fdopen(reading, "rb") as told:
                assert told.read(5) == b"ready"
            port = listener.getsockname()[1]
            assert Running(port, threading.Event()).post("acme", BODY).status == 200
            process.terminate()
            assert process.wait(timeout=ANSWER_SECONDS) == 0
        finally:
            process.kill()
            process.wait()


def test_a_wrong_configuration_is_2_with_a_line_for_each_problem(home: Path) -> None:
    code, lines = refused(home, public_port=70000, max_body_bytes="many", broker_url="http://x")
    assert code == 2
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "MAINTENWORKS_BROKER_URL",
        "MAINTENWORKS_MAX_BODY_BYTES",
        "MAINTENWORKS_PUBLIC_PORT",
    ]


def test_a_wrong_registry_is_2_with_a_line_for_each_problem(home: Path) -> None:
    write_connections(home / "connections.toml", acme={"secrets": []}, beta={"source": "nothing"})
    code, lines = refused(home)
    assert code == 2
    assert len(lines) == 2
    assert all("connections.toml:" in line for line in lines)


def test_a_port_that_is_taken_is_2(home: Path, valkey: BrokerServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, lines = refused(home, broker_url=valkey.url, public_port=taken.getsockname()[1])
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("receiver: MAINTENWORKS_PUBLIC_PORT: 127.0.0.1 port ")


@pytest.mark.parametrize("host", ["a..b", "203.0.113.7"])
def test_a_host_that_is_not_ours_is_2(home: Path, host: str) -> None:
    code, lines = refused(home, public_host=host)
    assert code == 2
    assert len(lines) == 1
    assert f"{host} port 0" in lines[0]


def test_without_any_broker_it_is_69_and_both_ways_are_named(home: Path) -> None:
    for given in ({}, {"broker_url": f"redis://127.0.0.1:{free_port()}/0"}):
        code, lines = refused(home, **given)
        assert code == 69
        assert len(lines) == 1
        assert "MAINTENWORKS_BROKER_URL" in lines[0]
        assert "maintenworks up" in lines[0]


def test_importing_the_application_leaves_the_database_unloaded() -> None:
    code = "import sys, receiver.app; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, cwd="/")
    loaded = set(done.stdout.split())
    assert "starlette" in loaded
    assert not loaded & {"sqlalchemy", "alembic", "psycopg"}
