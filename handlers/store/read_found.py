"""Which records have a key, of whatever kind: for somebody who has an id and no more."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import sqlalchemy as sa

from handlers.store.downtime import INTERVAL
from handlers.store.engine import Database
from handlers.store.read_meters import READING
from handlers.store.reading import of_connection
from handlers.store.schema_records import (
    assets,
    downtime,
    inventory_items,
    meter_readings,
    meters,
    pm_plans,
    purchase_orders,
    vendors,
    work_orders,
)

TABLES: Final[Mapping[str, sa.Table]] = {
    "work_order": work_orders,
    "asset": assets,
    "purchase_order": purchase_orders,
    "inventory_item": inventory_items,
    "vendor": vendors,
    "meter": meters,
    "pm_plan": pm_plans,
    "downtime": downtime,
    "meter_reading": meter_readings,
}
"""By kind: where its records are."""
ORIGINS: Final[Mapping[str, str]] = {"downtime": INTERVAL, "meter_reading": READING}
"""Of tables whose rows are not all records that have their key: the origin of those that are."""
NAMES: Final = ("title", "name")
"""Columns that have what people call a record."""
MOST: Final = 20
"""Connections that share a key; more are no help to anybody."""


class FoundRecord(NamedTuple):
    """A record that has the key.

    Attributes:
        kind: its.
        connection: whose it is.
        title: what people call it; empty where nobody said, or the kind has no such field.
    """

    kind: str
    connection: str
    title: str


def records_of_key(database: Database, key: str) -> list[FoundRecord]:
    """The records of a key, kind by kind: a look into one index a kind and connection."""
    found = []
    for kind, table in TABLES.items():
        columns = table.c
        title = next((columns[name] for name in NAMES if name in columns), sa.literal(""))
        wanted = sa.select(columns.connection_id, title).where(
            of_connection(database, columns.connection_id, None), columns.key == key
        )
        if kind in ORIGINS:
            wanted = wanted.where(columns.origin == ORIGINS[kind])
        with database.read() as connection:
            rows = connection.execute(wanted.distinct().order_by(columns.connection_id).limit(MOST)).all()
        found += [FoundRecord(kind, connection_id, told or "") for connection_id, told in rows]
    return found
