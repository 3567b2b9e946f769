"""No one delivery, nor any number of repeats of one, makes the work on others stand still or cost ever more."""

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handlers.events import Delivery
from handlers.store import schema
from handlers.store.deliveries import archive
from handlers.store.engine import Database
from handlers.store.letter import MOST_ATTEMPTS, made
from handlers.store.rowset import Rows, Transaction
from tests.worker import test_dispatch
from tests.worker.test_dispatch import NOW, Works, delivery, order
from worker import dispatch
from worker.units import Unit

SHARED = """
[endpoints.shared]
source = "unified"
id = "/who"
secrets = [{ ref = "env:PLANT" }]
"""


class _Counting(Transaction):
    """A transaction that knows the greatest number of rows that one of its statements gave."""

    most = 0

    def _run(self, statement: sa.Executable, rows: Rows) -> Any:
        result = super()._run(statement, rows)
        if not result.returns_rows:
            return result
        found = result.all()
        self.most = max(self.most, len(found))
        return found


@pytest.fixture
def works(database: Database, tmp_path: Path) -> Works:
    return Works(database, tmp_path)


def test_an_id_that_no_index_takes_is_buried_and_its_batch_goes_on(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL refuses to index more than 2,704 bytes, as it would say that it is away: with an OperationalError."""
    monkeypatch.setattr(test_dispatch, "CONNECTIONS", test_dispatch.CONNECTIONS + SHARED)
    dice = random.Random(1)
    whose = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(2_000))
    works = Works(database, tmp_path)

    works.process([delivery("d1", order("e1")), delivery("d2", {**order("e2"), "who": whose}, connection="shared")])

    assert works.outcomes() == {"e1": "applied"}
    [letter] = works.rows(schema.dead_letters)
    assert (letter["code"], letter["waits_for"]) == ("unknown_connection", None)


def test_what_is_too_long_for_an_index_costs_one_event(works: Works) -> None:
    """Whatever column it is for: of the database's own limits only one event is the cause."""
    if works.database.dialect != "postgresql":
        pytest.skip("SQLite's indexes take any length")
    with works.database.write() as connection:
        connection.exec_driver_sql("CREATE INDEX ON work_orders (connection_id, (fields ->> 'title'))")
    dice = random.Random(1)
    title = "".join(chr(dice.randrange(0x4E00, 0x9FFF)) for _ in range(1_300))

    works.process([delivery("d1", order("e1")), delivery("d2", order("e2", "WO-2", title=title))])

    assert works.outcomes() == {"e1": "applied"}
    assert [(row["delivery_id"], row["code"]) for row in works.rows(schema.dead_letters)] == [
        ("d2", "refused_by_database")
    ]


def test_a_batch_of_many_events_is_committed_in_parts_of_whole_deliveries(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction of 80,000 events, which 8 MiB may hold, comes near what the database lets a session think."""
    monkeypatch.setattr(dispatch, "MAX_UNITS", 4)
    sizes = list[int]()
    transact = works.dispatcher._joint._work

    def measured(units: Sequence[Unit]) -> None:
        sizes.append(len(units))
        transact(units)

    monkeypatch.setattr(works.dispatcher._joint, "_work", measured)

    works.process([delivery(f"d{d}", *(order(f"e{d}-{n}") for n in range(3))) for d in range(4)])

    assert sizes == [3, 3, 3, 3]
    assert len(works.outcomes()) == 12


def test_a_repeat_of_known_bytes_reads_none_of_the_repeats_before_it(works: Works) -> None:
    """Senders exist that post the same ping for years."""
    ping = b'{"ping": true}'
    for n in range(3):
        works.process([Delivery(f"d{n}-{m}", "plant", NOW + timedelta(seconds=n), ping) for m in range(20)])

    with works.database.write() as connection:
        tx = _Counting(connection)
        archive(tx, [Delivery("last", "plant", NOW + timedelta(minutes=1), ping)], NOW)

    assert tx.most == 1


def test_a_letter_keeps_the_first_attempts_and_the_latest_and_says_how_many_stood_between(works: Works) -> None:
    ping = b'{"ping": true}'
    number = 3 * MOST_ATTEMPTS
    for begin in range(0, number, 50):
        works.process([Delivery(f"d{n:04}", "plant", NOW, ping) for n in range(begin, begin + 50)])

    [letter] = works.rows(schema.dead_letters)
    attempts = letter["attempts"]
    assert len(attempts) == MOST_ATTEMPTS
    assert [attempts[0]["delivery"], attempts[-1]["delivery"]] == ["d0000", f"d{number - 1:04}"]
    assert made(attempts) == number
