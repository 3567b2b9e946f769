"""A server acts and its reply is lost: whoever asked cannot know, asks again, and nothing is done twice."""

import contextlib
import hashlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa

from handlers.store.schema import dead_letters, events
from tests.journeys.forgetful import Forgetful, forgetful
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import Role, eventually
from tests.journeys.sender import Sender
from tests.servers import BrokerServer, PostgresServer, postgres_server, valkey_server
from tests.worker.cli.plant import event
from worker.scripts import ACK, ENQUEUE
from worker.streams_server import BACKLOG_BYTES, LIVE, stream

TRIES = 5


class _Works(NamedTuple):
    """Receiver and worker, each behind a proxy on its way to the broker, the worker on that to the database too."""

    running: Installation
    sender: Sender
    worker: Role
    broker: BrokerServer
    metrics: str
    before_receiver: Forgetful
    before_worker: Forgetful
    before_database: Forgetful

    def recorded(self, event_id: str) -> int:
        """How often an event stands in the table."""
        [(count,)] = self.running.ask(sa.select(sa.func.count()).where(events.c.event_id == event_id))
        return int(count)

    def counted(self, outcome: str) -> float:
        """How many events the worker says that it has ended so."""
        return self.running.metric("maintenworks_events_processed_total", self.metrics, outcome=outcome)

    def is_empty(self) -> bool:
        """Whether nothing is left in the broker, and nothing is held to be."""
        with self.broker.client() as client:
            return client.xlen(stream(LIVE)) == 0 and client.get(BACKLOG_BYTES) is None


@pytest.fixture(scope="module")
def works(valkey_session: BrokerServer, postgres_session: PostgresServer) -> Iterator[_Works]:
    del valkey_session, postgres_session  # it skips where there is none
    with (
        valkey_server(tcp=True) as broker,
        postgres_server(tcp=True) as server,
        server.database("journey") as url,
        contextlib.ExitStack() as stack,
    ):
        proxies = [stack.enter_context(forgetful(_port(each))) for each in (broker.url, broker.url, url)]
        urls = [_through(each, proxy) for each, proxy in zip((broker.url, broker.url, url), proxies, strict=True)]
        running = stack.enter_context(
            installation(MAINTENWORKS_BROKER_URL=urls[0], MAINTENWORKS_DATABASE_URL=url, MAINTENWORKS_METRICS_PORT="0")
        )
        sender = running.connect("plant")
        running.run("migrate")
        stack.enter_context(running.receiver())
        running.environment |= {"MAINTENWORKS_BROKER_URL": urls[1], "MAINTENWORKS_DATABASE_URL": urls[2]}
        worker = stack.enter_context(running.worker())
        metrics = f"http://127.0.0.1:{worker.await_line('metrics_ready')['port']}"
        sender.deliver([event("asset.created", "PUMP-0", "08:00", "first")])
        running.settle(sender)
        yield _Works(running, sender, worker, broker, metrics, *proxies)


def test_the_reply_to_an_enqueue_is_lost_so_the_sender_repeats_it_and_it_counts_once(works: _Works) -> None:
    told = event("asset.created", "PUMP-1", "08:00", "enqueued")
    duplicates = works.counted("duplicate")
    works.before_receiver.lose_reply_to(_sha(ENQUEUE))

    answer = works.sender.post(told)
    assert (answer.status, answer.json["type"]) == (503, "broker_unavailable")
    assert works.before_receiver.lost == 1
    assert works.sender.post(told).status == 200
    works.running.settle(works.sender)

    eventually(lambda: works.counted("duplicate") == duplicates + 1)
    assert works.recorded("enqueued") == 1
    eventually(works.is_empty)


def test_the_reply_to_an_ack_is_lost_so_it_is_tried_again_and_gives_back_nothing_twice(works: _Works) -> None:
    works.before_worker.lose_reply_to(_sha(ACK))

    works.sender.deliver([event("asset.created", "PUMP-2", "08:00", "acked")])
    works.running.settle(works.sender)

    eventually(lambda: works.before_worker.lost == 1)
    eventually(works.is_empty)
    works.sender.deliver([event("asset.updated", "PUMP-2", "09:00", "after-ack", name="Pump")])
    works.running.settle(works.sender)
    eventually(works.is_empty)
    assert (works.recorded("acked"), works.recorded("after-ack")) == (1, 1)


def test_the_reply_to_a_commit_is_lost_so_the_batch_is_done_again_which_changes_nothing(works: _Works) -> None:
    """An event that is applied, and one that is buried: neither has a second time in the archive."""
    applied, buried = (
        _commit_lost(works, name, data) for name, data in (("applied", {"key": "PUMP-3"}), ("buried", {}))
    )

    assert works.recorded(applied) == 1
    columns = (dead_letters.c.code, dead_letters.c.attempts, dead_letters.c.state)
    [letter] = works.running.ask(sa.select(*columns).where(dead_letters.c.delivery_id == buried))
    assert (letter.code, len(letter.attempts), letter.state) == ("missing_field", 1, "open")
    assert works.running.metric("maintenworks_retries_total", works.metrics) == 0


def _commit_lost(works: _Works, name: str, data: dict[str, str]) -> str:
    """Has the reply to an event's commit lost; returns its id, or that of the delivery of one that is buried."""
    for number in range(TRIES):
        held = len(works.worker.logged("message_held"))
        told = {"id": f"{name}-{number}", "type": "asset.created", "occurred_at": "2026-03-01T08:00:00Z", "data": data}
        works.before_database.lose_reply_to(b"COMMIT")
        answer = works.sender.post(told)
        works.running.settle(works.sender)
        eventually(works.is_empty)
        if len(works.worker.logged("message_held")) > held:
            return f"{name}-{number}" if data else str(answer.json["delivery_id"])
    raise AssertionError("it was always another transaction of the worker, such as its look at the clock")


def _sha(script: str) -> bytes:
    """How a script that the server knows is called."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest().encode()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def _through(url: str, proxy: Forgetful) -> str:
    return url.replace(f":{_port(url)}/", f":{proxy.port}/")
