"""Told to end: not ready any more, what was begun is finished, the rest is given back; told twice, at once."""

import contextlib
import json
import signal
import socket
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from handlers.store.schema import events
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import PATIENCE_SECONDS, Role, eventually
from tests.journeys.sender import Sender
from tests.servers import BrokerServer, PostgresServer
from tests.worker.cli.plant import event
from worker.streams_server import LIVE, stream

KILLED_AT_ONCE = 128 + signal.SIGTERM
WAITS = b"SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class _Works(NamedTuple):
    """An installation on PostgreSQL with a broker of its own, both empty but for the schema, and nothing that runs."""

    running: Installation
    sender: Sender
    broker: BrokerServer
    url: str

    @contextlib.contextmanager
    def under_way(self, order: str) -> Iterator[None]:
        """A worker is in the middle of a batch that changes an order, and stays there until the end of the block."""
        self.sender.deliver([event("work_order.created", order, "08:00", f"{order}-made")])
        self.running.settle(self.sender)
        with psycopg.connect(self.url) as barring, psycopg.connect(self.url, autocommit=True) as looking:
            barring.execute("SELECT FROM work_orders WHERE key = %s FOR UPDATE", (order,))
            told = event("work_order.updated", order, "09:00", f"{order}-changed", title="Seal")
            assert self.sender.post(told).status == 200
            eventually(lambda: looking.execute(WAITS).fetchone() is not None)
            yield

    def recorded(self, order: str) -> int:
        """How many events of an order are in the table."""
        [(count,)] = self.running.ask(sa.select(sa.func.count()).where(events.c.subject_key == order))
        return int(count)

    def waiting(self) -> int:
        """Entries that the broker holds."""
        with self.broker.client() as client:
            return int(client.xlen(stream(LIVE)))


@pytest.fixture(scope="module")
def home(valkey_session: BrokerServer, postgres_session: PostgresServer) -> Iterator[_Works]:
    broker = valkey_session
    with (
        postgres_session.database("shutdown") as url,
        installation(
            MAINTENWORKS_BROKER_URL=broker.url, MAINTENWORKS_DATABASE_URL=url, MAINTENWORKS_METRICS_PORT="0"
        ) as running,
    ):
        sender = running.connect("plant")
        running.run("migrate")
        yield _Works(running, sender, broker, url)


@pytest.fixture
def works(home: _Works, valkey: BrokerServer) -> _Works:
    """What another test left in the broker is gone."""
    del valkey
    home.sender.accepted.clear()
    return home


def _told_once(role: Role, ready: str) -> None:
    """SIGTERM, after which it lives and says that it is not ready."""
    assert httpx.get(f"{ready}/readyz", timeout=PATIENCE_SECONDS).status_code == 200
    role.process.send_signal(signal.SIGTERM)
    eventually(lambda: httpx.get(f"{ready}/readyz", timeout=PATIENCE_SECONDS).json()["failing"] == ["draining"])


def _metrics(role: Role) -> str:
    return f"http://127.0.0.1:{role.await_line('metrics_ready')['port']}"


def test_a_worker_finishes_what_it_began_and_says_meanwhile_that_it_drains(works: _Works) -> None:
    with works.running.receiver(), works.running.worker() as worker:
        with works.under_way("WO-1"):
            _told_once(worker, _metrics(worker))
        assert worker.process.wait(PATIENCE_SECONDS) == 0
        assert works.recorded("WO-1") == 2
        assert works.waiting() == 0


def test_a_worker_told_twice_ends_at_once_and_what_it_had_is_still_there(works: _Works) -> None:
    with works.running.receiver(), works.running.worker() as worker:
        with works.under_way("WO-2"):
            _told_once(worker, _metrics(worker))
            worker.process.send_signal(signal.SIGTERM)
            assert worker.process.wait(PATIENCE_SECONDS) == KILLED_AT_ONCE
        assert worker.logged("drain_cut_short")
        assert (works.recorded("WO-2"), works.waiting()) == (1, 1)


def test_a_receiver_told_twice_ends_at_once_and_has_answered_nothing_that_it_did_not_keep(works: _Works) -> None:
    body = json.dumps(event("work_order.created", "WO-1", "08:00", "half")).encode()
    with works.running.receiver() as receiver:
        where = urlsplit(works.sender.address)
        with socket.create_connection((where.hostname or "", where.port or 0), PATIENCE_SECONDS) as client:
            head = f"POST /webhooks/plant HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body[:5])
            receiver.process.send_signal(signal.SIGTERM)
            receiver.await_line("drain_started")
            receiver.process.send_signal(signal.SIGTERM)
            assert receiver.process.wait(PATIENCE_SECONDS) == KILLED_AT_ONCE
            assert client.recv(100) == b""
        assert works.waiting() == 0


def test_up_told_twice_ends_at_once_and_what_it_had_is_still_there(works: _Works) -> None:
    with works.running.up() as up, works.under_way("WO-3"):
        up.process.send_signal(signal.SIGTERM)
        eventually(lambda: bool(up.logged("drain_started")))
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(PATIENCE_SECONDS) == KILLED_AT_ONCE
        assert (works.recorded("WO-3"), works.waiting()) == (1, 1)
