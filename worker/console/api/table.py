"""The table of the API: every operation there is."""

from typing import Final

from worker.console.api import assets, connections, day, events, letters, log, records, replays
from worker.console.api.operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *records.OPERATIONS,
    *assets.OPERATIONS,
    *day.OPERATIONS,
    *events.OPERATIONS,
    *letters.OPERATIONS,
    *replays.OPERATIONS,
    *connections.OPERATIONS,
    *log.OPERATIONS,
)
