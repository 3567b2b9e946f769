"""`uptime`: availability, down time, failures, MTBF and MTTR, by asset, site or customer."""

from typing import Annotated

import typer

from handlers.errors import ConfigurationError
from handlers.rules.reach import ROLLED_UP
from handlers.rules.times import kept_instant
from handlers.store.read_members import Reach
from handlers.store.read_uptime import asset_figures, data_as_of
from worker import scope
from worker.cli import given, looking, looks, output
from worker.cli.roles import Home
from worker.shapes.uptime import ASSET, NAMED, Row, rows, told

COLUMNS = (
    "availability",
    "unplanned only",
    "required h",
    "down h",
    "planned h",
    "failures",
    "reported",
    "open",
    "MTBF h",
    "MTTR h",
)
VARIANTS = "MTBF: uptime / failures, > its 90 % lower bound without any; MTTR: unplanned down time / failures"
"""Printed beside the figures: six public formulas give five values for one timeline (`reference/kpi.md`, 0.1)."""

BY_CALENDAR = ("calendar", "24x7")
"""Columns more where required time is by calendar: which, and the availability as if all operated always."""


def uptime(
    asset: Annotated[str | None, typer.Argument(metavar="ASSET", help="Key of one asset; all otherwise.")] = None,
    *,
    since: looks.Since = None,
    until: looks.Until = None,
    period: looks.Of = None,
    as_of: looks.AsOf = None,
    connection: looking.Of = None,
    by: Annotated[str, typer.Option(metavar="asset|site|customer", help="What a line is about.")] = ASSET,
    by_calendar: looks.ByCalendar = False,
    roll_up: looks.RollUp = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print availability, down time, failures, MTBF and MTTR of a window.

    Overlapping down time counts once. Dates are midnights UTC, a period is cut in the zone of each site. Every asset
    that anything was ever said about has a line. A sandbox connection counts only when it is named. With --calendar
    what operates by a calendar and what has none are never in one line. `maintenworks figures` prints more. Assets that
    `assets link` made one have one line.

    Example: `maintenworks uptime --from 2026-03-01 --to 2026-04-01`

    Example: `maintenworks uptime --period 2026-10 --by site --calendar`

    Example: `maintenworks uptime PUMP-7 --connection acme --from 2026-01-01 --to 2027-01-01 --as-of 2026-07-05 --json`
    """
    if by not in NAMED:
        raise ConfigurationError([f"--by: one of {', '.join(NAMED)}; not {by!r}"])
    if roll_up and by != ASSET:
        raise ConfigurationError([f"--roll-up: with --by asset alone; by {by} it would count what is below twice"])
    time = looks.asked(since, until, period, as_of)
    with looking.opened(home) as (settings, database):
        known = given.registry(settings).all()
        calendars = given.calendars(settings, known) if by_calendar else None
        counted, left_out = scope.counted(database, known, connection)
        newest = data_as_of(database, counted)
        reach = Reach(frozenset(counted), roll_up)
        assets = (
            held
            for each in counted
            for held in asset_figures(database, each, looks.looker(each, known, time, calendars), asset, reach=reach)
        )
        found = rows(assets, newest, known, by)
        if as_json:
            more = {"roll_up": ROLLED_UP} if roll_up else {}
            count = looking.json_lines(told(row, by, by_calendar=by_calendar) | more for row in found)
        else:
            columns = (*COLUMNS, *BY_CALENDAR) if by_calendar else COLUMNS
            lines = (_line(row)[: 2 + len(columns)] for row in found)
            count = looking.rows(("connection", by, *columns), lines, right=(*COLUMNS, BY_CALENDAR[1]))
    if count == 0:
        looking.nothing(scope.nobody(asset, connection, left_out))
    if not as_json:
        rolled_up = f"; rolled up in {ROLLED_UP}" if roll_up else ""
        output.note(f"{time.text}, as of {kept_instant(time.as_of)}; {VARIANTS}{rolled_up}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(uptime)


def _line(row: Row) -> tuple[object, ...]:
    """A row for people: ratios as percentages, times in hours."""
    figures = row.figures
    told = figures.row()
    bound = figures.mtbf_lower_bound_s
    return (
        row.connection,
        row.name,
        _percent(figures.availability),
        _percent(figures.availability_unplanned),
        _hours(told["required_s"]),
        _hours(told["downtime_s"]),
        _hours(told["planned_downtime_s"]),
        figures.failures_effective,
        figures.failures_reported,
        figures.open_downtimes,
        _hours(figures.mtbf_s) if bound is None else f"> {_hours(bound)}",
        _hours(figures.mttr_s),
        ", ".join(row.calendars),
        _percent((row.elapsed or figures).availability),
    )


def _percent(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio:.3%}"


def _hours(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / 3600:,.2f}"
