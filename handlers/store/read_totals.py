"""The readings of meters as they count: in order, with what sets a meter anew."""

from collections.abc import Collection
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from handlers.rules import exact
from handlers.rules.facts import Key
from handlers.rules.pm_plan import MOST_UNITS
from handlers.rules.pm_records import is_in_time
from handlers.rules.usage import Reading
from handlers.store.rowset import Transaction
from handlers.store.schema import meter_readings, meters

RESET = "meter"
"""Origin of a reset; of two at one instant a reset comes first."""


def readings_of(tx: Transaction, wanted: Collection[Key]) -> dict[Key, list[Reading]]:
    """The readings of some meters that count, oldest first; of a meter without any none."""
    found: dict[Key, list[Reading]] = {key: [] for key in wanted}
    keys = [{"connection_id": connection, "key": key} for connection, key in sorted(wanted)]
    ends = {
        (row.connection_id, row.key): exact.decimal(row.fields.get("rollover_at"))
        for row in tx.select(meters, keys, ("connection_id", "key", "fields"))
    }
    reading = meter_readings.c
    named = [{"connection_id": connection, "meter_key": key} for connection, key in sorted(wanted)]
    if not named:
        return found
    rows = tx.rows(meter_readings, ("connection_id", "meter_key"))
    # Only what sets a meter anew is read whole: a meter may have a hundred thousand readings.
    fields = sa.case((reading.restarts, reading.fields), else_=sa.null()).label("fields")
    columns = ("connection_id", "meter_key", "read_at", "origin", "value")
    statement = (
        sa.select(*(reading[name] for name in columns), fields)
        .join_from(
            meter_readings,
            rows,
            sa.and_(reading.connection_id == rows.c.connection_id, reading.meter_key == rows.c.meter_key),
        )
        .where(reading.is_point, reading.read_at.is_not(None))
        .order_by(reading.connection_id, reading.meter_key, reading.read_at, reading.origin, reading.key)
    )
    for row in tx.run(statement, named):
        key = (row.connection_id, row.meter_key)
        reading_ = reading_of(row, ends.get(key))
        if is_in_time(row.read_at) and (reading_.value is None or abs(reading_.value) <= MOST_UNITS):
            found[key].append(reading_)
    return found


def reading_of(row: sa.Row[Any], end: Decimal | None) -> Reading:
    """A row with `read_at`, `origin`, `value`, and `fields` if it sets the meter anew, as a reading.

    Args:
        row: of one reading or reset.
        end: where the meter starts again from zero, as the meter says.
    """
    told = row.fields or {}
    return Reading(
        read_at=row.read_at,
        value=exact.decimal(row.value),
        is_reset=row.origin == RESET,
        replaced=told.get("meter_replaced") is True,
        rolled_over=told.get("rollover") is True,
        rollover_at=exact.decimal(told.get("rollover_at")) or end,
    )
