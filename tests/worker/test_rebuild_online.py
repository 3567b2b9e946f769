"""State computed anew while everybody goes on: nothing is lost, nothing told twice, and nothing left behind."""

import dataclasses
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import orjson
import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from handlers.events import Delivery, Event, MappingOptions, Reading
from handlers.sources import load
from handlers.store import schema
from handlers.store.replace import Replacement
from tests import folding
from tests.worker.letters import ANNA, NOW, ZONE, Yard, order, zoneless
from tests.worker.rebuilding import archive, check, cleared, edited, everything, nobody, rebuilt, recipe
from worker import acts, rebuild, rebuild_bulk, rebuild_hands
from worker.rebuild_attempt import Attempt

WAIT_SECONDS = 30.0
"""For what takes a moment: it fails the test, and measures nothing."""


def _moves(number: int) -> Delivery:
    """Three events: of a few orders, of an asset's status, and of one meter."""
    minute = f"2026-03-01T08:{number % 50:02d}:00Z"
    told = [
        order(f"o-{number}", f"WO-{number % 5}", at=minute, title=f"{number}", asset_key=f"PUMP-{number % 3}"),
        {
            "id": f"s-{number}",
            "type": "asset.status_changed",
            "occurred_at": minute,
            "data": {"key": f"PUMP-{number % 3}", "status": "down" if number % 2 else "up"},
        },
        {
            "id": f"r-{number}",
            "type": "meter_reading.recorded",
            "occurred_at": minute,
            "data": {"key": f"R-{number}", "meter_key": "M-1", "asset_key": "PUMP-1", "value": number, "unit": "h"},
        },
    ]
    return Delivery(f"d{number:04d}", "plant", NOW, orjson.dumps(told), {})


def _of_one_go(count: int, folder: Path) -> dict[str, Any]:
    """What the first deliveries come to."""
    folder.mkdir()
    database = folding.sqlite(folder)
    other = Yard(database, folder)
    other.process(*(_moves(number) for number in range(count)))
    found = everything(other)
    database.close()
    return found


