"""What `report` and its commands are given: a period, a zone, whose assets."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from handlers.connections import Connection
from handlers.errors import ConfigurationError
from handlers.rules.period import FORMS, Period, parse_period, stretch
from handlers.rules.times import is_date
from handlers.store.engine import Database
from worker import scope
from worker.cli import looking
from worker.report.making import Wanted

Of = Annotated[str | None, typer.Option("--period", metavar="P", help=f"{FORMS}.")]
Zone = Annotated[
    str | None, typer.Option("--time-zone", metavar="Z", help="Cut the period there, and not where each site is.")
]


def period(text: str | None, since: str | None = None, until: str | None = None) -> Period:
    """The period that is asked for.

    Args:
        text: as one of the forms of a period.
        since: start of any other stretch, a date or a time.
        until: its end, itself excluded.

    Raises:
        ConfigurationError: it is none, none is given, or two are.
    """
    if (text is None) == (since is None and until is None) or (since is None) != (until is None):
        raise ConfigurationError(["give either --period, or --from and --to"])
    try:
        if text is not None:
            return parse_period(text)
        assert since is not None, "just asked"
        assert until is not None, "just asked"
        return stretch(_end(since, "--from"), _end(until, "--to"))
    except ValueError as error:
        raise ConfigurationError([f"{'--from and --to' if text is None else '--period'}: {error}"]) from None


def zone(text: str | None) -> str | None:
    """An IANA time zone, if one is given.

    Raises:
        ConfigurationError: it is none.
    """
    if text is not None:
        try:
            ZoneInfo(text)
        except (ValueError, OSError, LookupError):  # no key, a path out of the folder, a folder's name
            raise ConfigurationError([f'--time-zone: write one like "Europe/Berlin"; not {text!r}']) from None
    return text


def wanted(
    database: Database,
    known: Mapping[str, Connection],
    named: str | None,
    asked: tuple[Period, str, datetime, str | None],
) -> tuple[Wanted, list[str]]:
    """What a report is asked, and the sandboxes that it leaves out.

    Args:
        database: asked for the connections that have assets.
        known: the registry.
        named: one connection; None for all that are no sandbox.
        asked: the period, what a row is about, the as-of time, the zone given.
    """
    counted, left_out = scope.counted(database, known, named)
    connections = {each: known.get(each) for each in counted}
    of, by, as_of, time_zone = asked
    return Wanted(period=of, by=by, as_of=as_of, connections=connections, time_zone=time_zone), left_out


def _end(text: str, option: str) -> date:
    moment = looking.moment(text, option)
    return moment.date() if is_date(text) else moment
