"""Reading down time back as records: an interval, the span of a status edge, or all the spells of one work order."""

import itertools
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from handlers.model.downtime import ORDER_KEY_PREFIX
from handlers.rules.printing import STATUS_KEY_PREFIX, KeptSpan
from handlers.store.downtime import INTERVAL, PRIMARY_KEY, STATUS, WORK_ORDER
from handlers.store.engine import Database
from handlers.store.read_records import Chosen, conditions, registers
from handlers.store.reading import walk
from handlers.store.schema import downtime

COLUMNS = (
    *PRIMARY_KEY,
    "asset_key",
    "started_at",
    "ended_at",
    "planned",
    "failure",
    "is_void",
    "fields",
    "registers",
    "anomalies",
)


def kept_downtime(database: Database, chosen: Chosen) -> Iterator[list[KeptSpan]]:
    """Down time as records, by connection, origin and key; each the spans that make it up, in the order of their parts.

    A void record is a deleted one; void spells of an order that has others stay with them.
    """
    statement = sa.select(*(downtime.c[name] for name in COLUMNS)).where(
        *conditions(database, downtime, "downtime", chosen)
    )
    if chosen.key is not None:
        statement = statement.where(_named(chosen.key))
    order = [downtime.c[name] for name in PRIMARY_KEY]
    rows = walk(database, statement, order if chosen.connection is None else order[1:])
    for _, group in itertools.groupby(rows, key=_record):
        record = list(group)
        if chosen.key is not None or chosen.deleted or not all(row.is_void for row in record):
            yield [_span(row) for row in record]


def _record(row: sa.Row[Any]) -> tuple[str, ...]:
    """What rows of one record share: an order's spells are one, any other row is its own."""
    return (row.connection_id, row.origin, row.key, "" if row.origin == WORK_ORDER else row.part)


def _named(key: str) -> sa.ColumnElement[bool]:
    """The spans of the record with that printed key."""
    interval = sa.and_(downtime.c.origin == INTERVAL, downtime.c.key == key)
    if key.startswith(ORDER_KEY_PREFIX):
        return sa.and_(downtime.c.origin == WORK_ORDER, downtime.c.key == key.removeprefix(ORDER_KEY_PREFIX))
    if not key.startswith(STATUS_KEY_PREFIX):
        return interval
    asset, _, stamp = key.removeprefix(STATUS_KEY_PREFIX).rpartition(":")
    return sa.or_(interval, sa.and_(downtime.c.origin == STATUS, downtime.c.key == asset, downtime.c.part == stamp))


def _span(row: sa.Row[Any]) -> KeptSpan:
    return KeptSpan(
        connection=row.connection_id,
        origin=row.origin,
        key=row.key,
        part=row.part,
        asset_key=row.asset_key,
        started_at=row.started_at,
        ended_at=row.ended_at,
        planned=row.planned,
        failure=row.failure,
        is_void=row.is_void,
        record=registers(row.fields, row.registers),
        anomalies=row.anomalies,
    )
