"""What the `pm` commands share: plans, found and worked out, of which connections and sites, at which moment."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, NamedTuple, NoReturn

import typer

from handlers.connections import Connection
from handlers.connections.plan_file import NAME, read_plan_file
from handlers.connections.zones import zones_of
from handlers.errors import ConfigurationError
from handlers.rules.occurrence import Occurrence
from handlers.rules.pm_plan import FIRST_YEAR, LAST_YEAR, Plan
from handlers.rules.pm_records import is_in_time
from handlers.rules.pm_schedule import all_occurrences
from handlers.store.engine import Database
from handlers.store.read_pm import Book, Known, connections_with_plans, known_plans, plan_keys
from worker.cli import given, looking
from worker.scope import SANDBOX
from worker.settings import WorkerSettings

Site = Annotated[str | None, typer.Option("--site", metavar="S", help="Only of this site.")]
Asset = Annotated[str | None, typer.Option("--asset", metavar="KEY", help="Only of this asset.")]
GROUPS = ("site", "asset", "plan", "connection", "customer")
By = Annotated[str, typer.Option(metavar="|".join(GROUPS), help="What a line is about.")]
AsOf = Annotated[str | None, typer.Option(metavar="T", help="As it stood then, by all that is known; now otherwise.")]


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
        settings: where its files are.
        database: where its records are.

    Attributes:
        known: the registered connections.
        left_out: sandboxes that did not count, since nobody named them.
    """

    def __init__(self, settings: WorkerSettings, database: Database) -> None:
        self._database = database
        self.known: dict[str, Connection] = dict(given.registry(settings).all())
        self._book = Book(read_plan_file(settings.home / NAME), zones_of(self.known))
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

    def nothing(self, what: str, wanted: Wanted) -> NoReturn:
        """Says that nothing matched, and ends the command."""
        hint = ""
        if self.left_out:
            hint = f"; sandbox connections count only when named: --connection {self.left_out[0]}"
        looking.nothing(f"{what} of {wanted.connection or 'any connection'}{hint}")

    def _connections(self, named: str | None) -> list[str]:
        if named is not None:
            return [named]
        every = connections_with_plans(self._database, self._book)
        self.left_out = [each for each in every if each in self.known and self.known[each].environment == SANDBOX]
        return [each for each in every if each not in self.left_out]


def now_or(as_of: str | None) -> datetime:
    """The moment that is asked about: as given, else now.

    Raises:
        ConfigurationError: it is no time, or none of a year in which something may be due.
    """
    found = datetime.now(UTC) if as_of is None else looking.moment(as_of, "--as-of")
    if not is_in_time(found):
        raise ConfigurationError([f"--as-of: give a year from {FIRST_YEAR} to {LAST_YEAR}; not {as_of!r}"])
    return found


def grouped(by: str) -> None:
    """Refuses what nothing can be counted by.

    Raises:
        ConfigurationError: it is none of `GROUPS`.
    """
    if by not in GROUPS:
        raise ConfigurationError([f"--by: one of {', '.join(GROUPS)}; not {by!r}"])


def named(by: str, name: str | None) -> dict[str, Any]:
    """What a row is about, as JSON; the connection has a place of its own."""
    if by == "connection":
        return {}
    return {f"{by}_key" if by in {"asset", "plan"} else by: name}


def sortable(key: tuple[str | None, ...]) -> tuple[str, ...]:
    """A key with gaps, for sorting."""
    return tuple("" if each is None else each for each in key)


def _matches(plan: Plan, wanted: Wanted) -> bool:
    if wanted.site is not None and plan.site != wanted.site:
        return False
    if wanted.plan is not None and plan.key != wanted.plan:
        return False
    return wanted.asset is None or wanted.asset in plan.assets
