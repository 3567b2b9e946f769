"""`connections rejections`: what it prints of refusals that are there, of none, and of names nobody knows."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.servers import BrokerServer
from tests.worker.cli.at_home import Home
from worker.main import build
from worker.queue import Producer, Rejection

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path, valkey: BrokerServer) -> Home:
    """A home with one connection and a broker that runs."""
    made = Home(tmp_path, MAINTENWORKS_BROKER_URL=valkey.url, ACME=SECRET)
    assert made.run("connections", "add", "acme", "--source", "unified", "--secret", "env:ACME").code == 0
    return made


def _refused(url: str, connection_id: str, *found: Rejection) -> None:
    async def keep() -> None:
        producer = Producer(url, backlog_limit_bytes=1)
        await producer.open()
        await producer.keep_rejections({connection_id: found})
        await producer.close()

    asyncio.run(keep())


def _three(url: str, connection_id: str = "acme") -> None:
    reasons = [("no_signature", 401, 2), ("body_too_large", 413, None), ("wrong_signature", 401, 17)]
    found = [
        Rejection(NOW + timedelta(seconds=second), reason, status, size, ("host", "user-agent"))
        for second, (reason, status, size) in enumerate(reasons)
    ]
    _refused(url, connection_id, *found)


def test_its_help_has_an_example() -> None:
    done = CliRunner().invoke(build(), ["connections", "rejections", "--help"])
    assert "maintenworks connections rejections acme" in " ".join(done.output.split())


def test_the_newest_refusal_stands_first_with_all_that_is_known_of_it(home: Home, valkey: BrokerServer) -> None:
    _three(valkey.url)
    done = home.run("connections", "rejections", "acme", "--json")
    assert done.code == 0
    assert [row["reason"] for row in done.rows] == ["wrong_signature", "body_too_large", "no_signature"]
    assert done.rows[0] == {
        "connection": "acme",
        "time": "2026-03-01T08:00:02Z",
        "reason": "wrong_signature",
        "status": 401,
        "size": 17,
        "header_names": ["host", "user-agent"],
    }
    lines = home.run("connections", "rejections", "acme").out.splitlines()
    assert lines[0].split() == ["time", "reason", "status", "size", "headers"]
    assert lines[1].split() == ["2026-03-01T08:00:02Z", "wrong_signature", "401", "17", "host", "user-agent"]
    assert len(lines) == 4


def test_a_limit_cuts_the_list(home: Home, valkey: BrokerServer) -> None:
    _three(valkey.url)
    assert [row["status"] for row in home.run("connections", "rejections", "acme", "--limit", "2", "--json").rows] == [
        401,
        413,
    ]


def test_what_a_stranger_names_a_header_cannot_steer_a_terminal(home: Home, valkey: BrokerServer) -> None:
    _refused(valkey.url, "unknown", Rejection(NOW, "unknown_connection", 401, 0, ("x-\x1b[2j",)))
    for options in ((), ("--json",)):
        done = home.run("connections", "rejections", "unknown", *options)
        assert done.code == 0
        assert "unknown_connection" in done.out
        assert "\x1b" not in done.out


def test_without_refusals_nothing_is_printed_and_it_is_said(home: Home) -> None:
    done = home.run("connections", "rejections", "acme")
    assert (done.code, done.out) == (0, "")
    assert "nothing of acme was refused" in done.said


def test_a_name_nobody_registered_is_4_and_the_shared_list_is_named(home: Home, valkey: BrokerServer) -> None:
    _three(valkey.url, "unknown")
    assert home.run("connections", "rejections", "nobody").code == 4
    assert len(home.run("connections", "rejections", "unknown", "--json").rows) == 3


def test_without_a_broker_it_is_69(home: Home) -> None:
    done = home.run("connections", "rejections", "acme", MAINTENWORKS_BROKER_URL="redis://127.0.0.1:1/0")
    assert (done.code, done.out) == (69, "")
