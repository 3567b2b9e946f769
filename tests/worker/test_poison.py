"""What ends its workers is found, tried alone, and buried after the third; nothing beside it is lost.

A worker's end is played by an exception that no handler catches, after which nobody touches the row: as after kill -9.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from handlers import effects
from handlers.events import WHOLE_BODY, Delivery
from handlers.rules.facts import Fact
from handlers.store import retries, schema
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests.worker.test_dispatch import Works, delivery, order
from worker.dispatch import SUSPECT_LEASE
from worker.due import DueRows
from worker.retries import MAX_DEATHS, NOW
from worker.runs import RunLock
from worker.scheduler import RING_LEASE
from worker.streams_leases import Envelope
from worker.units import PutOff, Unit

PATIENCE_SECONDS = 60


class Killed(BaseException):
    """The worker ends here."""


@pytest.fixture
def works(database: Database, tmp_path: Path) -> Works:
    return Works(database, tmp_path)


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes work on one order end the worker."""

    def poison(key: str) -> None:
        whole = effects.load()
        sound = next(effect for effect in whole if effect.name == "work_orders")

        def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
            if any(fact.event.key == key for fact in facts):
                raise Killed
            sound.apply(tx, facts)

        patched = tuple(sound._replace(apply=apply) if effect is sound else effect for effect in whole)
        monkeypatch.setattr(effects, "load", lambda: patched)

    return poison


def taken_over_twice(works: Works, batch: Sequence[Delivery]) -> None:
    works.dispatcher.process(batch, Envelope("live", "1-0", batch, times_delivered=3))


def ring_until_quiet(works: Works) -> int:
    """Scheduler and workers by turns, until nothing is due any more; returns how many workers ended."""
    rung: list[Sequence[tuple[str, int]]] = []
    due = DueRows(works.database, rung.append, works.clock)
    ended = 0
    for _ in range(20):
        works.clock.now += RING_LEASE + SUSPECT_LEASE
        due.ring(due.lease(100, RING_LEASE))
        if not rung:
            return ended
        for ids in rung:
            try:
                works.dispatcher.process_rows(ids)
            except Killed:
                ended += 1
        rung.clear()
    raise AssertionError("it never ends")


def rung_for(works: Works, *batch: Delivery) -> Sequence[retries.RowId]:
    """Deliveries that were put off, and are due: their rows, for which the scheduler rings."""
    works.dispatcher.apply([Unit(each, PutOff(WHOLE_BODY, wait=NOW)) for each in batch])
    return works.due()


def test_a_batch_that_was_taken_over_once_is_run_again_whole(works: Works) -> None:
    batch = [delivery("d1", order("e1"))]
    works.dispatcher.process(batch, Envelope("live", "1-0", batch, times_delivered=2))
    assert works.outcomes() == {"e1": "applied"}


def test_of_a_batch_that_ended_two_workers_the_sound_are_applied_and_the_killer_is_buried(
    works: Works, killer: Callable[[str], None]
) -> None:
    killer("WO-3")
    taken_over_twice(works, [delivery(f"d{n}", order(f"e{n}", f"WO-{n}")) for n in range(6)])
    assert works.outcomes() == {}
    assert all(row["alone"] for row in works.rows(schema.retries))

    assert ring_until_quiet(works) == MAX_DEATHS

    assert set(works.outcomes()) == {f"e{n}" for n in range(6)} - {"e3"}
    [letter] = works.rows(schema.dead_letters)
    assert (letter["delivery_id"], letter["code"]) == ("d3", "poison")
    assert works.rows(schema.retries) == []


def test_rows_that_a_killed_worker_was_rung_for_are_worked_on_when_their_ring_is_taken_over(works: Works) -> None:
    """Not when the minute has passed after which a ring counts as lost; of a suspect its own lease tells."""
    ids = rung_for(works, delivery("d1", order("e1")), delivery("d2", order("e2", "WO-2")))
    with works.database.write() as connection:
        retries.suspect(Transaction(connection), [("d2", WHOLE_BODY)])

    works.dispatcher.process_rows(ids, 2)

    assert works.outcomes() == {"e1": "applied"}


