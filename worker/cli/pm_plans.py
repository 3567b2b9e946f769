"""`pm add` and `pm remove`: plans of `pm_plans.toml` by command."""

import tomllib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from handlers.connections.plan_edits import add_plan, remove_plan
from handlers.connections.plan_file import NAME
from handlers.errors import ConfigurationError
from handlers.events import Json
from handlers.settings import load
from worker.cli import acting, given, output
from worker.cli.audited import audited
from worker.cli.roles import Home
from worker.settings import WorkerSettings

Key = Annotated[str, typer.Argument(metavar="PLAN", help="Its key, by which work orders name it.")]
Of = Annotated[str, typer.Option("--connection", metavar="C", help="Whose plan it is.")]


def add(
    key: Key,
    *,
    connection: Of,
    assets: Annotated[
        list[str] | None, typer.Option("--asset", metavar="KEY", help="What it is about; may be repeated.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    every: Annotated[str | None, typer.Option(metavar="N UNIT", help='Such as "2 weeks", "3 months".')] = None,
    rule: Annotated[str | None, typer.Option(metavar="RRULE", help="Days of RFC 5545 instead.")] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day, or what counts from.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="The last.")] = None,
    meter: Annotated[str | None, typer.Option(metavar="KEY", help="A meter makes it due, too or alone.")] = None,
    meter_every: Annotated[str | None, typer.Option(metavar="UNITS", help="After so many of its units.")] = None,
    mode: Annotated[str | None, typer.Option(help="fixed (otherwise), completion or generation.")] = None,
    grace: Annotated[str | None, typer.Option(help="What is in time, such as smrp_20_percent.")] = None,
    lead_days: Annotated[int | None, typer.Option(min=0, help="How early work is called for.")] = None,
    hours: Annotated[float | None, typer.Option(min=0, help="That it takes.")] = None,
    crew: Annotated[int | None, typer.Option(min=1, help="People at once.")] = None,
    team: Annotated[str | None, typer.Option(help="Whose work it is.")] = None,
    more: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=TOML", help="Any other field of the file; may be repeated."),
    ] = None,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
) -> None:
    """Add a plan that nobody upstream states, or what upstream leaves out of its own.

    It is a table of pm_plans.toml in the home, where comments stay and more can be said than here; the scheduler sees
    it within a minute. A plan of the same key that upstream states is added to.

    Example: `maintenworks pm add PUMP-7-GREASE --connection acme --asset PUMP-7 --every "3 months" --from 2026-01-31
    --grace smrp_20_percent --hours 1.5 --reason "manual, 4.2"`

    Example: `maintenworks pm add PRESS-OIL --connection acme --asset PRESS-1 --meter PRESS-1-HOURS --meter-every 500
    --set 'season = { first = "04-01", last = "10-31" }' --reason "oil analysis"`
    """
    settings = load(WorkerSettings, home=home)
    given.connection(given.registry(settings), connection, settings)
    if (meter is None) != (meter_every is None):
        raise typer.BadParameter("--meter and --meter-every go together", param_hint="--meter")
    fields: dict[str, Any] = {
        "connection": connection,
        "assets": assets or None,
        "name": name,
        "every": every,
        "rule": rule,
        "from": _day(since, "--from"),
        "until": _day(until, "--until"),
        "meter": None if meter is None else {"key": meter, "every": meter_every},
        "mode": mode,
        "grace": grace,
        "lead_days": lead_days,
        "hours": hours,
        "crew": crew,
        "team": team,
    }
    fields |= _more(more or (), fields)
    told: dict[str, Json] = {"plan": key, "connection": connection, "assets": list(assets or ())}
    with audited(settings, acting.operator(who, reason), "pm.add", told):
        add_plan(settings.home / NAME, key, fields)
    output.note(f"added {key} to {settings.home / NAME}; see `maintenworks pm plan {key}`")


def remove(
    key: Key,
    *,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
) -> None:
    """Remove a plan from pm_plans.toml; what upstream states of it stays.

    Example: `maintenworks pm remove PUMP-7-GREASE --reason "pump sold"`
    """
    settings = load(WorkerSettings, home=home)
    with audited(settings, acting.operator(who, reason), "pm.remove", {"plan": key}):
        remove_plan(settings.home / NAME, key)
    output.note(f"removed {key} from {settings.home / NAME}")


def _day(text: str | None, option: str) -> object:
    """A day as TOML has it: without quotes."""
    return None if text is None else _value("from", text, option)


def _more(given_: Iterable[str], fields: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given_:
        name, equals, text = each.partition("=")
        name = name.strip()
        if not equals or not name:
            raise ConfigurationError([f"--set {each}: write NAME=TOML, such as open_limit=3"])
        if fields.get(name) is not None or name in found:
            raise ConfigurationError([f"--set {name}: is given twice; keep one of them"])
        found[name] = _value(name, text, "--set")
    return found


def _value(name: str, text: str, option: str) -> object:
    try:
        told = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        told = {}
    if set(told) != {"value"}:
        mend = "write a day like 2026-01-31" if name == "from" else "write a value of TOML, a text in quotes"
        raise ConfigurationError([f"{option} {name}={text}: is none; {mend}"])
    return told["value"]
