"""Reading meters and readings back: what a meter showed last, what it counts a day, and what goes the wrong way.

Which reading came before which is found here, at read time: a late reading, a correction or the news that a meter is
no counter then changes no row but its own.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from handlers.events import Json
from handlers.rules import exact
from handlers.rules.meters import told_of_usage, wrong_way
from handlers.rules.printing import Kept
from handlers.rules.times import kept_instant
from handlers.rules.usage import Reading
from handlers.store.engine import Database
from handlers.store.read_records import Chosen, conditions, kept_records, registers
from handlers.store.read_totals import RESET, reading_of
from handlers.store.reading import walk
from handlers.store.schema import meter_readings, meters

READING = "meter_reading"
"""Origin of what is no reset; of two at one instant a reset comes first."""
PLACE = ("read_at", "origin", "key")
"""The order of a meter's readings."""
MAX_ANOMALIES = 100
"""Readings that a meter lists as going the wrong way, the newest: a gauge that nobody has called one has thousands."""


def kept_meters(database: Database, chosen: Chosen, *, judged: bool = True) -> Iterator[Kept]:
    """Meters, by connection and key, each with its last reading.

    Args:
        database: to read from.
        chosen: which.
        judged: with their anomalies, epochs and usage, for which every reading is looked at.
    """
    for kept in kept_records(database, "meter", chosen):
        course = Course(database, kept) if judged else None
        told = _told(database, kept) | (course.told() if course is not None else {})
        found = () if course is None else list(course.wrong)
        yield Kept(kept.kind, kept.connection, kept.key, kept.record, found, told)


def kept_readings(database: Database, chosen: Chosen) -> Iterator[Kept]:
    """Readings, by connection and key; those of one meter in the order in which they were read."""
    reading = meter_readings.c
    statement = _with_meter(sa.select(reading.fields, reading.registers, _previous().label("previous"))).where(
        reading.origin == READING, *conditions(database, meter_readings, "meter_reading", chosen)
    )
    if chosen.key is not None:
        statement = statement.where(reading.key == chosen.key)
    elif not chosen.deleted:
        statement = statement.where(sa.not_(reading.is_deleted))
    order = [reading.connection_id, reading.key]
    if "meter" in chosen.filters and chosen.key is None:
        statement = statement.where(reading.read_at.is_not(None))
        order = [reading.connection_id, reading.read_at, reading.key]
    part = chosen.part._replace(search=None)
    for row in walk(database, statement, order if chosen.connection is None else order[1:], part=part):
        record = registers(row.fields, row.registers)
        yield Kept("meter_reading", row.connection_id, row.key, record, [*_judged(row, row.previous)])


def _judged(row: sa.Row[Any], previous: str | None) -> Iterator[dict[str, Json]]:
    """The anomaly of a reading that is behind the one before it, on a meter that nobody has called a gauge."""
    down = row.counts_down is True
    if row.restarts or row.is_counter is False or not wrong_way(row.value, previous, counts_down=down):
        return
    yield {
        "code": "reading_higher" if down else "reading_lower",
        "reading": row.key,
        "read_at": kept_instant(row.read_at),
        "value": row.value,
        "previous": previous,
    }


def _told(database: Database, meter: Kept) -> dict[str, Json]:
    reading, reset = (_last(database, meter, origin) for origin in (READING, RESET))
    last: dict[str, Json] | None = None
    if reading is not None:
        record = registers(reading.fields, reading.registers)
        last = {
            "key": reading.key,
            "read_at": kept_instant(reading.read_at),
            **{name: record.read(name) for name in ("value", "value_text", "unit")},
        }
    return {"last_reading": last, "last_reset_at": None if reset is None else kept_instant(reset.read_at)}


def _last(database: Database, meter: Kept, origin: str) -> sa.Row[Any] | None:
    reading = meter_readings.c
    statement: sa.Select[Any] = (
        sa.select(reading.key, reading.read_at, reading.fields, reading.registers)
        .where(reading.connection_id == meter.connection, reading.meter_key == meter.key)
        .where(reading.origin == origin, sa.not_(reading.is_deleted), reading.read_at.is_not(None))
        .order_by(*(reading[name].desc() for name in PLACE))
        .limit(1)
    )
    with database.read() as session:
        return session.execute(statement).one_or_none()


class Course:
    """All points of one meter, walked once, in their order.

    Attributes:
        wrong: the newest readings that are behind the one before them, as anomalies, oldest first; once walked.
        epochs: how often it began to count, its first time included.
        epoch_started_at: when it last began to count anew, in kept form; None where it never did.
    """

    def __init__(self, database: Database, meter: Kept) -> None:
        self.wrong: deque[Json] = deque(maxlen=MAX_ANOMALIES)
        self.epochs = 1
        self.epoch_started_at: str | None = None
        self._rollover_at = exact.decimal(meter.record.read("rollover_at"))
        self._counts_down = meter.record.read("counts_down") is True
        self._is_gauge = meter.record.read("is_counter") is False
        self._usage = told_of_usage(self._walked(_points(database, meter)))

    def told(self) -> dict[str, Json]:
        """What the meter prints of it; a gauge counts nothing."""
        usage: Json = None if self._usage is None or self._is_gauge else {**self._usage}
        return {"epochs": self.epochs, "epoch_started_at": self.epoch_started_at, "usage": usage}

    def _walked(self, rows: Iterator[sa.Row[Any]]) -> Iterator[Reading]:
        before: sa.Row[Any] | None = None
        for row in rows:
            if before is not None:
                self.wrong.extend(_judged(row, before.value))
            if row.restarts:
                self.epochs += 1
                self.epoch_started_at = kept_instant(row.read_at)
            before = row
            if not self._is_gauge:
                yield self._reading(row)

    def _reading(self, row: sa.Row[Any]) -> Reading:
        found = reading_of(row, self._rollover_at)
        return found if not self._counts_down or found.value is None else replace(found, value=-found.value)


def _points(database: Database, meter: Kept) -> Iterator[sa.Row[Any]]:
    """The readings and resets of a meter that count, in their order; of those that restart it why."""
    reading = meter_readings.c
    why = sa.case((reading.restarts, reading.fields)).label("fields")
    statement = _with_meter(sa.select(reading.origin, why)).where(
        reading.connection_id == meter.connection, reading.meter_key == meter.key, reading.is_point
    )
    return walk(database, statement.where(reading.read_at.is_not(None)), [reading[name] for name in PLACE])


def _with_meter(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Adds what a reading is judged by: itself, and what its meter is."""
    reading = meter_readings.c
    names = ("connection_id", "key", "read_at", "value", "restarts")
    same = sa.and_(meters.c.connection_id == reading.connection_id, meters.c.key == reading.meter_key)
    return statement.add_columns(
        *(reading[name] for name in names), meters.c.is_counter, meters.c.counts_down
    ).join_from(meter_readings, meters, same, isouter=True)


def _previous() -> sa.ScalarSelect[Any]:
    """The value of the point just before a reading; null where that is a reset without one, or there is none."""
    before = meter_readings.alias("before")
    reading = meter_readings.c
    return (
        sa.select(before.c.value)
        .where(before.c.connection_id == reading.connection_id, before.c.meter_key == reading.meter_key)
        .where(before.c.is_point)
        .where(sa.tuple_(*(before.c[name] for name in PLACE)) < sa.tuple_(*(reading[name] for name in PLACE)))
        .order_by(*(before.c[name].desc() for name in PLACE))
        .limit(1)
        .correlate(meter_readings)
        .scalar_subquery()
    )