def test_of_rows_whose_ring_ended_two_workers_the_killer_is_found_alone(
    works: Works, killer: Callable[[str], None]
) -> None:
    ids = rung_for(works, *(delivery(f"d{n}", order(f"e{n}", f"WO-{n}")) for n in range(3)))
    killer("WO-1")
    for times_delivered in (1, 2):
        with pytest.raises(Killed):
            works.dispatcher.process_rows(ids, times_delivered)

    works.dispatcher.process_rows(ids, 3)

    assert {(row["alone"], row["leased_until"]) for row in works.rows(schema.retries)} == {(True, None)}
    assert ring_until_quiet(works) == MAX_DEATHS
    assert set(works.outcomes()) == {"e0", "e2"}
    assert [row["code"] for row in works.rows(schema.dead_letters)] == ["poison"]


def test_a_delivery_that_ends_a_worker_is_taken_apart_and_only_the_killer_is_buried(
    works: Works, killer: Callable[[str], None]
) -> None:
    killer("WO-1")
    killed = delivery("d", *(order(f"e{n}", f"WO-{n}") for n in range(4)))
    taken_over_twice(works, [killed])

    # Once as a whole, three times by itself.
    assert ring_until_quiet(works) == 1 + MAX_DEATHS

    assert set(works.outcomes()) == {"e0", "e2", "e3"}
    [letter] = works.rows(schema.dead_letters)
    assert (letter["event_index"], letter["code"]) == (1, "poison")


def test_two_killers_of_one_delivery_are_two_letters(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = effects.load()
    patched = tuple(each._replace(apply=_kills) if each.name == "work_orders" else each for each in whole)
    monkeypatch.setattr(effects, "load", lambda: patched)
    taken_over_twice(works, [delivery("d", order("e1", "WO-1"), order("e2", "WO-2"))])

    ring_until_quiet(works)

    assert [row["event_index"] for row in works.rows(schema.dead_letters)] == [0, 1]


def _kills(tx: Transaction, facts: Sequence[Fact]) -> None:
    del tx, facts
    raise Killed


def test_a_lease_that_ran_out_while_the_database_was_away_is_no_death(works: Works) -> None:
    batch = [delivery("d1", order("e1"))]
    taken_over_twice(works, batch)
    rung: list[Sequence[tuple[str, int]]] = []
    due = DueRows(works.database, rung.append, works.clock)
    due.lease(100, RING_LEASE)
    with works.database.write() as connection:
        tx = Transaction(connection)
        assert retries.begin(tx, ("d1", WHOLE_BODY), now=works.clock.now, lease=SUSPECT_LEASE) is not None
    works.clock.now += SUSPECT_LEASE + timedelta(minutes=5)

    due._steady_since = None  # as after a failed tick
    due.lease(100, RING_LEASE)

    assert [row["deaths"] for row in works.rows(schema.retries)] == [0]


def test_a_suspect_runs_while_nothing_else_does() -> None:
    """Given work under way, when a suspect wants to run, then it waits, and what comes later waits for it."""
    lock = RunLock()
    log: list[str] = []
    ready, go = threading.Event(), threading.Event()

    def shares() -> None:
        with lock.shared():
            ready.set()
            go.wait(PATIENCE_SECONDS)
            log.append("shared")

    def runs_alone() -> None:
        with lock.alone():
            log.append("alone")

    def comes_later() -> None:
        with lock.shared():
            log.append("later")

    first = threading.Thread(target=shares)
    first.start()
    ready.wait(PATIENCE_SECONDS)
    second = threading.Thread(target=runs_alone)
    second.start()
    while not lock._wanting:
        pass
    third = threading.Thread(target=comes_later)
    third.start()
    go.set()
    for thread in (first, second, third):
        thread.join(PATIENCE_SECONDS)

    assert log == ["shared", "alone", "later"]
