"""What the `pm` commands share: plans, found and worked out, of which connections and sites, at which moment."""

from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn

import typer

from handlers.errors import ConfigurationError
from handlers.rules.pm_plan import FIRST_YEAR, LAST_YEAR
from handlers.rules.pm_records import is_in_time
from handlers.store.engine import Database
from worker import plans
from worker.cli import given, looking
from worker.plans import Wanted, Worked
from worker.settings import WorkerSettings

__all__ = [
    "GROUPS",
    "AsOf",
    "Asset",
    "By",
    "Plans",
    "Site",
    "Wanted",
    "Worked",
    "grouped",
    "named",
    "now_or",
    "sortable",
]

Site = Annotated[str | None, typer.Option("--site", metavar="S", help="Only of this site.")]
Asset = Annotated[str | None, typer.Option("--asset", metavar="KEY", help="Only of this asset.")]
GROUPS = ("site", "asset", "plan", "connection", "customer")
By = Annotated[str, typer.Option(metavar="|".join(GROUPS), help="What a line is about.")]
AsOf = Annotated[str | None, typer.Option(metavar="T", help="As it stood then, by all that is known; now otherwise.")]


class Plans(plans.Plans):
    """The plans of an installation, for a command.

    Args:
        settings: where its files are.
        database: where its records are.
    """

    def __init__(self, settings: WorkerSettings, database: Database) -> None:
        super().__init__(settings.home, database, given.registry(settings).all())

    def nothing(self, what: str, wanted: Wanted) -> NoReturn:
        """Says that nothing matched, and ends the command."""
        hint = ""
        if self.left_out:
            hint = f"; sandbox connections count only when named: --connection {self.left_out[0]}"
        looking.nothing(f"{what} of {wanted.connection or 'any connection'}{hint}")


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
