import dataclasses
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.errors import TransientError
from handlers.store import retries
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests.databases import prepare
from tests.journeys.roles import PATIENCE_SECONDS, eventually
from tests.servers import BrokerServer
from worker.queue import queue_state
from worker.scheduler import BEAT, LEADERSHIP, RING_LEASE, RING_LIMIT, ROUNDS, RowId, Scheduler, Tick, due_rows


@dataclasses.dataclass
class _Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclasses.dataclass
class _Leadership:
    """The store's lock as two schedulers see it."""

    clock: _Clock
    owner: str | None = None
    until: float = 0.0
    away: bool = False

    def hold(self, name: str, owner: str, ttl: timedelta) -> bool:
        assert name == "scheduler"
        if self.away:
            raise TransientError("database_unavailable", "connection refused")
        if self.owner not in (None, owner) and self.clock.now < self.until:
            return False
        self.owner, self.until = owner, self.clock.now + ttl.total_seconds()
        return True

    def release(self, name: str, owner: str) -> None:
        del name
        if self.away:
            raise TransientError("database_unavailable", "connection refused")
        if self.owner == owner:
            self.owner = None


@dataclasses.dataclass
class _Counted:
    every: timedelta = BEAT
    runs: int = 0

    def work(self) -> int:
        self.runs += 1
        return 0

    def tick(self) -> Tick:
        return Tick("counted", self.every, self.work)


def _scheduler(clock: _Clock, leadership: _Leadership, *ticks: Tick, owner: str = "a") -> Scheduler:
    return Scheduler(ticks, leadership.hold, leadership.release, owner, clock)


def _beats(clock: _Clock, scheduler: Scheduler, count: int) -> None:
    for _ in range(count):
        clock.now += scheduler.beat()


def test_each_beat_runs_the_tick_once() -> None:
    clock, counted = _Clock(), _Counted()
    _beats(clock, _scheduler(clock, _Leadership(clock), counted.tick()), 5)
    assert counted.runs == 5
    assert clock.now == 1005.0


def test_a_beat_that_came_late_does_not_make_the_next_one_skip() -> None:
    clock, counted = _Clock(), _Counted()
    scheduler = _scheduler(clock, _Leadership(clock), counted.tick())
    for late in (0.2, 0.0, 0.3, 0.0):
        clock.now += late
        scheduler.beat()
        clock.now += 1.0 - late
    assert counted.runs == 4


def test_a_slower_tick_runs_at_its_own_pace() -> None:
    clock, counted = _Clock(), _Counted(every=timedelta(seconds=3))
    _beats(clock, _scheduler(clock, _Leadership(clock), counted.tick()), 9)
    assert counted.runs == 3


def test_what_was_missed_for_an_hour_is_run_once() -> None:
    clock, counted = _Clock(), _Counted()
    scheduler = _scheduler(clock, _Leadership(clock), counted.tick())
    scheduler.beat()
    clock.now += 3600
    scheduler.beat()
    scheduler.beat()
    assert counted.runs == 2


def test_only_the_leader_works_and_another_takes_over_when_it_falls_silent() -> None:
    clock, first, second = _Clock(), _Counted(), _Counted()
    leadership = _Leadership(clock)
    leading = _scheduler(clock, leadership, first.tick(), owner="a")
    waiting = _scheduler(clock, leadership, second.tick(), owner="b")
    leading.beat()
    waiting.beat()
    assert (first.runs, second.runs) == (1, 0)
    clock.now += LEADERSHIP.total_seconds()
    waiting.beat()
    leading.beat()
    assert (first.runs, second.runs) == (1, 1)


def test_the_databases_absence_is_waited_for_with_growing_pauses_and_survived() -> None:
    clock, counted = _Clock(), _Counted()
    leadership = _Leadership(clock, away=True)
    scheduler = _scheduler(clock, leadership, counted.tick())
    assert [scheduler.beat() for _ in range(5)] == [2.0, 4.0, 5.0, 5.0, 5.0]
    leadership.away = False
    assert scheduler.beat() == 1.0
    assert counted.runs == 1


def test_a_tick_that_fails_does_not_stop_the_others_nor_itself() -> None:
    clock, counted = _Clock(), _Counted()

    def fail() -> int:
        raise TransientError("broker_unavailable", "connection refused")

    scheduler = _scheduler(clock, _Leadership(clock), Tick("failing", BEAT, fail), counted.tick())
    _beats(clock, scheduler, 3)
    assert counted.runs == 3


