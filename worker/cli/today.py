"""`today`: the day's work, in the order in which a planner would go through it."""

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer

from handlers.connections.zones import zones_of
from handlers.rules.times import kept_instant
from handlers.rules.today import GROUPS, Line, Order, Wanted, days_work
from handlers.store.read_today import connections_with_work, day
from worker import scope
from worker.cli import given, looking, output
from worker.cli.roles import Home

COLUMNS = ("what", "asset", "order", "title", "criticality", "priority", "crew", "why", "connection")
TOLD = {"down": "down", "overdue": "overdue", "due": "due", "in_progress": "in progress"}


def today(
    *,
    site: Annotated[str | None, typer.Option(metavar="KEY", help="Only of this site.")] = None,
    crew: Annotated[str | None, typer.Option(metavar="C", help="Only for this team or person, by key or name.")] = None,
    connection: looking.Of = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="T", help="What stands, is late or due then; now otherwise.")
    ] = None,
    limit: looking.Limit = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print the day's work: assets down, then orders that are overdue, due before the day ends, and in progress.

    What is down comes by criticality, unplanned stops first; what is overdue by the criticality of its asset, then by
    priority and age; what is due by the hour. A day ends when it does at the site. With a crew, an asset that is down
    is listed if an order of theirs is open on it, or nobody's. Of the past, orders that were finished since are left
    out. A sandbox connection counts only when it is named.

    Example: `maintenworks today --site NORTH --crew mechanics`
    """
    now = datetime.now(UTC) if as_of is None else looking.moment(as_of, "--as-of")
    with looking.opened(home) as (settings, database):
        known = given.registry(settings).all()
        counted = [connection] if connection else scope.apart(connections_with_work(database), known)[0]
        zones = zones_of(known)
        found = day(database, counted, zones, now)
    orders = ((each, zones(each.connection, each.site)) for each in found.orders)
    lines = days_work(found.stops, orders, found.assets, Wanted(site, crew), now)
    shown = lines[:limit]
    if as_json:
        looking.json_lines(each.row(now) for each in shown)
    else:
        looking.rows(COLUMNS, map(_line, shown))
    if not lines:
        looking.nothing("nothing is down, overdue, due or in progress")
    if not as_json:
        counts = Counter(line.group for line in lines)
        told = ", ".join(f"{counts[group]} {TOLD[group]}" for group in GROUPS)
        output.note(f"{told}; as of {kept_instant(now)}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(today)


def _line(line: Line) -> tuple[object, ...]:
    of = line.of
    asset = of.asset if line.asset.name is None else f"{of.asset} {line.asset.name}"
    told = (TOLD[line.group], asset)
    if isinstance(of, Order):
        mine = (of.key, of.title, line.asset.criticality, of.priority, ", ".join(of.crew))
    else:
        mine = (", ".join(each.key for each in of.orders[:3]), None, line.asset.criticality, None, "")
    return (*told, *mine, line.reason, of.connection)
