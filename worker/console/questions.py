"""What is asked of the services that a role stands on: at its start, by `/readyz`, and for the page of metrics."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from prometheus_client.registry import Collector

from handlers.connections import Registry
from handlers.errors import ServiceUnreachableError, TransientError
from handlers.settings import PREFIX
from handlers.store import canaries, gauges, kept_gauges, migrate, read_health
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from worker import canary
from worker.address import broker_url, most_waiting
from worker.broker_state import broker_state
from worker.codes import KNOWN, OTHER, labelled
from worker.console import readings
from worker.console.checks import Check
from worker.console.collector import StateCollector
from worker.queue import queue_state
from worker.settings import WorkerSettings


def require(settings: WorkerSettings, database: Database) -> str:
    """Asks for broker and database at a role's start.

    Returns:
        The broker's URL.

    Raises:
        ServiceUnreachableError: one of them does not answer, or the schema is not this version's.
    """
    url = broker_url(settings)
    try:
        queue_state(url)
    except TransientError as error:
        raise ServiceUnreachableError(f"{PREFIX}BROKER_URL: the broker does not answer: {error}") from error
    try:
        _schema(database)
    except TransientError as error:
        raise ServiceUnreachableError(f"{PREFIX}DATABASE_URL: the database does not answer: {error}") from error
    return url


def everything(settings: WorkerSettings, database: Database, registry: Registry) -> list[Check]:
    """The checks of `/readyz`."""

    def broker() -> Sequence[str]:
        queue_state(broker_url(settings))
        return ()

    def schema() -> Sequence[str]:
        _schema(database)
        return ()

    def connections() -> Sequence[str]:
        unresolved = registry.unresolved(datetime.now(UTC))
        return (*registry.problems, *(f"{connection}: {why}" for connection, why in unresolved.items()))

    return [Check("broker", broker), Check("database", schema), Check("connections", connections)]


def collectors(settings: WorkerSettings, database: Database, registry: Registry) -> list[Collector]:
    """What the page of metrics reads besides the processes' own counters."""
    return [
        _states(settings, database),
        readings.broker(lambda: broker_state(broker_url(settings)), lambda held: most_waiting(settings, held)),
        readings.connections(registry.all, lambda: read_health.health_of(database)),
        readings.kept(lambda: kept_gauges.kept(database)),
        readings.canary(lambda: canaries.last_seen(database, canary.names(registry))),
    ]


def _states(settings: WorkerSettings, database: Database) -> StateCollector:
    """The gauges of queues and database."""

    def retrying() -> int:
        with database.read() as connection:
            return gauges.waiting_retries(Transaction(connection))

    def open_letters() -> Counter[str]:
        with database.read() as connection:
            found = gauges.open_letters(Transaction(connection))
        letters = Counter(dict.fromkeys((*KNOWN, OTHER), 0))
        for code, number in found.items():
            letters[labelled(code)] += number
        return letters

    return StateCollector(lambda: queue_state(broker_url(settings)), retrying, open_letters)


def _schema(database: Database) -> None:
    found, needed = migrate.version(database), migrate.newest()
    if found != needed:
        raise ServiceUnreachableError(
            f"the database's schema is at {found or 'nothing'}, this version needs {needed}: run `maintenworks migrate`"
        )
