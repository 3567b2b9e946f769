"""What stands at this moment and people should know: read from the tables, and heard from the schedules."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from handlers.connections import Connection, Registry
from handlers.rules.notices import Finding, Key, Notice
from handlers.rules.times import parse_moment
from handlers.store import canaries, read_findings
from handlers.store.engine import Database
from handlers.store.read_health import health_of
from worker import canary

AUTH_REQUIRED: Final = "auth_required"
FAILS_FOR: Final = timedelta(minutes=2)
"""After so long without a success a schedule that failed counts as failing; a database that restarts takes less."""
CANARY_LATE: Final = 5 * canary.EVERY
"""Some may be lost on the way, or refused for a moment; five in a row are not."""


class Failing:
    """Which schedules have failed since they last succeeded; told by one thread, asked by any.

    Args:
        clock: now, as an aware UTC time.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._since: dict[str, tuple[datetime, str]] = {}
        self._lock = threading.Lock()

    def hear(self, schedule: str, code: str | None) -> None:
        """How a run ended: the code of its error, None for well."""
        with self._lock:
            if code is None:
                self._since.pop(schedule, None)
            else:
                since, _ = self._since.get(schedule, (self._clock(), code))
                self._since[schedule] = since, code

    def findings(self, now: datetime) -> Iterator[Finding]:
        """Those that have failed for long enough."""
        with self._lock:
            failed = sorted(self._since.items())
        for schedule, (since, code) in failed:
            if now - since >= FAILS_FOR:
                yield Finding(kind="schedule", subject=schedule, since=since, about={"code": code})


class Looks:
    """Looks at everything.

    Args:
        database: where things stand.
        registry: the connections.
        failing: the schedules.
        sends_canaries: whether this installation does.
        began_at: since when it has been looked; silence that nothing ever broke counts from then.
    """

    def __init__(
        self, database: Database, registry: Registry, failing: Failing, *, sends_canaries: bool, began_at: datetime
    ) -> None:
        self._database = database
        self._registry = registry
        self._failing = failing
        self._sends_canaries = sends_canaries
        self._began_at = began_at

    def look(self, known: Iterable[Notice], now: datetime) -> list[Finding]:
        """All that stands.

        Args:
            known: what is remembered, so that names need not be looked up again.
            now: the time.
        """
        served = {each.id: each for each in self._registry.all().values() if not (each.paused or each.revoked)}
        found = [*self._letters({each.key: each for each in known}), *self._unauthorised(served)]
        found += [*self._silent(served, now), *self._failing.findings(now)]
        return found + ([*self._canary(now)] if self._sends_canaries else [])

    def _letters(self, known: Mapping[Key, Notice]) -> Iterator[Finding]:
        causes = read_findings.causes(self._database)
        remembered = {each.fingerprint: known.get(("dead_letters", each.fingerprint)) for each in causes}
        new = [fingerprint for fingerprint, notice in remembered.items() if notice is None]
        named = read_findings.named(self._database, new)
        for each in causes:
            notice, name = remembered[each.fingerprint], named.get(each.fingerprint)
            if notice is None and name is None:
                continue  # settled between the two readings
            about = notice.about if notice is not None else {}
            if name is not None:
                about = {"code": name.code, "connections": list(name.connections)}
            yield Finding(
                kind="dead_letters",
                subject=each.fingerprint,
                since=each.since,
                seen_at=each.last_buried_at,
                count=each.letters,
                about=about,
            )

    def _unauthorised(self, served: Mapping[str, Connection]) -> Iterator[Finding]:
        for connection, told in health_of(self._database).items():
            since = parse_moment(told["since"])
            if connection in served and told["state"] == AUTH_REQUIRED and since is not None:
                yield Finding(kind="auth_required", subject=connection, since=since)

    def _silent(self, served: Mapping[str, Connection], now: datetime) -> Iterator[Finding]:
        expected = {name: each.expect_every for name, each in served.items() if each.expect_every is not None}
        received = read_findings.last_received(self._database, sorted(expected))
        for connection, every in expected.items():
            since = received.get(connection, self._began_at)
            if now - since > every:
                about = {"expect_every_s": int(every.total_seconds())}
                yield Finding(kind="silent", subject=connection, since=since, about=about)

    def _canary(self, now: datetime) -> Iterator[Finding]:
        names = list(canary.names(self._registry))
        if not names:
            return
        seen = canaries.last_seen(self._database, names)
        since = self._began_at if seen is None else seen[0]
        if now - since > CANARY_LATE:
            yield Finding(kind="canary", subject="canary", since=since)
