"""Plans of preventive maintenance, found and worked out: of which connections and sites, at which moment."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from handlers.connections import Connection
from handlers.connections.plan_file import NAME, read_plan_file
from handlers.connections.zones import zones_of
from handlers.rules.occurrence import Occurrence
from handlers.rules.pm_plan import Plan
from handlers.rules.pm_schedule import all_occurrences
from handlers.rules.recurrence import local_day
from handlers.store.engine import Database
from handlers.store.read_pm import Book, Known, connections_with_plans, known_plans, plan_keys
from worker.scope import SANDBOX

ORDER: Final = ("overdue", "due", "called", "planned")
"""Of states that need something done, the most urgent first."""


class Wanted(NamedTuple):
    """Which plans are asked about; None for any."""

    connection: str | None = None
    site: str | None = None
    asset: str | None = None
    plan: str | None = None


class Worked(NamedTuple):
    """A plan and its occurrences."""

    plan: Plan
    found: list[Occurrence]


class Plans:
    """The plans of an installation.

    Args:
        home: where its file of plans is.
        database: where its records are.
        known: the registered connections.

    Attributes:
        known: the registered connections, by id.
        left_out: sandboxes that did not count, since nobody named them.
    """

    def __init__(self, home: Path, database: Database, known: Mapping[str, Connection]) -> None:
        self._database = database
        self.known = known
        self._book = Book(read_plan_file(home / NAME), zones_of(known))
        self.left_out: list[str] = []

    def groups(self, wanted: Wanted) -> Iterator[list[Known]]:
        """Plans with what their occurrences follow from, and behind them those that cover one of them."""
        for connection in self._connections(wanted.connection):
            keys = plan_keys(self._database, connection, self._book)
            if wanted.plan is not None:
                keys = [key for key in keys if key == wanted.plan]
            yield from known_plans(self._database, connection, keys, self._book)

    def worked(
        self, wanted: Wanted, now: datetime, *, until: date | None = None, project: bool = False
    ) -> Iterator[Worked]:
        """Each plan that is asked about, with its occurrences."""
        seen: set[tuple[str, str]] = set()
        for group in self.groups(wanted):
            found: dict[str, list[Occurrence]] = {}
            for each in all_occurrences(group, now, until=until, project=project):
                found.setdefault(each.plan, []).append(each)
            for known in group:
                plan = known.plan
                if (plan.connection, plan.key) not in seen and _matches(plan, wanted):
                    seen.add((plan.connection, plan.key))
                    yield Worked(plan, found.get(plan.key, []))

    def group(self, plan: Plan, by: str) -> tuple[str, str | None]:
        """The connection and the name that a plan counts under; customers are not told apart by connection."""
        known = self.known.get(plan.connection)
        names = {
            "site": plan.site,
            "asset": plan.asset,
            "plan": plan.key,
            "connection": plan.connection,
            "customer": plan.connection if known is None else known.customer,
        }
        return ("" if by == "customer" else plan.connection, names[by])

    def _connections(self, named: str | None) -> list[str]:
        if named is not None:
            return [named]
        every = connections_with_plans(self._database, self._book)
        self.left_out = [each for each in every if each in self.known and self.known[each].environment == SANDBOX]
        return [each for each in every if each not in self.left_out]


class Due(NamedTuple):
    """A time that something is due, and its plan."""

    plan: Plan
    time: Occurrence


def due(plans: Plans, wanted: Wanted, now: datetime, within: int) -> list[Due]:
    """What is overdue, due, called for, and planned in so many days, the most urgent first."""
    found = []
    for plan, occurrences in plans.worked(wanted, now):
        last = local_day(now, plan.zone) + timedelta(days=within)
        near = [each for each in occurrences if each.state != "planned" or (each.due and each.due <= last)]
        found += [Due(plan, each) for each in near if each.state in ORDER]
    found.sort(key=lambda each: (ORDER.index(each.time.state), str(each.time.due), each.time.connection, each.time.id))
    return found


def _matches(plan: Plan, wanted: Wanted) -> bool:
    if wanted.site is not None and plan.site != wanted.site:
        return False
    if wanted.plan is not None and plan.key != wanted.plan:
        return False
    return wanted.asset is None or wanted.asset in plan.assets
