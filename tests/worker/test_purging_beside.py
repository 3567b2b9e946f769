"""Old bytes go beside everybody else: workers, rebuilds, kills; what every source sends; and only where it is set."""

import multiprocessing
import os
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from handlers.errors import ConfigurationError
from handlers.events import Delivery
from handlers.settings import load as settings_of
from handlers.store import archive_retention, deliveries, schema
from handlers.store.clock import DatabaseClock
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests import folding
from tests.worker.letters import ANNA, ZONE, Yard, order, zoneless
from tests.worker.purges import archived, purge, purging, with_bytes
from tests.worker.rebuilding import archive, assert_given_back, check, cleared, distrust, everything, rebuilt
from worker import processes, rebuild
from worker import purging as module
from worker.checkpointing import fold, sure
from worker.rebuild_attempt import Attempt
from worker.settings import WorkerSettings

DAY = timedelta(days=1)
SAMPLES = Path(__file__).parents[1] / "samples" / "sources"
SOURCES = sorted(each.name for each in SAMPLES.iterdir() if each.is_dir())
WAIT_SECONDS = 60.0
"""For what takes a moment: it fails the test, and measures nothing."""


def test_bytes_that_go_while_a_rebuild_reads_have_it_begin_again_from_the_checkpoint(yard: Yard) -> None:
    for number in range(4):
        yard.send(order(f"e{number}", f"WO-{number}", title=f"{number}"))
    yard.now += DAY
    went: list[int] = []

    def lined_up(total: int) -> Any:
        """Once the deliveries are noted, and before the first is read."""
        del total
        went.append(purge(yard, yard.now))
        return bool

    stood = everything(yard)
    cleared(yard, schema.work_orders)
    done = rebuild.run(yard.database, archive(yard), ANNA, lined_up)
    assert (went[0], sum(went), len(went) > 1) == (4, 4, True)
    assert done.rows == {"missing": 4}
    assert everything(yard) == stood


@pytest.mark.parametrize("meanwhile", ["distrusted", "purged"])
def test_what_was_distrusted_since_it_was_read_stays_and_what_another_leader_let_go_is_not_counted_again(
    yard: Yard, meanwhile: str
) -> None:
    sent = yard.send(order("e1"))
    yard.now += DAY
    readers = purging(yard, "1min")._readers
    with yard.database.read() as connection:
        looked = archive_retention.look(Transaction(connection), None, yard.now, 10)
    read = readers.read(looked.old, yard.now)

    def going() -> list[str]:
        with yard.database.write() as connection:
            return [each.old.delivery_id for each in sure(Transaction(connection), read)]

    assert going() == [sent]
    if meanwhile == "distrusted":
        distrust(yard, yard.now - 2 * DAY)
    else:
        purge(yard, yard.now)
    assert going() == []


def test_bytes_that_go_once_they_were_folded_do_not_have_it_begin_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    yard.send(order("e1"))
    yard.now += DAY
    catch_up, went = Attempt._catch_up, []

    def caught_up(attempt: Attempt) -> int:
        went.append(purge(yard, yard.now))
        return catch_up(attempt)

    monkeypatch.setattr(Attempt, "_catch_up", caught_up)
    assert rebuilt(yard).rows == {}
    assert went == [1]


def _dies(url: str, folder: str, now: datetime) -> None:
    """Folds into the checkpoint, lets the bytes go, and ends before that is committed."""
    yard = Yard(Database(url), Path(folder))
    yard.now = now
    with mock.patch.object(module, "append", side_effect=lambda *_: os._exit(9)):
        purge(yard, now)


def test_killed_after_both_steps_and_before_the_commit_it_has_done_neither(yard: Yard) -> None:
    name = yard.send(order("e1", title="seal"))
    yard.now += DAY
    url = yard.database.engine.url.set(drivername=yard.database.dialect).render_as_string(hide_password=False)
    process = multiprocessing.get_context("spawn").Process(target=_dies, args=(url, str(yard._path.parent), yard.now))
    process.start()
    process.join(WAIT_SECONDS)
    assert process.exitcode == 9

    assert (with_bytes(yard), archived(yard)) == ({name}, {name})
    assert all(yard.rows(each) == [] for each in (*schema.CHECKPOINTED.values(), schema.checkpoints))
    assert purge(yard, yard.now) == 1
    assert_given_back(yard)


