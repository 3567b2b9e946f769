"""What the probes say, and what changes while the receiver runs."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest
import structlog

from handlers.connections import Registry
from receiver import health, server
from tests.receiver.harness import (
    ANSWER_SECONDS,
    SECRET,
    Running,
    head,
    received,
    receiver,
    status_of,
    write_connections,
)
from tests.servers import BrokerServer
from tests.worker.brokers import until
from worker.telemetry import CONFIGURATION_ERRORS, REGISTRY


def ready(running: Running) -> tuple[int, dict[str, Any]]:
    answer = running.request("GET", "/readyz")
    found: dict[str, Any] = json.loads(answer.body)
    return answer.status, found


def test_a_healthy_receiver_is_live_and_ready(running: Running) -> None:
    assert running.request("GET", "/livez").status == 200
    assert running.request("HEAD", "/readyz").status == 200


def test_a_missing_secret_is_a_warning_without_a_name(running: Running) -> None:
    status, found = ready(running)
    assert (status, found) == (200, {"ready": True, "failing": [], "warnings": ["secret_unresolved"]})


def test_changes_are_looked_for_twice_in_the_two_seconds_of_the_contract() -> None:
    assert 2 * health.PERIOD_SECONDS <= 2


def test_a_connection_added_while_running_is_known_and_one_taken_away_is_not(
    valkey: BrokerServer, tmp_path: Path
) -> None:
    file = tmp_path / "connections.toml"
    write_connections(file, acme={})
    with receiver(tmp_path, valkey.url) as found:
        assert found.post("later").status == 401
        write_connections(file, later={})
        until(lambda: found.post("later").status == 200, "the connection")
        assert found.post("acme").status == 401


def test_a_bad_edit_keeps_the_last_good_registry_and_is_told_and_counted(valkey: BrokerServer, tmp_path: Path) -> None:
    file = tmp_path / "connections.toml"
    write_connections(file, acme={})
    name = CONFIGURATION_ERRORS._name + "_total"
    before = REGISTRY.get_sample_value(name) or 0
    with receiver(tmp_path, valkey.url) as found:
        file.write_text("[connections.acme\n")
        until(lambda: ready(found)[1]["warnings"] == ["registry_problems"], "the complaint")
        assert ready(found)[0] == 200
        assert found.post("acme").status == 200
        assert REGISTRY.get_sample_value(name) == before + 1
        write_connections(file, acme={})
        until(lambda: ready(found)[1]["warnings"] == [], "its end")


def test_a_secret_that_appears_is_used(valkey: BrokerServer, tmp_path: Path) -> None:
    write_connections(tmp_path / "connections.toml", acme={"secrets": [{"ref": f"file:{tmp_path / 'late'}"}]})
    with receiver(tmp_path, valkey.url) as found:
        assert found.post("acme").status == 503
        (tmp_path / "late").write_text(SECRET)
        until(lambda: found.post("acme").status == 200, "the secret")


def test_a_request_that_outlasts_the_drain_is_503(
    valkey: BrokerServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DRAIN_SECONDS", 1)
    write_connections(tmp_path / "connections.toml", acme={})
    with (
        receiver(tmp_path, valkey.url) as found,
        socket.create_connection(("127.0.0.1", found.port), timeout=ANSWER_SECONDS) as client,
    ):
        client.sendall(head("acme", b"{}", "Content-Length: 2") + b"{")
        assert found.post("acme").status == 200
        found.stop.set()
        answer = received(client)
    assert status_of(answer) == 503
    assert b'"type":"failed"' in answer


def test_draining_is_said_while_requests_are_still_taken(valkey: BrokerServer, tmp_path: Path) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with receiver(tmp_path, valkey.url, notice_seconds=5.0) as found:
        assert ready(found)[0] == 200
        found.stop.set()
        until(lambda: ready(found) == (503, {"ready": False, "failing": ["draining"], "warnings": []}), "the notice")
        assert found.post("acme").status == 200
        assert found.request("GET", "/livez").status == 200


def test_a_look_that_fails_is_logged_and_the_next_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def journey() -> None:
        looks = iter(["good", "bad", "good"])
        all_taken = asyncio.Event()
        loop = asyncio.get_running_loop()

        def has_room(*_: object) -> bool:
            if (look := next(looks, None)) is None:
                loop.call_soon_threadsafe(all_taken.set)
            elif look == "bad":
                raise OSError("the disk is gone")
            return True

        async def check() -> None:
            return

        monkeypatch.setattr(health, "has_room", has_room)
        monkeypatch.setattr(health, "PERIOD_SECONDS", 0.01)
        registry = Registry(tmp_path / "connections.toml", tmp_path)
        async with health.Watch(health.Health(check), registry, [tmp_path], min_free_bytes=1).running():
            await all_taken.wait()

    with structlog.testing.capture_logs() as lines:
        asyncio.run(journey())
    assert [line["event"] for line in lines] == ["look_failed"]


def test_one_disk_without_room_among_several_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        return

    full = tmp_path / "full"
    monkeypatch.setattr(health, "has_room", lambda folder, _: folder != full)
    registry = Registry(tmp_path / "connections.toml", tmp_path)
    for folders, low in (([tmp_path, full], True), ([tmp_path], False)):
        found = health.Health(check)
        health.Watch(found, registry, folders, min_free_bytes=1).look()
        assert found.disk_low is low


@pytest.mark.parametrize("stopped", ["stopped", "killed"])
def test_without_a_broker_it_is_503_and_200_once_it_is_back(
    tmp_path: Path, own_valkey: BrokerServer, stopped: str
) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with receiver(tmp_path, own_valkey.url) as found:
        assert found.post("acme").status == 200
        own_valkey.kill() if stopped == "killed" else own_valkey.stop()
        answer = found.post("acme")
        assert (answer.status, answer.problem["type"]) == (503, "broker_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        until(lambda: ready(found)[1]["failing"] == ["broker_unavailable"], "the complaint")
        assert ready(found)[0] == 503
        assert found.request("GET", "/livez").status == 200
        assert found.post("nobody").status == 401
        own_valkey.start()
        assert found.post("acme").status == 200
        until(lambda: ready(found)[0] == 200, "its end")


def test_a_broker_that_does_not_answer_means_503_in_time(tmp_path: Path, own_valkey: BrokerServer) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with receiver(tmp_path, own_valkey.url) as found:
        assert found.post("acme").status == 200
        with own_valkey.client() as client:
            client.client_pause(3500)
        answer = found.post("acme")
        assert (answer.status, answer.problem["type"]) == (503, "broker_unavailable")
        until(lambda: found.post("acme").status == 200, "an answer")


def test_a_broker_that_takes_no_writes_means_503(tmp_path: Path, own_valkey: BrokerServer) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with receiver(tmp_path, own_valkey.url) as found, own_valkey.client() as client:
        client.config_set("maxmemory", "1")
        assert found.post("acme").status == 503
        until(lambda: ready(found)[1]["failing"] == ["broker_full"], "the complaint")
        client.config_set("maxmemory", "0")
        assert found.post("acme").status == 200
