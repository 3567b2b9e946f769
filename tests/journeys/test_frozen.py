"""A worker that freezes inside a transaction: another does its work, and what it does when it goes on harms nobody."""

import contextlib
import json
import signal
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
import sqlalchemy as sa

from handlers.store.schema import deliveries, events
from tests.journeys.busy import Busy
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import Role, eventually
from tests.servers import BrokerServer
from tests.worker.cli.plant import event
from worker.streams_server import BACKLOG_BYTES, GROUP, LIVE, stream

SUCCEEDED = timedelta(seconds=20)
"""How soon another worker is done with what a frozen one held (issue 3, "Broker and road under fault"): the lease of
12 s, and a look each second; meanwhile the 10 s pass after which the frozen one's session lets go of its locks."""
REPLACED = timedelta(seconds=20)
"""How soon the one worker of `up` has a successor that works: killed after 8 to 10 s of silence, and started anew."""

AT_ONCE = 20

Looking = psycopg.Connection[tuple[int]]


def test_what_a_worker_held_when_it_froze_in_a_transaction_is_done_by_another_soon_and_once(
    valkey: BrokerServer, postgres_url: str
) -> None:
    given = {"MAINTENWORKS_BROKER_URL": valkey.url, "MAINTENWORKS_DATABASE_URL": postgres_url}
    with installation(**given) as running:
        sender = running.connect("plant")
        running.run("migrate")
        with running.receiver(), running.worker() as first, running.worker() as second:
            sender.deliver([event("work_order.created", f"WO-{n}", "08:00", f"made-{n}") for n in (1, 2, 3)])
            running.settle(sender)

            frozen = _froze_holding(running, valkey, postgres_url, [first, second])
            since, busy = datetime.now(UTC), Busy()
            sender.post(event("work_order.updated", "WO-1", "10:00", "later-1", due_date="2026-03-05"))
            running.settle(sender)
            ((done_at,),) = running.ask(sa.select(sa.func.max(deliveries.c.processed_at)))
            sys.stdout.write(f"succeeded {(done_at - since).total_seconds():.1f} s after the worker froze\n")
            assert done_at - since <= SUCCEEDED + busy.so_far

            frozen.process.send_signal(signal.SIGCONT)
            eventually(lambda: bool(frozen.logged("message_not_acked") or frozen.logged("message_let_go")))
            (first if frozen is second else second).stop()
            sender.post(event("work_order.updated", "WO-2", "10:00", "later-2", due_date="2026-03-05"))
            running.settle(sender)

            assert _times_recorded(running) == dict.fromkeys(
                ["made-1", "made-2", "made-3", "both-1", "both-2", "later-1", "later-2"], 1
            )
            eventually(lambda: _in_the_broker(valkey) == (0, 0))


def _froze_holding(running: Installation, broker: BrokerServer, url: str, workers: Sequence[Role]) -> Role:
    """Posts a change of two orders, and freezes whoever works on it when it has locked the one and waits for the other.

    Once it has that too, its session stands in the transaction with nobody behind it.
    """
    change = [event("work_order.updated", f"WO-{n}", "09:00", f"both-{n}", title="Seal") for n in (1, 2)]
    with psycopg.connect(url, autocommit=True) as looking:
        with psycopg.connect(url) as barring:
            barring.execute("SELECT FROM work_orders WHERE key = 'WO-2' FOR UPDATE")
            assert running.senders[0].post(json.dumps(change).encode()).status == 200
            eventually(lambda: _sessions(looking, "wait_event_type = 'Lock'") == 1)
            holder = _holder(broker)
            [frozen] = [role for role in workers if role.process.pid == holder]
            frozen.process.send_signal(signal.SIGSTOP)
        eventually(lambda: _sessions(looking, "state = 'idle in transaction'") == 1)
    return frozen


def _sessions(looking: Looking, condition: str) -> int:
    """How many of our sessions are as described by columns of pg_stat_activity."""
    query = f"SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND {condition}"
    row = looking.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def _holder(broker: BrokerServer) -> int:
    """Process id of the worker that holds an entry of the lane `live`: it stands in the consumer's name."""
    with broker.client() as client:
        [pending] = client.xpending_range(stream(LIVE), GROUP, "-", "+", 1)
    consumer = pending["consumer"]
    assert isinstance(consumer, bytes)
    return int(consumer.rsplit(b"-", 2)[1])


def _in_the_broker(broker: BrokerServer) -> tuple[int, int]:
    """Entries of the lane `live`, and bytes of backlog."""
    with broker.client() as client:
        return client.xlen(stream(LIVE)), int(client.get(BACKLOG_BYTES) or 0)


def _times_recorded(running: Installation) -> dict[str, int]:
    counted = sa.select(events.c.event_id, sa.func.count()).group_by(events.c.event_id)
    return {row[0]: row[1] for row in running.ask(counted)}


@pytest.mark.long
def test_a_worker_of_up_that_froze_with_sqlites_one_write_lock_is_replaced_and_nothing_is_lost() -> None:
    """Nobody else can write while it stands there, so `up` ends whoever falls silent."""
    with installation() as running:
        sender = running.connect("plant")
        with running.up() as up:
            frozen = up.parts()["worker"]
            told = [event("asset.updated", f"PUMP-{n % 9}", "08:00", f"e-{n}") for n in range(2000)]
            for posted in range(0, len(told), AT_ONCE):
                sender.deliver(told[posted : posted + AT_ONCE])
                frozen.suspend()
                if _is_locked(running):
                    break
                frozen.resume()
            since, busy = datetime.now(UTC), Busy()
            sender.deliver(told)
            running.settle(sender)

            assert [line["name"] for line in up.logged("role_silent")] == ["worker"]
            taken_up = datetime.fromisoformat(up.logged("batch_taken_over")[0]["timestamp"])
            sys.stdout.write(f"replaced {(taken_up - since).total_seconds():.1f} s after the worker froze\n")
            assert taken_up - since <= REPLACED + busy.so_far
            assert _times_recorded(running) == {each["id"]: 1 for each in told}


def _is_locked(running: Installation) -> bool:
    """Whether somebody holds the write lock, and not only for a moment."""
    with contextlib.closing(sqlite3.connect(running.home / "maintenworks.db", timeout=0.5)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False
