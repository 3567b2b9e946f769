"""Dead letters of an older version, and statements about letters that read no table whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import command

from handlers.store import dead_letters, letter_acts, migrate, replays, schema
from handlers.store.engine import Database
from handlers.store.letter import Letter
from handlers.store.replays import Replay
from handlers.store.rowset import Transaction
from tests.plans import TABLES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST = (
    "INSERT INTO dead_letters (delivery_id, event_index, connection_id, digest, code, class, message, fingerprint,"
    " attempts, state, first_seen_at, buried_at) VALUES "
)


def test_letters_of_the_first_schema_that_wait_for_something_are_looked_at_anew(empty_database: Database) -> None:
    at = "2026-03-01T12:00:00.000000Z"
    with empty_database.write() as connection:
        command.upgrade(migrate._config(connection), "0001")
        for number, code in enumerate(("unknown_connection", "clock_skew", "malformed_json")):
            values = f"('d{number}', 0, 'c', '{number}', '{code}', 'E', 'm', 'f', '[]', 'open', '{at}', '{at}')"
            connection.exec_driver_sql(FIRST + values)

    migrate.upgrade(empty_database)

    with empty_database.read() as connection:
        letters = schema.dead_letters.c
        kept = connection.execute(sa.select(letters.code, letters.retry_at).order_by(letters.delivery_id)).all()
        due = letter_acts.due_by_itself(Transaction(connection), ["c"], NOON, 10)
    assert [tuple(row) for row in kept] == [
        ("unknown_connection", NOON),
        ("clock_skew", NOON),
        ("malformed_json", None),
    ]
    assert due == [("d0", 0), ("d1", 0)]


def test_no_statement_about_letters_reads_a_whole_table(database: Database) -> None:
    """Each is asked of the database with its plan; what is read grows with what is asked for, not with the archive."""
    statements: list[tuple[str, Any]] = []

    def heard(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        statements.append((statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", heard)
    letters = [_letter("d1", "x"), _letter("d2", "y")]
    with database.write() as connection:
        tx = Transaction(connection)
        dead_letters.bury(tx, letters, NOON)
        letter_acts.send_again(tx, [("d1", 0)], NOON, None)
        dead_letters.bury(tx, letters, NOON)
        dead_letters.left_out(tx, ["d1"])
        letter_acts.due_by_itself(tx, ["c"], NOON, 10)
        letter_acts.now_known(tx, [("c", "x")], NOON, 10)
        replays.start(tx, _replay(), [("d1", 0)])
        replays.send(tx, "r", 10, NOON)
        replays.standing(tx, "r")
        replays.due_rows(tx, NOON, 10)
        letter_acts.discard(tx, [("d2", 0)])
    sa.event.remove(database.engine, "before_cursor_execute", heard)

    whole = {line for each in statements for line in _plan(database, *each) if _whole(line)}

    assert len(statements) > 25
    assert whole == set()


def _letter(delivery: str, digest: str) -> Letter:
    return Letter(
        delivery_id=delivery,
        index=0,
        connection_id="c",
        digest=digest,
        code="clock_skew",
        error_class="PermanentError",
        message="m",
        received_at=NOON,
        retry_at=NOON - timedelta(minutes=1),
    )


def _replay() -> Replay:
    return Replay(
        replay_id="r",
        created_at=NOON,
        updated_at=NOON,
        who="w",
        reason="r",
        plan={},
        rate=1,
        state="running",
        total=1,
        sent=0,
        skipped=0,
    )


def _plan(database: Database, statement: str, parameters: Any) -> list[str]:
    if not statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
        return []
    with database.read() as connection:
        if database.dialect == "postgresql":
            # Tables this small are read whole whatever indexes they have, unless that is made to look dear.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            return [row[0] for row in connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)]
        return [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]


def _whole(line: str) -> bool:
    words = line.split()
    if "SCAN" in words:
        return words[words.index("SCAN") + 1] in TABLES and "USING" not in words
    return any(f"Seq Scan on {table}" in line for table in TABLES)
