"""A connection that is resumed: what it sent meanwhile is applied at once."""

from datetime import timedelta
from pathlib import Path

import orjson
import pytest

from handlers.events import Delivery
from handlers.store import retries, schema
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests.worker.letters import Yard, order
from tests.worker.test_endpoints import of, peopled
from worker import resumed
from worker.resumed import BEATS, resumed_rows
from worker.scheduler import Tick
from worker.units import PAUSE

PAUSED = "paused = true"


class _Sleepers:
    """What the scheduler knows of paused connections, and its tick."""

    def __init__(self, yard: Yard) -> None:
        self.paused: set[str] = set()
        self._tick: Tick = resumed_rows(yard.database, lambda: self.paused, lambda: yard.now)

    def beat(self, *paused: str) -> int:
        self.paused = set(paused)
        return self._tick.work()


def test_what_waits_for_a_paused_connection_is_due_at_once_when_it_is_resumed(yard: Yard) -> None:
    scheduler = _Sleepers(yard)
    yard.connect("plant", PAUSED)
    yard.send(order("e1"))
    yard.send(order("other", "WO-2"), to="plant")
    assert scheduler.beat("plant") == 0
    yard.work()
    assert yard.outcomes() == {}

    yard.connect("plant")
    assert scheduler.beat() == 2
    yard.work()

    assert set(yard.outcomes()) == {"e1", "other"}
    assert yard.rows(schema.retries) == []


def test_a_worker_that_has_not_seen_the_resumption_yet_looks_again(yard: Yard) -> None:
    scheduler = _Sleepers(yard)
    yard.connect("plant", PAUSED)
    yard.send(order("e1"))
    scheduler.beat("plant")
    yard.resume_unseen("plant")
    scheduler.beat()

    yard.work()

    assert set(yard.outcomes()) == {"e1"}


def test_a_pause_between_two_beats_is_known_by_what_was_kept(yard: Yard) -> None:
    """However short it was: else what came then would wait for half a minute."""
    scheduler = _Sleepers(yard)
    assert scheduler.beat() == 0
    yard.connect("plant", PAUSED)
    yard.send(order("e1"))
    yard.connect("plant")

    assert scheduler.beat() == 1
    yard.work()

    assert set(yard.outcomes()) == {"e1"}


def test_what_failed_waits_for_its_time_though_it_is_due_as_what_is_kept(yard: Yard) -> None:
    due = [
        retries.Row("failed", 0, "plant", 1, yard.now + PAUSE, []),
        retries.Row("at work", 0, "else", 0, yard.now, []),
    ]
    with yard.database.write() as connection:
        retries.schedule(Transaction(connection), due)

    assert _Sleepers(yard).beat() == 0

    assert {row["delivery_id"]: row["due_at"] for row in yard.rows(schema.retries)} == {
        "failed": yard.now + PAUSE,
        "at work": yard.now,
    }


def test_what_such_a_worker_puts_off_meanwhile_is_brought_forward_too(yard: Yard) -> None:
    scheduler = _Sleepers(yard)
    yard.connect("plant", PAUSED)
    scheduler.beat("plant")
    yard.resume_unseen("plant")
    assert scheduler.beat() == 0
    yard.send(order("late"))
    assert yard.outcomes() == {}

    assert [scheduler.beat() for _ in range(BEATS)] == [1, 0, 0, 0]
    yard.send(order("later"))
    assert scheduler.beat() == 1


def test_a_flood_is_brought_forward_as_fast_as_it_is_rung_for(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumed, "MOST", 2)
    scheduler = _Sleepers(yard)
    yard.connect("plant", PAUSED)
    for number in range(5):
        yard.send(order(f"e{number}"))
    scheduler.beat("plant")
    assert [scheduler.beat() for _ in range(4)] == [2, 2, 1, 0]


def test_neither_another_connections_rows_nor_those_of_later_nor_those_at_work_are_touched(yard: Yard) -> None:
    """A row that failed and waits for longer goes on waiting; a lease is nobody else's to end."""
    now = yard.now
    rows = [
        retries.Row("later", 0, "plant", 3, now + PAUSE + timedelta(seconds=1), []),
        retries.Row("other", 0, "second", 1, now + PAUSE, []),
        retries.Row("soon", 0, "plant", 0, now + PAUSE, []),
    ]
    with yard.database.write() as connection:
        tx = Transaction(connection)
        retries.schedule(tx, [*rows, retries.Row("working", 0, "plant", 0, now + PAUSE, [])])
        lease = {"delivery_id": "working", "event_index": 0, "leased_until": now + PAUSE}
        tx.update(schema.retries, [lease], ("delivery_id", "event_index"))
    scheduler = _Sleepers(yard)
    scheduler.beat("plant")

    assert scheduler.beat() == 1

    due = {row["delivery_id"]: row["due_at"] for row in yard.rows(schema.retries)}
    assert due == {**{row.delivery_id: row.due_at for row in rows}, "soon": now, "working": now + PAUSE}


def test_one_that_is_paused_again_at_once_stays_as_it_is(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumed, "MOST", 1)
    scheduler = _Sleepers(yard)
    yard.connect("plant", PAUSED)
    yard.send(order("e1"), order("e2"))
    yard.send(order("e3"))
    scheduler.beat("plant")
    assert scheduler.beat() == 1
    assert scheduler.beat("plant") == 0
    assert scheduler.beat("plant") == 0


def test_what_waits_for_a_member_of_a_shared_address_is_found_under_its_own_name(
    database: Database, tmp_path: Path
) -> None:
    """Whether its part of a body waits, the whole of one, or one that had to be tried alone."""
    hub = peopled(database, tmp_path)
    scheduler = _Sleepers(hub)
    hub.join("south", PAUSED)
    scheduler.beat("south")
    hub.send(of("NORTH", order("e1")), of("SOUTH", order("e2")), to="hub")
    hub.send(of("SOUTH", order("e3", "WO-3")), to="hub")
    suspect = Delivery("suspect", "hub", hub.now, orjson.dumps([of("SOUTH", order("e4", "WO-4"))]))
    hub.suspected(suspect)
    hub.work()
    assert set(hub.outcomes()) == {"e1"}

    hub.join("south")
    assert scheduler.beat() == 3
    hub.work()

    assert set(hub.outcomes()) == {"e1", "e2", "e3", "e4"}
    assert hub.rows(schema.retries) == []
