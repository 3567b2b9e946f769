"""How a database goes about statements: what it was asked while somebody listened, and its plan for each."""

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.store import schema
from handlers.store.engine import Database

TABLES = frozenset(schema.metadata.tables)
PLANNED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")


class Asked(NamedTuple):
    """A statement and its parameters, as the driver got them."""

    statement: str
    parameters: Any


@contextlib.contextmanager
def heard(database: Database) -> Iterator[list[Asked]]:
    """Collects the statements that are run meanwhile."""
    found: list[Asked] = []

    def hear(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        found.append(Asked(statement, parameters))

    sa.event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        sa.event.remove(database.engine, "before_cursor_execute", hear)


def plan(database: Database, asked: Asked) -> list[str]:
    """The lines of the database's plan; none for what has no plan."""
    if not asked.statement.startswith(PLANNED):
        return []
    with database.read() as connection:
        if database.dialect == "postgresql":
            # Tables this small are read whole whatever indexes they have, unless that is made to look dear.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            found = connection.exec_driver_sql(f"EXPLAIN {asked.statement}", asked.parameters)
            return [row[0] for row in found]
        found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.statement}", asked.parameters)
        return [row.detail for row in found]


def read_whole(line: str) -> str | None:
    """The table that a line of a plan reads whole; None for none."""
    words = line.split()
    if "SCAN" in words:
        table = words[words.index("SCAN") + 1]
        return table if table in TABLES and "USING" not in words else None
    _, found, rest = line.partition("Seq Scan on ")
    table = rest.split(maxsplit=1)[0] if found else ""
    return table if table in TABLES else None
