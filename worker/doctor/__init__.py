"""The promise that a configuration can keep, and why: each thing looked at, then one sentence."""

from datetime import UTC, datetime

from worker.doctor import broker, database, place
from worker.doctor.findings import Finding, Kept, Level
from worker.settings import WorkerSettings

__all__ = ["Finding", "Kept", "Level", "examine", "promise"]

_BROKER = {
    Kept.SYNCED: "what was answered 200 survives the crash of any process and a power failure",
    Kept.DELAYED: (
        "what was answered 200 survives the crash of any process,"
        " and a power failure may lose the last seconds of what was not applied yet"
    ),
    Kept.IN_MEMORY: "none for what waits in the broker: it may be lost, though it was answered 200",
    Kept.UNKNOWN: "what was answered 200 survives the crash of a worker or receiver; the broker does not tell of more",
    Kept.AWAY: "nothing is accepted while the broker does not answer: senders get 503 and keep what they have",
}
_DATABASE = {
    Kept.SYNCED: "each event is applied once, and stays",
    Kept.DELAYED: "each event is applied once, and a power failure may undo the last ones, which nothing brings back",
    Kept.AWAY: "nothing is applied until the database is there",
}


def examine(settings: WorkerSettings) -> tuple[list[Finding], str]:
    """Looks at everything.

    Returns:
        The findings in order, and the promise.

    Raises:
        ConfigurationError: the database's URL is of no kind that we know, or its driver is missing.
    """
    queued, broker_keeps = broker.examine(settings)
    stored, database_keeps = database.examine(settings.database)
    around = [
        place.archive(settings.archive_retention),
        *place.secrets(settings, datetime.now(UTC)),
        *place.disk(settings.home, settings.min_free_bytes),
    ]
    kept = promise(broker_keeps, database_keeps)
    embedded = settings.broker_url is None or settings.database_url is None
    if embedded and place.in_memory(settings.home):
        kept += "; and a restart of this machine empties the home, with all that is in it"
    return [*queued, *stored, *around], kept


def promise(broker_keeps: Kept, database_keeps: Kept) -> str:
    """What holds, in words.

    Args:
        broker_keeps: how well the broker keeps what it took.
        database_keeps: how well the database does.
    """
    return f"{_BROKER[broker_keeps]}; {_DATABASE[database_keeps]}"
