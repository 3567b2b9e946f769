"""Reading the health of connections back."""

from typing import Any

import sqlalchemy as sa

from handlers.store.reading import Readable
from handlers.store.schema import connection_health

FIELDS = ("state", "since", "last_sync_at", "last_failed_sync_at", "last_error")


def health_of(database: Readable) -> dict[str, dict[str, Any]]:
    """The health of every connection that an operational event has told of, by connection; there are few.

    Returns:
        Of each all of `FIELDS`, null where nothing was said; times in kept form.
    """
    wanted = sa.select(connection_health.c.connection_id, connection_health.c.fields)
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(connection_health.c.connection_id)).all()
    return {row.connection_id: {name: row.fields.get(name) for name in FIELDS} for row in rows}
