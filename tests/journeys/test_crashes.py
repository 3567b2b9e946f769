"""Processes killed in the middle of their work: what was answered 200 is applied, once, and soon."""

import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
import sqlalchemy as sa

from handlers.store.schema import asset_history, deliveries, events
from tests.journeys.busy import Busy
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import Role
from tests.journeys.sender import Sender
from tests.sizes import size
from tests.worker.cli.plant import event
from worker.address import embedded_socket, socket_url
from worker.streams_server import GROUP, LIVE, connect, stream

POSTS = 5_000
ASSETS = 40
TAKEN_UP = timedelta(seconds=20)
"""How soon after a kill its work is another's, as promised; the start of that other is not counted."""
ORDER = ("worker", "receiver", "broker")


def _outages(posts: int) -> list[dict[str, Any]]:
    """So many posts, a fifth of them repeats: orders with one outage of half an hour each, four events an order."""
    told: list[dict[str, Any]] = []
    for number in range(posts // 5):
        start = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        first, last = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (start, start + timedelta(minutes=30)))
        order, outage, asset = f"WO-{number}", f"D-{number}", f"PUMP-{number % ASSETS}"
        told += [
            event("work_order.created", order, first, f"{order}-1", asset_key=asset, status="approved"),
            event("downtime.started", outage, first, f"{order}-2", asset_key=asset, work_order_key=order),
            event("downtime.ended", outage, last, f"{order}-3", asset_key=asset),
            event("work_order.completed", order, last, f"{order}-4", asset_key=asset),
        ]
    dice = random.Random(5)
    told += dice.sample(told, posts - len(told))
    dice.shuffle(told)
    return told


class _Killer:
    """Kills one child of `up` after the other, as posts are answered; the worker once it has something in its hands.

    Attributes:
        killed: name and time of each.
        busy: since the worker's end.
    """

    def __init__(self, running: Installation, up: Role, names: Sequence[str], posts: int) -> None:
        self.killed: list[tuple[str, datetime]] = []
        self.busy = Busy()
        self._home = running.home
        self._up = up
        self._due = [(posts * (place + 1) // (len(names) + 1), name) for place, name in enumerate(names)]

    def __call__(self, accepted: int) -> None:
        if not self._due or accepted < self._due[0][0]:
            return
        name = self._due[0][1]
        part = self._up.parts().get(name)
        # Else it is just being started again, or has nothing to lose, and its turn comes with the next answer.
        if part is not None and (name != "worker" or self._holds(part)):
            self.busy = Busy() if name == "worker" else self.busy
            part.kill()
            self.killed.append((name, datetime.now(UTC)))
            del self._due[0]

    def _holds(self, worker: psutil.Process) -> bool:
        """Whether a worker has entries that are not done; if so it is left stopped, so that it cannot end them."""
        worker.suspend()
        with connect(socket_url(embedded_socket(self._home))) as client:
            found: Any = client.xpending(stream(LIVE), GROUP)
        held = any(f"-{worker.pid}-".encode() in each["name"] for each in found["consumers"])
        if not held:
            worker.resume()
        return held


def _assert_everything_once(running: Installation, sender: Sender, told: Sequence[dict[str, Any]]) -> None:
    """The tables hold what was sent, each fact once, and the figures are those of the outages."""
    distinct = {each["id"]: each for each in told}
    subjects = Counter(each["data"]["key"] for each in distinct.values())
    assets = Counter(each["data"]["asset_key"] for each in distinct.values())
    outages = Counter(each["data"]["asset_key"] for each in distinct.values() if each["type"] == "downtime.started")

    assert sender.accepted.keys() <= {row.delivery_id for row in running.ask(sa.select(deliveries.c.delivery_id))}
    assert _counts(running, events.c.subject_key) == subjects
    assert _counts(running, asset_history.c.asset_key) == assets
    rows = running.run("uptime", "--from", "2025-01-01", "--to", "2026-01-01", "--json").rows
    assert {row["asset_key"]: row["failures_reported"] for row in rows} == outages
    assert {row["asset_key"]: row["downtime_s"] for row in rows} == {key: 1800 * n for key, n in outages.items()}
    # A commit whose process was killed before it counted is missing here; one applied twice would be too many.
    applied = running.metric("maintenworks_events_processed_total", outcome="applied")
    stale = running.metric("maintenworks_events_processed_total", outcome="stale")
    assert applied + stale <= len(distinct)


def _counts(running: Installation, column: "sa.Column[str]") -> dict[str, int]:
    """How many rows have each value of a column."""
    found = running.ask(sa.select(column, sa.func.count()).group_by(column))
    return {row[0]: row[1] for row in found}


def _killed_by_turns(running: Installation, posts: int) -> None:
    told = _outages(posts)
    sender = running.connect("plant")
    with running.up() as up:
        killer = _Killer(running, up, ORDER, posts)
        sender.deliver(told, on_accepted=killer)
        running.settle(sender)

        assert [name for name, _ in killer.killed] == list(ORDER)
        assert len(sender.accepted) == posts
        _assert_taken_up(up, killer)
        _assert_everything_once(running, sender, told)


def _assert_taken_up(up: Role, killer: _Killer) -> None:
    """What the killed worker held was freed at its end, and the next one had it as soon as it could work."""
    ended, freed, started = up.logged("role_ended"), up.logged("work_freed"), up.logged("role_started")
    assert ended[0]["name"] == "worker"
    assert freed[0]["entries"] > 0
    successor = [line for line in started if line["name"] == "worker"][1]
    start = _time(up.logged("worker_ready")[1]) - _time(successor)
    took = _time(up.logged("batch_taken_over")[0]) - killer.killed[0][1] - start
    sys.stdout.write(f"taken up {took.total_seconds():.1f} s after the kill, the start of {start} not counted\n")
    assert took <= TAKEN_UP + killer.busy.so_far


def _time(line: dict[str, Any]) -> datetime:
    """When it was logged."""
    return datetime.fromisoformat(line["timestamp"])


def test_worker_receiver_and_broker_killed_by_turns_lose_nothing_and_do_nothing_twice() -> None:
    with installation() as running:
        _killed_by_turns(running, POSTS)


@pytest.mark.long
def test_killed_by_turns_on_postgresql_they_lose_nothing_either(postgres_url: str) -> None:
    with installation(MAINTENWORKS_DATABASE_URL=postgres_url) as running:
        _killed_by_turns(running, size(POSTS, 4 * POSTS))


def test_everything_killed_at_once_and_started_again_has_lost_nothing_that_was_answered_200() -> None:
    """What comes up on the same home does what was accepted before, and the sender's retry brings the rest."""
    told = _outages(POSTS)
    with installation() as running:
        sender = running.connect("plant")
        with running.up() as up:
            sender.deliver(told, insists=False, on_accepted=lambda accepted: _kill_in_the_middle(up, accepted))
        taken = dict(sender.accepted)
        assert POSTS // 2 <= len(taken) < POSTS

        with running.up() as again:
            running.settle(sender)
            assert again.logged("batch_taken_over")
            accepted = {json.loads(body)["id"] for body in taken.values()}
            assert accepted <= {row.event_id for row in running.ask(sa.select(events.c.event_id))}

            sender.deliver(told)
            running.settle(sender)
            _assert_everything_once(running, sender, told)


def _kill_in_the_middle(up: Role, accepted: int) -> None:
    if accepted == POSTS // 2:
        up.kill_all()
