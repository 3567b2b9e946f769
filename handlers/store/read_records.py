"""Reading folded records back: by kind and key, by what they say."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.rules.printing import Kept
from handlers.rules.registers import Record
from handlers.store import records
from handlers.store.engine import Database
from handlers.store.reading import of_connection, walk
from handlers.store.schema import assets, work_orders

TABLES: Mapping[str, sa.Table] = MappingProxyType({"work_order": work_orders, "asset": assets})
"""By kind. Down time has spans of its own (`handlers.store.read_downtime`)."""
FILTERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "work_order": {
            "status": "status",
            "type": "type",
            "priority": "priority",
            "asset": "asset_key",
            "site": "site_key",
        },
        "asset": {"status": "status", "site": "site_key", "parent": "parent_key"},
        "downtime": {"asset": "asset_key"},
    }
)
"""What a kind can be asked for, and the column that has it."""


class Chosen(NamedTuple):
    """Which records are wanted.

    Attributes:
        connection: of one connection; None for all.
        key: of one key, deleted or not.
        deleted: deleted ones too; a key that is named finds one anyway.
        filters: by name of `FILTERS`: the value it must have.
    """

    connection: str | None = None
    key: str | None = None
    deleted: bool = False
    filters: Mapping[str, str] = MappingProxyType({})


def kept_records(database: Database, kind: str, chosen: Chosen) -> Iterator[Kept]:
    """The records of a kind that is in `TABLES`, by connection and key."""
    table = TABLES[kind]
    statement = sa.select(*(table.c[name] for name in ("connection_id", "key", "fields", "registers", "anomalies")))
    statement = statement.where(*conditions(database, table, kind, chosen))
    if chosen.key is not None:
        statement = statement.where(table.c.key == chosen.key)
    elif not chosen.deleted:
        statement = statement.where(sa.not_(table.c.is_deleted))
    order = (table.c.connection_id, table.c.key)
    for row in walk(database, statement, order if chosen.connection is None else order[1:]):
        yield Kept(kind, row.connection_id, row.key, registers(row.fields, row.registers), row.anomalies)


def conditions(database: Database, table: sa.Table, kind: str, chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    """What of a choice every kind has in common: the connection, and the filters."""
    wanted = [table.c[FILTERS[kind][name]] == value for name, value in chosen.filters.items()]
    if chosen.connection is None and chosen.key is None:
        return wanted
    return [of_connection(database, table.c.connection_id, chosen.connection), *wanted]


def registers(fields: Mapping[str, Any], text: str) -> Record:
    """A row's two columns as the record that they are."""
    return records.read(fields, text)
