"""`pm`: preventive maintenance: what is due, how well it is kept to, which plans there are, what is coming."""

from typing import Annotated

import typer

from worker.cli import looking, output, pm_compliance, pm_forecast, pm_plans, pm_shown
from worker.cli.pm_book import AsOf, Asset, Plans, Site, Wanted, now_or
from worker.cli.roles import Home
from worker.plans import due as due_times
from worker.shapes import pm as shapes

commands = typer.Typer(
    help="Preventive maintenance: due, kept to, planned, coming, and plans of our own.", no_args_is_help=True
)


@commands.command()
def due(
    *,
    site: Site = None,
    asset: Asset = None,
    connection: looking.Of = None,
    within: Annotated[int, typer.Option(min=0, max=3660, help="What is planned in so many days, too.")] = 14,
    as_of: AsOf = None,
    limit: looking.Limit = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print what is overdue, due, called for and coming, the most urgent first.

    Due lasts as long as the plan's own grace, overdue is what comes behind it; `late d` counts from the end of the due
    day. A date with ~ is reckoned from a meter's average usage over the last year of its readings. Days are days of the
    plan's site.

    Example: `maintenworks pm due --site NORTH --within 30`
    """
    now = now_or(as_of)
    wanted = Wanted(connection, site, asset)
    with looking.opened(home) as (settings, database):
        plans = Plans(settings, database)
        found = due_times(plans, wanted, now, within)
        if as_json:
            count = looking.json_lines(shapes.printed(plan, each, now) for plan, each in found[:limit])
        else:
            lines = (pm_shown.due_line(plan, each, now) for plan, each in found[:limit])
            count = looking.rows(pm_shown.DUE_COLUMNS, lines, right=("late d", "hours"))
    if count == 0:
        plans.nothing(f"nothing is due within {within} days", wanted)


@commands.command()
def plan(
    key: Annotated[str | None, typer.Argument(metavar="PLAN", help="Its times, too; all plans otherwise.")] = None,
    *,
    site: Site = None,
    asset: Asset = None,
    connection: looking.Of = None,
    as_of: AsOf = None,
    limit: looking.Limit = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print plans as they are understood; of one that is named each time that it is due, and what became of it.

    Plans come from upstream (`pm_plan.*` events), from `pm_plans.toml` in the home, or are only named by work orders.
    A table of that file adds to a plan of the same key, and wins:

        [plans.PUMP-7-GREASE]          # the key that orders name as their pm_plan_ref
        connection = "acme"
        assets = ["PUMP-7"]
        every = "3 months"             # or rule = "FREQ=MONTHLY;BYMONTHDAY=-1"
        from = 2026-01-31
        grace = "smrp_20_percent"
        hours = 1.5

    `maintenworks pm add` writes such a table.

    Example: `maintenworks pm plan PUMP-7-GREASE --connection acme`
    """
    now = now_or(as_of)
    wanted = Wanted(connection, site, asset, key)
    with looking.opened(home) as (settings, database):
        plans = Plans(settings, database)
        found = list(plans.worked(wanted, now))
    if not found:
        plans.nothing("no plan" if key is None else f"no plan {key!r}", wanted)
    if as_json and key is None:
        looking.json_lines(shapes.plan_row(*each) for each in found[:limit])
        return
    for each in found if as_json else ():
        times = [shapes.printed(each.plan, one, now) for one in each.found[:limit]]
        output.json_line({**shapes.plan_row(*each), "occurrences": times})
    if not as_json:
        looking.rows(pm_shown.PLAN_COLUMNS, (pm_shown.plan_line(*each) for each in found[: None if key else limit]))
        for each in found if key is not None else ():
            times_lines = (pm_shown.due_line(each.plan, one, now) for one in each.found[:limit])
            looking.rows(pm_shown.DUE_COLUMNS, times_lines, right=("late d", "hours"))


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="pm", rich_help_panel="Looking")


commands.command("compliance")(pm_compliance.compliance_)
commands.command("forecast")(pm_forecast.forecast)
commands.command("add")(pm_plans.add)
commands.command("remove")(pm_plans.remove)
