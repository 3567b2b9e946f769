"""Reading down time back as records: an interval, the span of a status edge, or all the spells of one work order."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from handlers.model.downtime import ORDER_KEY_PREFIX
from handlers.rules.order import EPOCH, MICROSECOND, TIME_DIGITS, TIME_OFFSET, occurred_at
from handlers.rules.printing import STATUS_KEY_PREFIX, KeptSpan
from handlers.store.downtime import INTERVAL, PRIMARY_KEY, STATUS, WORK_ORDER
from handlers.store.engine import Database
from handlers.store.read_records import Chosen, conditions, registers
from handlers.store.reading import walk
from handlers.store.schema import asset_status_edges, downtime

UP = "operating"
"""The status of an edge that says that an asset is up; standby says nothing of a stop that another told."""
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


def kept_downtime(database: Database, chosen: Chosen, judged_at: datetime | None = None) -> Iterator[list[KeptSpan]]:
    """Down time as records, by connection, origin and key; each the spans that make it up, in the order of their parts.

    A void record is a deleted one; void spells of an order that has others stay with them.

    Args:
        database: to read from.
        chosen: which.
        judged_at: up to when an asset's status is asked whether it contradicts what is open; None asks nothing.
    """
    statement = sa.select(*(downtime.c[name] for name in COLUMNS)).where(
        *conditions(database, downtime, "downtime", chosen)
    )
    if chosen.key is not None:
        statement = statement.where(_named(chosen.key))
    order = [downtime.c[name] for name in PRIMARY_KEY]
    part = chosen.part._replace(search=None)
    rows = walk(database, statement, order if chosen.connection is None else order[1:], part=part)
    for _, group in itertools.groupby(rows, key=_record):
        record = list(group)
        if chosen.key is not None or chosen.deleted or not all(row.is_void for row in record):
            yield [_span(row, _up_at(database, row, judged_at)) for row in record]


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


def _up_at(database: Database, row: sa.Row[Any], until: datetime | None) -> datetime | None:
    """When the asset of an open stop was last said to be up since it began; a status stream ends its own stops."""
    if until is None or row.started_at is None or row.ended_at is not None or row.origin == STATUS:
        return None
    edge = asset_status_edges.c
    at = sa.func.substr(edge.stamp, TIME_DIGITS.start + 1, TIME_DIGITS.stop - TIME_DIGITS.start)
    newest = (
        sa.select(edge.stamp)
        .where(
            edge.connection_id == row.connection_id,
            edge.asset_key == row.asset_key,
            edge.status == UP,
            at > _digits(row.started_at),
            at <= _digits(until),
        )
        .order_by(edge.stamp.desc())
        .limit(1)
    )
    with database.read() as connection:
        stamp = connection.execute(newest).scalar()
    return None if stamp is None else occurred_at(stamp)


def _digits(moment: datetime) -> str:
    """A moment as a stamp holds it."""
    return f"{(moment - EPOCH) // MICROSECOND + TIME_OFFSET:016x}"


def _span(row: sa.Row[Any], up_at: datetime | None) -> KeptSpan:
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
        up_at=up_at,
    )
