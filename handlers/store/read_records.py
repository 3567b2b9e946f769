"""Reading folded records back: by kind and key, by what they say."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.rules.printing import Kept
from handlers.rules.registers import Record
from handlers.store import records
from handlers.store.engine import Database
from handlers.store.reading import WHOLE, Part, of_connection, walk
from handlers.store.schema import (
    assets,
    inventory_items,
    meter_readings,
    meters,
    pm_plans,
    purchase_orders,
    vendors,
    work_orders,
)

TABLES: Mapping[str, sa.Table] = MappingProxyType(
    {
        "work_order": work_orders,
        "asset": assets,
        "purchase_order": purchase_orders,
        "inventory_item": inventory_items,
        "vendor": vendors,
        "meter": meters,
        "meter_reading": meter_readings,
        "pm_plan": pm_plans,
    }
)
"""By kind. Down time has spans of its own (`handlers.store.read_downtime`)."""
DUE_BEFORE = "due-before"
"""The filter that compares instead of matching."""
FLAGS = frozenset({"below-reorder"})
"""Filters that have no value: their column must be true."""
FILTERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "work_order": {
            "status": "status",
            "type": "type",
            "priority": "priority",
            "asset": "asset_key",
            "site": "site_key",
            DUE_BEFORE: "due_at",
        },
        "asset": {"status": "status", "site": "site_key", "parent": "parent_key"},
        "downtime": {"asset": "asset_key"},
        "purchase_order": {
            "status": "status",
            "approval": "approval_status",
            "receipt": "receipt_status",
            "billing": "billing_status",
            "vendor": "vendor_key",
            "site": "site_key",
            DUE_BEFORE: "required_date",
        },
        "inventory_item": {"type": "type", "vendor": "vendor_key", "below-reorder": "below_reorder_point"},
        "vendor": {"status": "status"},
        "meter": {"asset": "asset_key"},
        "meter_reading": {"asset": "asset_key", "meter": "meter_key"},
        "pm_plan": {"status": "status", "meter": "meter_key", DUE_BEFORE: "next_due_at"},
    }
)
"""What a kind can be asked for, and the column that has it."""
INDEXED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "work_order": frozenset({"asset"}),
        "purchase_order": frozenset({"vendor"}),
        "inventory_item": frozenset({"below-reorder"}),
        "meter": frozenset({"asset"}),
        "meter_reading": frozenset({"asset", "meter"}),
        "downtime": frozenset({"asset"}),
    }
)
"""Filters of which an index, behind the connection, finds what they are about."""


class Chosen(NamedTuple):
    """Which records are wanted.

    Attributes:
        connection: of one connection; None for all.
        key: of one key, deleted or not.
        deleted: deleted ones too; a key that is named finds one anyway.
        filters: by name of `FILTERS`: the value it must have, or come before; of a flag any.
        part: which part of them.
    """

    connection: str | None = None
    key: str | None = None
    deleted: bool = False
    filters: Mapping[str, str] = MappingProxyType({})
    part: Part = WHOLE


def kept_records(database: Database, kind: str, chosen: Chosen, *only: sa.ColumnElement[bool]) -> Iterator[Kept]:
    """The records of a kind that is in `TABLES`, by connection and key; `only` those that meet further conditions."""
    table = TABLES[kind]
    statement = sa.select(*(table.c[name] for name in ("connection_id", "key", "fields", "registers", "anomalies")))
    statement = statement.where(*conditions(database, table, kind, chosen), *only)
    if chosen.key is not None:
        statement = statement.where(table.c.key == chosen.key)
    elif not chosen.deleted:
        statement = statement.where(sa.not_(table.c.is_deleted))
    order: Sequence[sa.Column[Any]] = (table.c.connection_id, table.c.key)
    part, within = chosen.part, None
    if chosen.key is not None or INDEXED.get(kind, frozenset()) & chosen.filters.keys():
        part = part._replace(search=None)
    if chosen.connection is not None:
        order, within = order[1:], table.c.connection_id == chosen.connection
    for row in walk(database, statement, order, part=part, within=within):
        yield Kept(kind, row.connection_id, row.key, registers(row.fields, row.registers), row.anomalies)
    if part.search is not None and part.search.stopped is not None and chosen.connection is not None:
        part.search.stop((chosen.connection, *part.search.stopped))


def conditions(database: Database, table: sa.Table, kind: str, chosen: Chosen) -> list[sa.ColumnElement[bool]]:
    """What of a choice every kind has in common: the connection, and the filters."""
    wanted = [_filter(database, table.c[FILTERS[kind][name]], name, value) for name, value in chosen.filters.items()]
    if chosen.connection is None and chosen.key is None and not INDEXED.get(kind, frozenset()) & chosen.filters.keys():
        return wanted
    return [of_connection(database, table.c.connection_id, chosen.connection), *wanted]


def _filter(database: Database, column: sa.Column[Any], name: str, value: str) -> sa.ColumnElement[bool]:
    if name in FLAGS:
        return column.is_(True)
    if name != DUE_BEFORE:
        return column == value
    # Dates and instants as they are kept sort by their bytes, whatever the database's own language is.
    return (column.collate("C") if database.dialect == "postgresql" else column) < value


def registers(fields: Mapping[str, Any], text: str) -> Record:
    """A row's two columns as the record that they are."""
    return records.read(fields, text)
