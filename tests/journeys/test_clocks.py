"""Hosts whose clocks are 20 s apart: leases, retries and leadership go by the servers' clocks alone."""

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from handlers.store.schema import dead_letters, deliveries, events
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import eventually
from tests.servers import BrokerServer
from tests.worker.cli.plant import event
from worker.streams_leases import LEASE

WRONG = Path(__file__).parent / "wrong_clock"
APART = timedelta(seconds=20)
SKEW = timedelta(minutes=5)
"""How far ahead of its arrival an event may be (design, section 3, rule 7)."""
SOON = timedelta(seconds=6)


@contextlib.contextmanager
def _ahead(running: Installation, by: timedelta) -> Iterator[None]:
    """What is started inside has a clock that is ahead by so much; behind, where that is negative."""
    before = running.environment
    path = os.pathsep.join([str(WRONG), *filter(None, [before.get("PYTHONPATH")])])
    wrong = {"PYTHONPATH": path, "CLOCK_AHEAD_SECONDS": str(by.total_seconds())}
    running.environment = {**before, **wrong}
    try:
        yield
    finally:
        running.environment = before


@pytest.mark.long
def test_with_clocks_that_are_20_s_apart_nobody_is_robbed_and_nothing_comes_early_or_twice(
    valkey: BrokerServer, postgres_url: str
) -> None:
    """Workers and schedulers by twos, one of each ahead, the other behind; while one order is held for over a lease."""
    given = {"MAINTENWORKS_BROKER_URL": valkey.url, "MAINTENWORKS_DATABASE_URL": postgres_url}
    with installation(**given) as running, contextlib.ExitStack() as stack:
        sender = running.connect("plant")
        running.run("migrate")
        roles = []
        for by in (-APART, APART):  # whoever comes later, and is ahead, would find the first one's leadership run out
            with _ahead(running, by):
                roles += [stack.enter_context(running.worker()), stack.enter_context(running.scheduler())]
        stack.enter_context(running.receiver())
        assert all(role.logged("clocks_disagree") for role in roles)

        due = datetime.now(UTC) + SOON
        ahead = (due + SKEW).isoformat()
        assert sender.post(event("asset.updated", "PUMP-1", ahead, "early", name="Pump")).status == 200
        sender.deliver([event("work_order.created", "WO-1", "08:00", "made")])
        running.settle(sender)
        with psycopg.connect(postgres_url) as barring:
            barring.execute("SELECT FROM work_orders WHERE key = 'WO-1' FOR UPDATE")
            assert sender.post(event("work_order.updated", "WO-1", "09:00", "held", title="Seal")).status == 200
            time.sleep(LEASE.total_seconds() + 1)
        running.settle(sender)
        eventually(lambda: running.ask(sa.select(events).where(events.c.event_id == "early")) != [])

        assert not any(role.logged("batch_taken_over") for role in roles)
        assert sum(len(role.logged("leadership_taken")) for role in roles) == 1
        [letter] = running.ask(sa.select(dead_letters.c.code, dead_letters.c.attempts, dead_letters.c.state))
        assert (letter.code, len(letter.attempts)) == ("clock_skew", 1)
        ((applied_at,),) = running.ask(sa.select(events.c.processed_at).where(events.c.event_id == "early"))
        assert due <= applied_at < due + APART
        received = running.ask(sa.select(deliveries.c.received_at, deliveries.c.processed_at))
        assert all(row.received_at <= row.processed_at for row in received)
