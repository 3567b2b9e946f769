"""Whoever changes, removes, adds or moves a row of the audit log is found out."""

import json
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from handlers.errors import ConfigurationError
from handlers.events import Json
from handlers.store import audit as log
from handlers.store import schema
from handlers.store.audit import GENESIS, Act, Entry, Head, append, sealed
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests import folding
from worker import audit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _act(database: Database, number: int, reason: str = "why not") -> Entry:
    plan: dict[str, Json] = {
        "letters": [f"d{number}/0"],
        "count": number,
        "é": None,
        "nested": {"b": True, "a": "\x7f"},
    }
    act = Act(who="anna", act="dead_letters.discard", reason=reason, plan=plan, outcome={"discarded": number})
    with database.write() as connection:
        return append(Transaction(connection), act, NOON + timedelta(seconds=number, microseconds=7))


def _filled(database: Database, count: int = 5) -> list[Entry]:
    return [_act(database, number) for number in range(1, count + 1)]


def _checked(database: Database, *heads: Head) -> list[tuple[int, str]]:
    verdict = audit.verify(log.entries(database), log.head(database), *heads)
    return [(finding.sequence, finding.problem) for finding in verdict.findings]


def _sql(database: Database, statement: sa.Executable) -> None:
    with database.write() as connection:
        connection.execute(statement)


def test_a_log_that_nobody_touched_is_whole_and_reads_as_it_was_written(database: Database) -> None:
    written = _filled(database)

    verdict = audit.verify(log.entries(database), log.head(database))

    assert list(log.entries(database)) == written
    assert (verdict.entries, verdict.findings) == (5, [])
    assert verdict.head == log.head(database) == Head(5, written[-1].hash)
    assert [entry.sequence for entry in written] == [1, 2, 3, 4, 5]
    assert written[0].previous_hash == GENESIS


def test_an_empty_log_is_whole(database: Database) -> None:
    assert audit.verify(log.entries(database), log.head(database)) == (0, Head(0, GENESIS), [])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", NOON),
        ("who", "bert"),
        ("act", "dead_letters.edit"),
        ("reason", ""),
        ("plan", {"letters": []}),
        ("outcome", {"discarded": 4}),
        ("previous_hash", "f" * 64),
        ("hash", "f" * 64),
    ],
)
def test_a_changed_field_is_found(database: Database, column: str, value: Any) -> None:
    _filled(database)
    _sql(database, sa.update(schema.audit_log).values({column: value}).where(schema.audit_log.c.sequence == 3))

    assert 3 in {sequence for sequence, _ in _checked(database)}


def test_a_changed_row_that_was_sealed_anew_is_found_by_the_row_behind_it(database: Database) -> None:
    entry = msgspec.structs.replace(_filled(database)[2], reason="another")
    changed = {"reason": "another", "hash": sealed(entry)}
    _sql(database, sa.update(schema.audit_log).values(changed).where(schema.audit_log.c.sequence == 3))

    assert _checked(database) == [(4, "does not name the hash of the row before it")]


@pytest.mark.parametrize("gone", [1, 3])
def test_a_removed_row_is_found(database: Database, gone: int) -> None:
    _filled(database)
    _sql(database, sa.delete(schema.audit_log).where(schema.audit_log.c.sequence == gone))

    assert (gone + 1, f"follows {gone - 1}: 1 between them are gone") in _checked(database)


def test_a_removed_row_whose_number_was_given_to_the_next_is_found(database: Database) -> None:
    _filled(database)
    _sql(database, sa.delete(schema.audit_log).where(schema.audit_log.c.sequence == 3))
    for number in (4, 5):
        moved = {"sequence": number - 1}
        _sql(database, sa.update(schema.audit_log).values(moved).where(schema.audit_log.c.sequence == number))

    assert {sequence for sequence, _ in _checked(database)} >= {3, 4, 5}


def test_two_rows_that_changed_places_are_found(database: Database) -> None:
    _filled(database)
    for old, new in ((2, 99), (3, 2), (99, 3)):
        _sql(database, sa.update(schema.audit_log).values(sequence=new).where(schema.audit_log.c.sequence == old))

    assert {sequence for sequence, _ in _checked(database)} >= {2, 3}


def test_a_tail_that_was_cut_off_is_found_by_the_head_that_is_kept_beside_it(database: Database) -> None:
    _filled(database)
    _sql(database, sa.delete(schema.audit_log).where(schema.audit_log.c.sequence > 3))

    assert _checked(database) == [(5, "is gone: the log ends at 3, and had this row once")]


def test_a_tail_cut_off_together_with_the_kept_head_is_found_by_one_noted_elsewhere(database: Database) -> None:
    written = _filled(database)
    noted = Head(4, written[3].hash)
    _sql(database, sa.delete(schema.audit_log).where(schema.audit_log.c.sequence > 3))
    _sql(database, sa.update(schema.audit_head).values(sequence=3, hash=written[2].hash))
    assert _checked(database) == []

    assert _checked(database, noted) == [(4, "is gone: the log ends at 3, and had this row once")]


def test_a_log_written_anew_from_some_row_on_is_found_by_a_head_noted_before(database: Database) -> None:
    written = _filled(database)
    noted = Head(5, written[4].hash)
    _sql(database, sa.delete(schema.audit_log).where(schema.audit_log.c.sequence > 3))
    _sql(database, sa.update(schema.audit_head).values(sequence=3, hash=written[2].hash))
    for number in (4, 5):
        _act(database, number, "another story")
    assert _checked(database) == []

    assert _checked(database, noted) == [(5, "is not the row that the head given names")]


def test_a_row_that_nobody_can_read_any_more_is_found(tmp_path: Path) -> None:
    database = folding.sqlite(tmp_path)
    _filled(database)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE audit_log SET plan = '{' WHERE sequence = 3")

    assert next(problem for _, problem in _checked(database)).startswith("cannot be read")
    database.close()


def test_acts_at_once_make_one_chain(database: Database) -> None:
    start = threading.Barrier(4)

    def act(first: int) -> None:
        start.wait()
        for number in range(first, first + 10):
            _act(database, number)

    threads = [threading.Thread(target=act, args=(first,)) for first in (0, 10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _checked(database) == []
    assert len(list(log.entries(database))) == 40


def test_an_act_whose_transaction_fails_leaves_no_row(database: Database) -> None:
    def fail() -> None:
        with database.write() as connection:
            append(Transaction(connection), Act(who="a", act="b", reason="c", plan={}, outcome={}), NOON)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert list(log.entries(database)) == []
    assert log.head(database) == Head(0, GENESIS)


def test_what_a_database_cannot_keep_does_not_break_the_chain(database: Database) -> None:
    act = Act(who="a\0", act="b", reason="\ud800", plan={"x\0": ["\0"]}, outcome={})
    with database.write() as connection:
        append(Transaction(connection), act, NOON)

    assert _checked(database) == []


def test_the_hash_can_be_computed_by_anybody_from_its_description(database: Database) -> None:
    entry = _act(database, 1)
    covered = [
        1,
        "2026-03-01T12:00:01.000007Z",
        "anna",
        "dead_letters.discard",
        "why not",
        entry.plan,
        entry.outcome,
        "0" * 64,
    ]
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert entry.hash == sha256(text.encode()).hexdigest()


def test_a_head_is_read_as_it_is_printed_and_anything_else_is_refused() -> None:
    assert audit.read_head(f" 12:{'AB' * 32}\n") == Head(12, "ab" * 32)
    for text in ("", "12", "12:ab", f"x:{'a' * 64}"):
        with pytest.raises(ConfigurationError):
            audit.read_head(text)
