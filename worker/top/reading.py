"""Frames, read from where things stand: the broker, the database, the files of the home. Each may be away."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from prometheus_client.multiprocess import MultiProcessCollector

from handlers.connections import Connection, Registry
from handlers.connections.zones import zones_of
from handlers.errors import MaintenworksError
from handlers.rules.today import GROUPS, Wanted, days_work
from handlers.store import gauges, read_findings
from handlers.store.engine import Database
from handlers.store.read_health import health_of
from handlers.store.read_letter_groups import Group
from handlers.store.read_pace import Pace, pace
from handlers.store.read_today import connections_with_work, day
from handlers.store.reading import open_database
from handlers.store.rowset import Transaction
from worker import scope
from worker.address import broker_url
from worker.console.counts import Counts, added_up
from worker.console.pulse import Pulse, Sources
from worker.metrics_folder import folder_of
from worker.queue import LaneState, queue_state
from worker.settings import WorkerSettings
from worker.shapes.connections import state
from worker.top.frame import Connected, Frame

BROKER, DATABASE, CONNECTIONS = "broker", "database", "connections"
TODAY_EVERY: Final = timedelta(seconds=15)
"""The day's list reads more than the rest together, and nobody sees it change from one frame to the next."""

Found = TypeVar("Found")


class Watch:
    """Reads frames.

    Args:
        settings: which home, broker and database.
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._database: Database | None = None
        self._registry: Registry | None = None
        self._away: dict[str, str] = {}
        self._today: Mapping[str, int] | None = None
        self._today_at: datetime | None = None
        sources = Sources(
            lanes=self._lanes, stored=self._stored, counted=self._counted, paced=self._paced, causes=list[Group]
        )
        self._pulse = Pulse(sources, lambda: datetime.now(UTC))

    def frame(self) -> Frame:
        """How things stand now; what is a second is so since the last frame."""
        self._away = {}
        self._pulse.beat()
        beats = self._pulse.beats()
        beat = beats[-1]
        none: Mapping[str, Connection] = {}
        served = self._or_away(CONNECTIONS, self._served, none)
        has_database, has_broker = DATABASE not in self._away, BROKER not in self._away
        connections = self._or_away(DATABASE, lambda: self._connected(served, beat.at), None) if has_database else None
        today = self._or_away(DATABASE, lambda: self._today_of(served, beat.at), None) if has_database else None
        counted = self._folder() is not None
        return Frame(
            at=beat.at,
            counted=counted,
            accepted=beat.accepted if counted or has_database else None,
            committed=beat.processed if counted or has_database else None,
            median=beat.median,
            high=beat.high,
            throughput=[each.processed for each in beats],
            lanes=beat.lanes if has_broker else None,
            retrying=beat.retrying if has_database else None,
            letters=beat.letters if has_database else None,
            connections=connections,
            schedules=beat.schedules if counted else None,
            today=today,
            away=dict(self._away),
        )

    def close(self) -> None:
        """Lets the database go."""
        if self._database is not None:
            self._database.close()

    def _or_away(self, part: str, read: Callable[[], Found], otherwise: Found) -> Found:
        """What is read; where it cannot be, the reason is kept for the frame."""
        try:
            return read()
        except MaintenworksError as error:
            self._away.setdefault(part, str(error))
            return otherwise

    def _lanes(self) -> Sequence[LaneState]:
        return self._or_away(BROKER, lambda: queue_state(broker_url(self._settings)), [])

    def _stored(self) -> tuple[int, Mapping[str, int]]:
        def read() -> tuple[int, Mapping[str, int]]:
            with self._opened().read() as connection:
                tx = Transaction(connection)
                return gauges.waiting_retries(tx), gauges.open_letters(tx)

        nothing: tuple[int, Mapping[str, int]] = (0, {})
        return self._or_away(DATABASE, read, nothing)

    def _paced(self, since: datetime, until: datetime) -> Pace:
        return self._or_away(DATABASE, lambda: pace(self._opened(), since, until), Pace(0, 0, []))

    def _counted(self) -> Counts | None:
        folder = self._folder()
        if folder is None:
            return None
        return added_up(MultiProcessCollector(None, str(folder)).collect())  # type: ignore[no-untyped-call]  # untyped library

    def _folder(self) -> Path | None:
        return folder_of(self._settings.home.absolute())

    def _opened(self) -> Database:
        if self._database is None:
            self._database = open_database(self._settings.database)
        return self._database

    def _served(self) -> Mapping[str, Connection]:
        if self._registry is None:
            self._registry = Registry(self._settings.connections_path, self._settings.home)
        self._registry.refresh()
        if self._registry.problems:
            self._away[CONNECTIONS] = self._registry.problems[0]
        return self._registry.all()

    def _connected(self, served: Mapping[str, Connection], now: datetime) -> list[Connected]:
        database = self._opened()
        health, received = health_of(database), read_findings.last_received(database, served)
        return [
            Connected(
                id=name,
                state=state(each),
                health=health.get(name, {}).get("state"),
                last_at=received.get(name),
                is_silent=_is_silent(each, received.get(name), now),
            )
            for name, each in served.items()
        ]

    def _today_of(self, served: Mapping[str, Connection], now: datetime) -> Mapping[str, int] | None:
        if self._today_at is None or now - self._today_at >= TODAY_EVERY:
            database, zones = self._opened(), zones_of(served)
            counted = scope.apart(connections_with_work(database), served)[0]
            found = day(database, counted, zones, now)
            orders = ((each, zones(each.connection, each.site)) for each in found.orders)
            counts = Counter(line.group for line in days_work(found.stops, orders, found.assets, Wanted(), now))
            self._today, self._today_at = {group: counts[group] for group in GROUPS}, now
        return self._today


def _is_silent(connection: Connection, last_at: datetime | None, now: datetime) -> bool:
    every = connection.expect_every
    return every is not None and last_at is not None and now - last_at > every
