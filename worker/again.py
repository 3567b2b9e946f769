"""What is tried again: the units that a row of `retries` stands for, read once more from the archive."""

from collections.abc import Set as AbstractSet
from datetime import datetime

from msgspec.structs import replace

from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery, Unmapped, element_of
from handlers.store.deliveries import body_digest
from handlers.store.retries import RowId
from worker.queue import Undecodable, decode
from worker.units import UNDECODABLE, Reader, Unit


def wanted(reader: Reader, kept: Delivery, row: RowId, left: AbstractSet[RowId], now: datetime) -> list[Unit]:
    """What a row stands for, less what an operator has left out; an empty unit where nothing is left.

    Args:
        reader: reads it, by the connection as it is now.
        kept: the row's delivery.
        row: which.
        left: letters whose events have left the set.
        now: the clock.
    """
    units = [unit for unit in _meant(reader, kept, row, now) if not left & named(row[0], unit)]
    return units or [Unit(kept, None, row=row)]


def named(delivery_id: str, unit: Unit) -> set[RowId]:
    """The letters that would speak of a unit: its own, its element's, and one of its whole delivery."""
    return {(delivery_id, place) for place in (*_places(unit.index), WHOLE_BODY)}


def _meant(reader: Reader, kept: Delivery, row: RowId, now: datetime) -> list[Unit]:
    """What a row stands for.

    Skew is judged by now and not by when the delivery came: what had to wait for its time has done so (design,
    section 3, rule 7).
    """
    if kept.verdict == UNDECODABLE:
        decoded = decode(kept.body, kept.connection_id)
        if isinstance(decoded, Undecodable):
            return [replace(unit, delivery=kept, row=row) for unit in reader.units(decoded, now)]
        kept = decoded
    read = reader.units(replace(kept, read_at=max(now, kept.received_at)), now, row)
    units = [replace(unit, delivery=kept) for unit in read]
    meant = [unit for unit in units if WHOLE_BODY in {row[1], unit.index} or row[1] in _places(unit.index)]
    if meant:
        return meant
    error = PermanentError("event_gone", "its delivery, as it is read now, has no event of that number")
    return [Unit(kept, Unmapped(row[1], body_digest(kept.body), error), row=row)]


def _places(index: int) -> tuple[int, int]:
    """The rows that may mean an event: its own, and its element's, which was one letter while it could not be read."""
    return index, element_of(index)
