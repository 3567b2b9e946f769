"""Which events are about a record, such that an index finds them; whether its kind is known or not."""

import sqlalchemy as sa

from handlers.store.engine import Database
from handlers.store.reading import connection_ids
from handlers.store.rowset import Transaction
from handlers.store.schema import events


def about(database: Database, kind: str | None, key: str, connection: str | None) -> sa.ColumnElement[bool]:
    """The condition that an event is about a record; of several that share the key about any.

    Args:
        database: asked for the connections and the kinds where none is named: the index has those before the key.
        kind: the record's; None for any.
        key: the record's.
        connection: whose; None for any.
    """
    column = events.c
    owners = [connection] if connection is not None else connection_ids(database, column.connection_id)
    kinds = [kind] if kind is not None else _kinds(database, owners)
    return sa.and_(column.connection_id.in_(owners), column.subject_kind.in_(kinds), column.subject_key == key)


def _kinds(database: Database, owners: list[str]) -> list[str]:
    """The kinds of records that events of some connections are about: a step along the index for each and its owner."""
    column = events.c
    with database.read() as session:
        tx = Transaction(session)
        source = tx.rows(events, ("connection_id",))
        found = sa.select(source.c.connection_id, sa.literal("").label("kind")).cte("found", recursive=True)
        following = (
            sa.select(sa.func.min(column.subject_kind))
            .where(column.connection_id == found.c.connection_id, column.subject_kind > found.c.kind)
            .correlate(found)
            .scalar_subquery()
        )
        found = found.union_all(sa.select(found.c.connection_id, following).where(found.c.kind.is_not(None)))
        kinds = sa.select(found.c.kind).where(found.c.kind > "").distinct()
        return sorted(tx.run(kinds, [{"connection_id": each} for each in owners]).scalars())
