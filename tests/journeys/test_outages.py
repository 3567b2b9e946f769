"""Broker or database are away for a while: what was answered 200 is applied, once, when they are back."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa

from handlers.store.schema import dead_letters, events, retries
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import Role, eventually
from tests.journeys.sender import Sender
from tests.servers import BrokerServer, PostgresServer, postgres_server, valkey_server
from tests.worker.cli.plant import event

POSTS = 600
AT_ONCE = 50
FIELDS = ({"title": "Seal", "description": "It drips"}, {"due_date": "2026-03-05", "type": "inspection"})


def _recorded(running: Installation) -> dict[str, int]:
    """How often each event stands in the table."""
    counted = sa.select(events.c.event_id, sa.func.count()).group_by(events.c.event_id)
    return {row[0]: row[1] for row in running.ask(counted)}


def test_while_the_broker_is_away_webhooks_are_put_off_and_nothing_is_lost(valkey_session: BrokerServer) -> None:
    """The roles run each under its own command, with a broker of our own that is killed in the middle."""
    del valkey_session  # it skips where there is none
    told = [event("asset.updated", f"PUMP-{number % 9}", "08:00", f"e-{number}") for number in range(POSTS)]
    with valkey_server(tcp=True) as broker, installation(MAINTENWORKS_BROKER_URL=broker.url) as running:
        sender = running.connect("plant")
        running.run("migrate")
        with running.receiver() as receiver, running.worker() as worker:

            def kill_in_the_middle(accepted: int) -> None:
                if accepted == POSTS // 2:
                    broker.kill()

            sender.deliver(told, insists=False, on_accepted=kill_in_the_middle)
            assert POSTS // 2 <= len(sender.accepted) < POSTS

            refused = sender.post(told[-1])
            assert refused.status == 503
            assert int(refused.headers["retry-after"]) > 0
            assert refused.json["type"] == "broker_unavailable"

            broker.start()
            sender.deliver(told)
            running.settle(sender)

            assert _recorded(running) == {each["id"]: 1 for each in told}
            assert receiver.process.poll() is worker.process.poll() is None


class _Works(NamedTuple):
    """An `up` with a second worker beside it, on a PostgreSQL of its own."""

    running: Installation
    sender: Sender
    up: Role
    second: Role
    server: PostgresServer


@pytest.fixture(scope="module")
def works(postgres_session: PostgresServer) -> Iterator[_Works]:
    del postgres_session  # it skips where there is none
    with (
        postgres_server() as server,
        server.database("journey") as url,
        installation(MAINTENWORKS_DATABASE_URL=url, MAINTENWORKS_METRICS_PORT="0") as running,
    ):
        sender = running.connect("plant")
        with running.up() as up, running.worker() as second:
            yield _Works(running, sender, up, second, server)


def test_while_the_database_is_away_webhooks_are_taken_and_the_workers_hold_them(works: _Works) -> None:
    running, sender, server = works.running, works.sender, works.server
    told = [event("asset.updated", f"PUMP-{number % 9}", "08:00", f"e-{number}") for number in range(POSTS)]
    sender.deliver(told[: POSTS // 3])
    before = works.up.parts()

    server.kill()
    sender.deliver(told[POSTS // 3 :])  # nothing but 200 is taken for an answer
    eventually(lambda: bool(works.up.logged("message_held") or works.second.logged("message_held")))
    server.start()
    running.settle(sender)

    recorded = _recorded(running)
    assert {each["id"]: recorded[each["id"]] for each in told} == {each["id"]: 1 for each in told}
    assert works.up.parts() == before
    assert running.ask(sa.select(retries)) == []
    assert running.ask(sa.select(dead_letters)) == []
    assert running.metric("maintenworks_retries_total") == 0


def test_a_broker_that_restarts_while_the_database_is_away_loses_nothing_of_what_the_workers_hold(
    works: _Works,
) -> None:
    """What is in their hands stays there, what came before and after the restart is taken, and no attempt counts."""
    running, sender, server, up = works.running, works.sender, works.server, works.up
    told = [event("asset.updated", f"PUMP-{number % 9}", "08:00", f"both-{number}") for number in range(POSTS)]
    held = _held(works)

    server.kill()
    sender.deliver(told[: POSTS // 2])
    eventually(lambda: _held(works) > held)
    broker = up.parts()["broker"]
    broker.kill()
    eventually(lambda: up.parts().get("broker", broker) != broker)
    sender.deliver(told[POSTS // 2 :])
    server.start()
    running.settle(sender)

    recorded = _recorded(running)
    assert {each["id"]: recorded[each["id"]] for each in told} == {each["id"]: 1 for each in told}
    assert up.logged("batch_taken_over") == works.second.logged("batch_taken_over") == []
    assert running.ask(sa.select(retries)) == []
    assert running.ask(sa.select(dead_letters)) == []


def _held(works: _Works) -> int:
    return len(works.up.logged("message_held") + works.second.logged("message_held"))


def test_two_workers_that_set_different_fields_of_one_order_lose_neither(works: _Works) -> None:
    """Each order comes into being with one of two events, whichever is first; then two others meet it as it is."""
    orders = [f"WO-{number}" for number in range(POSTS)]
    before = _worked_on(works)

    for fields in FIELDS:
        # So far apart that the two are in different batches, and so near that both are under way at once.
        for start in range(0, len(orders), AT_ONCE):
            part = orders[start : start + AT_ONCE]
            told = [_setting(order, name, value) for name, value in fields.items() for order in part]
            works.sender.deliver(told, at_once=AT_ONCE)
    works.running.settle(works.sender)

    rows = works.running.run("get", "work-orders", "--connection", "plant", "--json").rows
    every = {name: value for fields in FIELDS for name, value in fields.items()}
    assert {row["key"] for row in rows} == set(orders)
    assert [row["key"] for row in rows if {name: row[name] for name in every} != every] == []
    assert all(now > then for now, then in zip(_worked_on(works), before, strict=True)), "both had a share in it"


def _setting(order: str, name: str, value: str) -> dict[str, Any]:
    return event("work_order.updated", order, "08:00", f"{order}-{name}", **{name: value})


def _worked_on(works: _Works) -> tuple[float, float]:
    """How many events each of the two workers has worked on."""
    alone = f"http://127.0.0.1:{works.second.await_line('metrics_ready')['port']}"
    name = "maintenworks_events_processed_total"
    return works.running.metric(name), works.running.metric(name, alone)
