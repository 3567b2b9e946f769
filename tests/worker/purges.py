"""Purges of a yard (`tests.worker.letters`) in tests."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from handlers.sources import Source, load
from handlers.store.schema import deliveries
from tests.worker.letters import Yard
from worker.checkpointing import Readers
from worker.purging import Purging
from worker.units import Reader


def purging(yard: Yard, kept: str, sources: Mapping[str, Source] | None = None) -> Purging:
    """What the scheduler's leader has for as long as it leads."""
    yard._registry.refresh()
    reader = Reader(yard._registry, sources or load(), max_body_bytes=1024 * 1024)
    return Purging(Readers(yard.database, yard._registry, reader), kept, lambda: yard.now, lambda: 0.0)


def purge(yard: Yard, before: datetime) -> int:
    """Has the bytes go of what was received before a time; returns of how many deliveries they went."""
    kept = (yard.now - before) // timedelta(minutes=1)
    return purging(yard, f"{kept}min").work()


def archived(yard: Yard) -> set[str]:
    """The deliveries whose bytes are not purged."""
    return {row["delivery_id"] for row in yard.rows(deliveries) if row["purged_at"] is None}


def with_bytes(yard: Yard) -> set[str]:
    """The deliveries that have bytes themselves."""
    with yard.database.read() as connection:
        has = sa.select(deliveries.c.delivery_id).where(deliveries.c.body.is_not(None))
        return set(connection.execute(has).scalars())
