"""`pm forecast`: the work of the coming months, by week."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Annotated, Any

import typer

from handlers.rules.pm_forecast import Week, weeks
from handlers.rules.recurrence import Every, local_day
from worker.cli import looking, output
from worker.cli.pm_book import AsOf, By, Plans, Site, Wanted, grouped, named, now_or, sortable
from worker.cli.roles import Home
from worker.shapes import pm as shapes

LONGEST_FORECAST = 120
"""Months."""


def forecast(
    *,
    months: Annotated[int, typer.Option(min=1, max=LONGEST_FORECAST, help="How far ahead.")] = 3,
    by: By = "site",
    site: Site = None,
    connection: looking.Of = None,
    as_of: AsOf = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print the maintenance of the coming months by week: how many times something is due, and the hours of crew.

    Weeks begin on Monday. What is overdue is work of this week. Plans that wait for their orders are foreseen as if
    each were done on its day, meters by their average usage over the last year of readings. Hours are duration times
    crew; what nobody has given a duration is counted beside them.

    Example: `maintenworks pm forecast --months 6 --by site --json`
    """
    grouped(by)
    now = now_or(as_of)
    wanted = Wanted(connection, site)
    with looking.opened(home) as (settings, database):
        plans = Plans(settings, database)
        sums: dict[tuple[str, str | None], dict[date, Week]] = defaultdict(dict)
        ahead = Every(months, "month")
        for worked in plans.worked(wanted, now, until=ahead.after(now.date()) + timedelta(days=1), project=True):
            today = local_day(now, worked.plan.zone)
            group = plans.group(worked.plan, by)
            for monday, week in weeks(worked.found, today, ahead.after(today)).items():
                sums[group][monday] = week.plus(sums[group].get(monday))
    rows = [
        (group, week)
        for group, found in sorted(sums.items(), key=lambda item: sortable(item[0]))
        for _, week in sorted(found.items())
    ]
    if not rows:
        plans.nothing(f"nothing is due in {months} months", wanted)
    for group, week in rows if as_json else ():
        output.json_line(_week_printed(group, by, week))
    if not as_json:
        numbers = ("due", "overdue", "estimated", "projected", "crew h", "without hours")
        looking.rows(("connection", by, "week of", *numbers), (_week_line(*row) for row in rows), right=numbers)


def _week_printed(group: tuple[str, str | None], by: str, week: Week) -> dict[str, Any]:
    return {
        **named(by, group[1]),
        "connection": group[0] or None,
        "week": week.starts_on.strftime("%G-W%V"),
        "starts_on": week.starts_on.isoformat(),
        "due": week.due,
        "overdue": week.overdue,
        "estimated": week.estimated,
        "projected": week.projected,
        "crew_hours": shapes.number(week.crew_hours),
        "without_hours": week.without_hours,
    }


def _week_line(group: tuple[str, str | None], week: Week) -> tuple[object, ...]:
    numbers = (week.due, week.overdue, week.estimated, week.projected, shapes.number(week.crew_hours))
    return (group[0] or None, group[1], week.starts_on.isoformat(), *numbers, week.without_hours)
