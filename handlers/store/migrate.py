"""The schema, brought to the newest version; safe to run twice and at once."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from handlers.store.engine import Database

SCRIPTS = Path(__file__).parent / "migrations"
LOCK = 0x6D61696E74
"""Advisory lock of the migrators on PostgreSQL: the letters `maint`."""


def upgrade(database: Database) -> str:
    """Runs what is missing, in one transaction under a lock that other migrators wait for.

    Returns:
        The version the schema has now.

    Raises:
        TransientError: the database is away.
    """
    with database.write() as connection:
        if database.dialect == "postgresql":
            # Another migrator may take longer than a statement is given otherwise.
            connection.execute(sa.text("SET LOCAL lock_timeout = 0"))
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        command.upgrade(_config(connection), "head")
    return newest()


def version(database: Database) -> str | None:
    """The version that the schema has; None before the first migration."""
    with database.read() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The version that this code needs."""
    head = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert head is not None, "the package ships at least one migration"
    return head


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