def test_what_comes_while_state_is_computed_is_in_it_once(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker goes on all the while, and some come at each of its steps for certain."""
    yard.process(*(_moves(number) for number in range(20)))
    cleared(yard, *folding.STATE)
    is_over = threading.Event()
    sent = 20
    turn = threading.Lock()

    def send() -> None:
        nonlocal sent
        with turn:
            yard.process(_moves(sent), _moves(sent // 2))
            sent += 1

    def work() -> None:
        while not is_over.is_set():
            send()

    def lined_up(total: int) -> Any:
        assert total
        send()
        return bool

    compare = Replacement.compare

    def compared(replacement: Replacement, session: Any) -> None:
        compare(replacement, session)
        if yard.database.dialect == "postgresql":  # SQLite compares while nobody else writes
            send()
            edited(yard, sa.insert(schema.vendors).values(connection_id="plant", key="V-9"))

    monkeypatch.setattr(Replacement, "compare", compared)
    worker = threading.Thread(target=work)
    worker.start()
    try:
        done = rebuilt(yard, lined_up)
    finally:
        is_over.set()
        worker.join()

    assert done.deliveries >= 22
    assert everything(yard) == _of_one_go(sent, tmp_path / "other")
    assert check(yard).findings == []


def test_what_an_operator_gives_up_meanwhile_is_folded_again_without(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again and again, until the operator is made to wait."""
    yard.send(zoneless("evt-1"), zoneless("evt-2", "WO-2"), zoneless("evt-3", "WO-3"), order("evt-4", "WO-4"))
    yard.connect("plant", ZONE)
    catch_up = Attempt._catch_up
    given_up = []

    def caught_up(attempt: Attempt) -> int:
        letter = yard.letters(state="open")[0]  # it can be read now, and has been folded
        given_up.append(letter.key)
        acts.discard(yard.database, [letter.key], {}, ANNA, yard.now)
        return catch_up(attempt)

    monkeypatch.setattr(Attempt, "_catch_up", caught_up)
    rebuilt(yard)

    assert len(given_up) == rebuild.TRIES - 1
    [left] = {"WO-1", "WO-2", "WO-3"} & {row["key"] for row in yard.rows(schema.work_orders)}
    assert [row["key"] for row in yard.rows(schema.work_orders)] == [left, "WO-4"]
    assert check(yard).findings == []


def test_of_two_subjects_that_claim_one_event_the_first_to_come_has_it(
    local: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A source may read what an event is about from beside its bytes: the same bytes are then no repeat to it."""
    unified = load()["unified"]

    def read(came: Delivery, options: MappingOptions) -> Reading:
        return [
            replace(item, key=came.delivery_id) if isinstance(item, Event) else item
            for item in unified.read(came, options)
        ]

    other = {"unified": dataclasses.replace(unified, map_version=unified.map_version + 1, read=read)}
    for _ in range(20):
        local.send(order("evt-1"))
    monkeypatch.setattr(rebuild_bulk, "SHARD_BYTES", 20)

    rebuilt(local, sources=other)

    assert [row["key"] for row in local.rows(schema.work_orders)] == ["d001"]
    assert [row["subject_key"] for row in local.rows(schema.events)] == ["d001"]
    assert check(local, sources=other).findings == []


def test_several_processes_come_to_the_same(yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.process(*(_moves(number) for number in range(60)))
    before = everything(yard)
    cleared(yard, *folding.STATE, schema.events)
    monkeypatch.setattr(rebuild_hands, "ENOUGH", 1)
    monkeypatch.setattr(rebuild_hands, "MOST", 2)
    monkeypatch.setattr(rebuild_bulk, "SHARD_BYTES", 1_000)

    rebuild.run(yard.database, archive(yard), ANNA, nobody, recipe(yard, tmp_path))

    assert everything(yard) == before
    assert check(yard, how=recipe(yard, tmp_path)).findings == []
    edited(yard, sa.update(schema.work_orders).where(schema.work_orders.c.key == "WO-3").values(title="forged"))
    [found] = check(yard, how=recipe(yard, tmp_path)).findings
    assert (found.kind, found.key, found.fields) == ("work_orders", "WO-3", ("title",))


def test_killed_while_others_fold_it_leaves_the_state_and_no_process(local: Yard, tmp_path: Path) -> None:
    local.process(*(_moves(number) for number in range(20)))
    edited(local, sa.update(schema.work_orders).values(title="forged"))
    before = everything(local)

    ended = subprocess.run(
        [sys.executable, "-P", "-c", KILLED, str(tmp_path)], timeout=60, check=False, stdout=subprocess.PIPE, text=True
    )

    assert ended.returncode == -signal.SIGKILL
    helpers = [int(each) for each in ended.stdout.split()]
    assert helpers
    deadline = time.monotonic() + WAIT_SECONDS
    while any(psutil.pid_exists(each) for each in helpers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(psutil.pid_exists(each) for each in helpers)
    assert everything(local) == before
    rebuilt(local)
    assert everything(local) == _of_one_go(20, tmp_path / "other")


KILLED = """
import multiprocessing, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from handlers.connections import Registry
from handlers.sources import load
from handlers.store.engine import Database
from worker import rebuild, rebuild_hands
from worker.acts import Operator
from worker.rebuild_hands import Recipe
from worker.rereading import Archive
from worker.units import Reader

folder = Path(sys.argv[1])
url = f"sqlite:///{folder}/test.db"
registry = Registry(folder / "connections.toml", folder)
archive = Archive(registry.get("plant"), Reader(registry, load(), max_body_bytes=1 << 20), datetime.now(UTC))
made = (url, folder / "connections.toml", folder, "plant", 1 << 20, archive.now, archive.fingerprint)
stages = []

def lined_up(total):
    stages.append(total)
    if len(stages) == 2:
        print(*(each.pid for each in multiprocessing.active_children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return bool

rebuild_hands.ENOUGH = 1
rebuild.run(Database(url), archive, Operator("anna", "killed"), lined_up, Recipe(*made))
"""
