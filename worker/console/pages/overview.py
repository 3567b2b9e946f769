"""The front page: whether things flow, and what waits for somebody."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from handlers.errors import MaintenworksError
from handlers.store import canaries, replays
from handlers.store.read_health import health_of
from handlers.store.replays import RUNNING
from handlers.store.rowset import Transaction
from worker import canary
from worker.console.ask import Ask, Page
from worker.console.beginning import is_new
from worker.console.counts import Schedule
from worker.console.house import House
from worker.console.look import page
from worker.console.views import vitals
from worker.shapes.connections import state

LATE_TIMES: Final = 3
"""Periods after which a schedule that has not succeeded is late."""
CANARY_LATE_SECONDS: Final = 180.0
GOOD_STATES: Final = frozenset({"active", "online"})


class Unwell(NamedTuple):
    """A connection that somebody should look at.

    Attributes:
        id: its.
        state: in one word.
        why: in a sentence, or empty.
    """

    id: str
    state: str
    why: str


def overview(ask: Ask) -> Response:
    """Everything at a glance, from memory where it can be; what is away is said, and the rest is shown."""
    house = ask.house
    beats = house.pulse.beats() if house.pulse is not None else []
    last = beats[-1] if beats else None
    away: list[str] = []
    told: dict[str, Any] = {"canary": None, "running": [], "health": {}, "is_new": False}
    with _noted(away):
        told["health"] = health_of(house.database)
        told["is_new"] = is_new(house)
        told["canary"] = canaries.last_seen(house.database, canary.names(house.registry))
        with house.database.read() as connection:
            told["running"] = [each for each in replays.listed(Transaction(connection)) if each.state == RUNNING]
    now = house.now()
    return page(
        ask,
        "overview.html",
        vitals=vitals.vitals(beats),
        throughput=vitals.throughput(beats),
        lag=vitals.lag(beats),
        stale=vitals.is_stale(beats, now),
        lanes=[] if last is None else last.lanes,
        causes=last.causes if last is not None else (),
        schedules=[(each, _is_late(each, now)) for each in (last.schedules if last else ())],
        unwell=_unwell(house, told.pop("health"), now),
        connections=len(house.registry.all()),
        canary_late_s=CANARY_LATE_SECONDS,
        has_canary=bool(list(canary.names(house.registry))),
        at=lambda stamp: datetime.fromtimestamp(stamp, UTC) if stamp else None,
        away=away,
        **told,
    )


def _unwell(house: House, health: dict[str, dict[str, Any]], now: datetime) -> list[Unwell]:
    found = []
    unresolved = house.registry.unresolved(now)
    for name, each in house.registry.all().items():
        standing = state(each)
        told = health.get(name, {})
        if name in unresolved:
            found.append(Unwell(name, "secret_unresolved", unresolved[name]))
        elif standing not in GOOD_STATES:
            found.append(Unwell(name, standing, ""))
        elif told.get("state") not in {None, *GOOD_STATES}:
            error = told.get("last_error") or {}
            found.append(Unwell(name, str(told["state"]), str(error.get("message") or error.get("type") or "")))
    return found


def _is_late(schedule: Schedule, now: datetime) -> bool:
    return now.timestamp() - schedule.last > LATE_TIMES * max(schedule.period, 10.0)


@contextlib.contextmanager
def _noted(away: list[str]) -> Iterator[None]:
    try:
        yield
    except MaintenworksError as error:
        away.append(str(error))


PAGES = (Page("/", overview),)