def test_a_delivery_that_stops_its_transaction_stays_and_the_others_go(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [yard.send(order(f"e{number}", f"WO-{number}")) for number in range(3)]
    yard.now += DAY

    def trips(kept: Any, arrivals: Any, now: datetime) -> None:
        assert all(each.delivery_id != names[1] for each in arrivals)
        fold(kept, arrivals, now)

    monkeypatch.setattr(module, "fold", trips)
    assert purge(yard, yard.now) == 2
    assert archived(yard) == {names[1]}
    monkeypatch.undo()
    assert purge(yard, yard.now) == 1


def test_a_round_ends_in_its_time_and_the_next_goes_on_and_what_stayed_is_looked_at_again_a_day_later(
    local: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE", 2)
    stays = local.send(zoneless("late"))
    for number in range(5):
        local.send(order(f"e{number}", f"WO-{number}"))
    local.now += 31 * DAY
    hours = iter(range(0, 100_000, 3_600))
    hurried = purging(local, "30d")
    hurried._monotonic = lambda: float(next(hours))

    assert [hurried.work() for _ in range(4)] == [2, 2, 1, 0]
    local.connect("plant", ZONE)
    local.replay()
    assert hurried.work() == 0
    local.now += DAY
    assert [hurried.work() for _ in range(2)] == [0, 1]
    assert stays not in archived(local)


def test_a_worker_that_repeats_bytes_and_a_purge_of_them_wait_for_one_another(
    migrated_url: str, tmp_path: Path
) -> None:
    """On PostgreSQL; SQLite has one writer. Else the repeat would have left its bytes to one that has none."""
    database = Database(migrated_url)
    yard = Yard(database, tmp_path)
    name = yard.send(order("e1"))
    yard.now += DAY
    repeat = Delivery("repeat", "plant", yard.now, orjson.dumps(order("e1")), {})
    worker = threading.Thread(target=yard.process, args=(repeat,))
    with database.write() as connection:
        tx = Transaction(connection)
        looked = archive_retention.look(tx, None, yard.now, 10)
        assert archive_retention.hold(tx, [name]) == {name}
        archive_retention.purge(tx, looked.old, yard.now)
        worker.start()
        _until_one_waits(database)
    worker.join(WAIT_SECONDS)
    assert with_bytes(yard) == {"repeat"}

    with database.write() as connection:
        deliveries.archive(Transaction(connection), [replace(repeat, delivery_id="third")], yard.now)
        with database.write() as other:
            assert archive_retention.hold(Transaction(other), ["repeat"]) == set()
    database.close()


def _until_one_waits(database: Database) -> None:
    waits = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with database.read() as connection:
            if connection.execute(waits).scalar_one():
                return
        time.sleep(0.01)
    pytest.fail("nobody waits")


class Shelf(Yard):
    """An installation with a connection of every source, called after it."""

    def _write(self, name: str, *options: str) -> None:
        del name, options
        lines = (f'[connections.{each}]\nsource = "{each}"\nsecrets = [{{ ref = "env:P" }}]\n' for each in SOURCES)
        self._path.write_text("".join(lines))


def test_what_every_source_sends_is_kept_as_it_was_folded(tmp_path: Path) -> None:
    """Half of its samples are purged before the others come, which tell of the same records; then the rest."""
    database = folding.sqlite(tmp_path)
    yard = Shelf(database, tmp_path)
    yard.now += 400 * DAY  # no sample is of a later time
    samples = {each: sorted((SAMPLES / each).glob("*.json")) for each in SOURCES}
    for half in (0, 1):
        batch = [
            Delivery(f"{source}-{path.stem}", source, yard.now, path.read_bytes())
            for source, paths in samples.items()
            for number, path in enumerate(paths)
            if number % 2 == half and path.stem != "expected"
        ]
        yard.process(*batch)
        yard.now += timedelta(hours=1)
        while purge(yard, yard.now):
            pass
        assert archived(yard) == {letter.delivery_id for letter in yard.letters(state="open")}
        if half == 0:
            continue
        stood = everything(yard)
        assert [each for source in SOURCES for each in check(yard, connection_id=source).findings] == []
        cleared(yard, *folding.STATE, schema.events)
        for source in SOURCES:
            rebuilt(yard, connection_id=source)
        assert everything(yard) == stood
    database.close()


@pytest.mark.parametrize("value", ["90", "soon", "59min", "0d", "-1d", "999999d"])
def test_a_retention_that_cannot_be_meant_is_a_usage_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINTENWORKS_ARCHIVE_RETENTION", value)
    with pytest.raises(ConfigurationError, match="MAINTENWORKS_ARCHIVE_RETENTION"):
        settings_of(WorkerSettings)


def test_the_leader_purges_where_the_setting_says_so_and_nowhere_else(
    local: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ticks() -> list[str]:
        given = (settings_of(WorkerSettings), local.database, local._registry, DatabaseClock(local.database))
        return [each.name for each in processes._retentions(*given)]

    monkeypatch.delenv("MAINTENWORKS_ARCHIVE_RETENTION", raising=False)
    assert ticks() == []
    monkeypatch.setenv("MAINTENWORKS_ARCHIVE_RETENTION", "400d")
    assert ticks() == ["purged_archive"]