def test_a_tick_with_a_bug_does_not_stop_the_others_and_is_counted() -> None:
    """Else the process would end, lead no more for ten seconds, and do the same again: what comes after it, never."""
    clock, counted, heard = _Clock(), _Counted(), list[tuple[str, str | None]]()
    leadership = _Leadership(clock)

    def fail() -> int:
        raise KeyError("a customer's value")

    ticks = [Tick("broken", BEAT, fail), counted.tick()]
    scheduler = Scheduler(
        ticks, leadership.hold, leadership.release, "a", clock, hear=lambda name, code: heard.append((name, code))
    )
    _beats(clock, scheduler, 3)
    assert counted.runs == 3
    assert heard[0] == ("broken", "unclassified")


def test_whoever_listens_hears_how_each_run_ended() -> None:
    clock, heard = _Clock(), list[tuple[str, str | None]]()
    leadership = _Leadership(clock)

    def fail() -> int:
        raise TransientError("broker_unavailable", "connection refused")

    ticks = [Tick("failing", BEAT, fail), _Counted().tick()]
    scheduler = Scheduler(
        ticks, leadership.hold, leadership.release, "a", clock, hear=lambda name, code: heard.append((name, code))
    )
    scheduler.beat()
    assert heard == [("failing", "broker_unavailable"), ("counted", None)]


@pytest.mark.parametrize("away", [False, True])
def test_a_stopped_scheduler_gives_the_leadership_up_if_it_can(*, away: bool) -> None:
    clock = _Clock()
    leadership = _Leadership(clock)
    stop = threading.Event()

    def last() -> int:
        stop.set()
        leadership.away = away
        return 1

    scheduler = _scheduler(clock, leadership, Tick("last", BEAT, last))
    scheduler.run(stop)
    assert leadership.owner == ("a" if away else None)


@dataclasses.dataclass
class _Table:
    due: int
    rung: list[Sequence[RowId]] = dataclasses.field(default_factory=list)

    def lease(self, limit: int, duration: timedelta) -> list[RowId]:
        assert duration == RING_LEASE
        taken = min(limit, self.due)
        self.due -= taken
        return [("d-1", index) for index in range(taken)]


def test_due_rows_are_leased_and_rung_until_there_are_no_more() -> None:
    table = _Table(RING_LIMIT + 1)
    assert due_rows(table.lease, table.rung.append).work() == RING_LIMIT + 1
    assert [len(rows) for rows in table.rung] == [RING_LIMIT, 1]


def test_nothing_due_rings_nothing() -> None:
    table = _Table(0)
    assert due_rows(table.lease, table.rung.append).work() == 0
    assert table.rung == []


def test_a_flood_of_due_rows_waits_in_the_table() -> None:
    table = _Table(10**6)
    due_rows(table.lease, table.rung.append).work()
    assert len(table.rung) == ROUNDS


def test_a_leader_renews_well_before_it_would_be_taken_for_dead_and_not_at_every_beat() -> None:
    clock = _Clock()
    leadership = _Leadership(clock)
    scheduler = _scheduler(clock, leadership)
    written = []
    for _ in range(20):
        clock.now += scheduler.beat()
        written.append(leadership.until)
        assert leadership.until > clock.now + LEADERSHIP.total_seconds() / 2
    assert len(set(written)) == 5


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_two_real_schedulers_one_rings_for_a_due_row_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, valkey: BrokerServer
) -> None:
    url = f"sqlite:///{tmp_path / 'plant.db'}" if kind == "sqlite" else request.getfixturevalue("migrated_url")
    prepare(url)
    database = Database(url)
    now = datetime.now(UTC)
    row = retries.Row("d-1", 0, "acme", 1, now, [])
    later = retries.Row("d-2", 0, "acme", 1, now + timedelta(hours=1), [])
    with database.write() as connection:
        retries.schedule(Transaction(connection), [row, later])
    environment = {
        **os.environ,
        "MAINTENWORKS_HOME": str(tmp_path),
        "MAINTENWORKS_BROKER_URL": valkey.url,
        "MAINTENWORKS_DATABASE_URL": url,
    }
    command = [sys.executable, "-P", "-m", "worker", "scheduler"]
    logs = [(tmp_path / name).open("w+") for name in "ab"]
    schedulers = [subprocess.Popen(command, env=environment, stderr=log) for log in logs]
    try:
        eventually(lambda: all("scheduler_ready" in Path(log.name).read_text() for log in logs))
        eventually(lambda: _rung(valkey.url) > 0)
        time.sleep(2 * BEAT.total_seconds())  # two more beats ring nothing: the row is leased, the other is not due
        assert _rung(valkey.url) == 1
        for scheduler in schedulers:
            scheduler.terminate()
        assert [scheduler.wait(PATIENCE_SECONDS) for scheduler in schedulers] == [0, 0]
    finally:
        for scheduler, log in zip(schedulers, logs, strict=True):
            scheduler.kill()
            scheduler.wait()
            log.close()
        database.close()


def _rung(url: str) -> int:
    return next(lane.ready for lane in queue_state(url) if lane.lane == "again")
