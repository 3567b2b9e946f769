"""Records as they stand now, of every kind that has a table."""

from collections.abc import Iterator
from datetime import datetime

from handlers.connections.zones import Zones
from handlers.events import Json
from handlers.rules.printing import printed, printed_downtime
from handlers.store.engine import Database
from handlers.store.read_downtime import kept_downtime
from handlers.store.read_meters import kept_meters, kept_readings
from handlers.store.read_orders import kept_orders
from handlers.store.read_records import Chosen, kept_records


def found_records(
    database: Database, kind: str, chosen: Chosen, zones: Zones, now: datetime, *, judged: bool
) -> Iterator[dict[str, Json]]:
    """Records as they print; `judged` has meters with all that their readings tell."""
    if kind == "downtime":
        return (printed_downtime(spans, now) for spans in kept_downtime(database, chosen, now if judged else None))
    if kind == "meter":
        return map(printed, kept_meters(database, chosen, judged=judged))
    if kind == "meter_reading":
        return map(printed, kept_readings(database, chosen))
    if kind == "work_order":
        return map(printed, kept_orders(database, chosen, zones, now))
    return map(printed, kept_records(database, kind, chosen))
