"""What a database says of itself: how it keeps what was committed, and what time it is there."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from handlers.store.engine import Database

_PRAGMAS = ("journal_mode", "synchronous")
_POSTGRES_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit", "synchronous_standby_names")


class Durability(NamedTuple):
    """What a session of ours finds.

    Attributes:
        server: name and version.
        settings: by the database's own names, in its own words.
        clock: the server's time (UTC); None where it has no clock but ours.
    """

    server: str
    settings: Mapping[str, str]
    clock: datetime | None


def durability(database: Database) -> Durability:
    """Asks.

    Raises:
        TransientError: the database is away.
    """
    with database.read() as connection:
        return _postgresql(connection) if database.dialect == "postgresql" else _sqlite(connection)


def _sqlite(connection: Connection) -> Durability:
    settings = {name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()) for name in _PRAGMAS}
    return Durability(f"SQLite {connection.execute(sa.select(sa.func.sqlite_version())).scalar_one()}", settings, None)


def _postgresql(connection: Connection) -> Durability:
    settings = sa.table("pg_settings", sa.column("name"), sa.column("setting"))
    found = connection.execute(sa.select(settings).where(settings.c.name.in_((*_POSTGRES_SETTINGS, "server_version"))))
    values = {row.name: row.setting for row in found}
    clock: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    return Durability(f"PostgreSQL {values.pop('server_version')}", values, clock.astimezone(UTC))
