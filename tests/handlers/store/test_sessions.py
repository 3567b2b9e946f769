"""What a session of ours asks of PostgreSQL, so that one whose process froze does not hold its locks for ever."""

import pytest
import sqlalchemy as sa

from handlers.store import engine
from handlers.store.engine import Database
from tests.journeys.roles import eventually
from tests.servers import PostgresServer, postgres_server

PATIENCE = "20s"
"""Of the successor, which waits for the lock."""


def test_one_that_froze_while_a_long_result_came_loses_its_locks(
    postgres_session: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither idle nor out of time: the server waits for a reader that will never come."""
    del postgres_session  # it skips where there is none
    monkeypatch.setitem(engine.POSTGRES_SESSION, "tcp_user_timeout", "1s")
    with postgres_server(tcp=True) as server, server.database("frozen") as url:
        frozen = Database(url, pool_size=1)
        monkeypatch.setitem(engine.POSTGRES_SESSION, "lock_timeout", PATIENCE)
        successor = Database(url, pool_size=1)
        with successor.write() as connection:
            connection.execute(sa.text("CREATE TABLE t (k integer PRIMARY KEY)"))
            connection.execute(sa.text("INSERT INTO t VALUES (1)"))
        with frozen.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            long = b"SELECT repeat('x', 1000) FROM generate_series(1, 20000)"
            raw.pgconn.send_query(b"BEGIN; SELECT * FROM t FOR UPDATE; " + long)  # and nobody reads
            eventually(lambda: _waits_for_its_reader(successor))
            with successor.write() as waiting:
                assert waiting.execute(sa.text("SELECT k FROM t FOR UPDATE")).scalar_one() == 1
            connection.invalidate()
        frozen.close()
        successor.close()


def _waits_for_its_reader(database: Database) -> bool:
    with database.read() as connection:
        waits = connection.execute(sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'ClientWrite'"))
        return bool(waits.scalar_one())
