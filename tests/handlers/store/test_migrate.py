"""The schema comes by migrations, whoever runs them and however often."""

import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from handlers.errors import ConfigurationError
from handlers.store import migrate, schema
from handlers.store.engine import Database


def test_the_migrations_make_exactly_the_schema(empty_database: Database) -> None:
    """A column that only `schema` knows, or only a migration, is told here."""
    migrate.upgrade(empty_database)

    with empty_database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_texts_that_order_facts_are_compared_by_their_bytes(empty_database: Database) -> None:
    migrate.upgrade(empty_database)
    with empty_database.write() as connection:
        for stamp in ("b", "B", "a", "Z"):
            connection.execute(
                sa.insert(schema.asset_status_edges).values(connection_id="c", asset_key="a", stamp=stamp)
            )
        found = connection.execute(sa.select(schema.asset_status_edges.c.stamp).order_by(sa.text("stamp"))).scalars()
        assert list(found) == ["B", "Z", "a", "b"]


def test_migrating_twice_changes_nothing(empty_database: Database) -> None:
    assert migrate.version(empty_database) is None
    assert migrate.upgrade(empty_database) == migrate.newest()
    assert migrate.upgrade(empty_database) == migrate.newest()
    assert migrate.version(empty_database) == migrate.newest()


def test_two_migrators_at_once_do_no_harm(database_url: str) -> None:
    start = threading.Barrier(2)
    done = []

    def run() -> None:
        database = Database(database_url)
        start.wait()
        done.append(migrate.upgrade(database))
        database.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert done == [migrate.newest()] * 2


@pytest.mark.parametrize("url", ["mysql://host/db", "not a url", "sqlite+aiosqlite:///x"])
def test_a_database_that_is_not_supported_is_refused_by_name(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Database(url)
