"""Gauges that the leader reckons and every console shows: written whole, read whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import sqlalchemy as sa

from handlers.store.reading import Readable
from handlers.store.rowset import Transaction
from handlers.store.schema_gauges import gauges

Sample: TypeAlias = tuple[Sequence[str], float]
"""The values of its labels, and its own."""


def keep(tx: Transaction, families: Mapping[str, Sequence[Sample]], now: datetime) -> None:
    """Puts each family of gauges in the place of what was kept of it."""
    rows = [
        {"name": name, "taken_at": now, "samples": [[*labels, value] for labels, value in samples]}
        for name, samples in sorted(families.items())
    ]
    # Another one that takes itself for the leader may do the same at this moment.
    tx.insert_missing(gauges, rows)
    tx.update(gauges, rows, ("name",))


def kept(database: Readable) -> tuple[dict[str, list[Sample]], datetime | None]:
    """The families, by name, and when they were reckoned; none and None where they never were."""
    with database.read() as connection:
        rows = connection.execute(sa.select(gauges)).all()
    families: dict[str, list[Sample]] = {
        row.name: [(tuple(each[:-1]), each[-1]) for each in row.samples] for row in rows
    }
    return families, min((row.taken_at for row in rows), default=None)
