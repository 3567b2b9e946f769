"""`assets`: which assets of several systems are one thing, so that figures count it once and history is one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from handlers.connections import Connection
from handlers.errors import ConfigurationError
from handlers.rules.facts import Key
from handlers.rules.times import kept_instant
from handlers.store.asset_links import Link, listed
from worker import linking
from worker.cli import acting, given, looking, output
from worker.cli.roles import Home

COLUMNS = ("asset", "is the same as", "since")
Name = Annotated[str, typer.Argument(metavar="KEY@CONNECTION", help="An asset, by its key and its connection.")]

app = typer.Typer(no_args_is_help=True, help="Say which assets of several systems are one thing.")


@app.command()
def link(
    asset: Annotated[str, typer.Argument(metavar="KEY@CONNECTION", help="The asset that has the row in figures.")],
    other: Annotated[str, typer.Argument(metavar="KEY@CONNECTION", help="The one that is the same thing.")],
    *,
    reason: acting.Reason = None,
    by: acting.By = None,
    home: Home = None,
) -> None:
    """Have two assets count as one: down time of either counts once, failures once, in one row under the first.

    Nothing that either system told is changed, so that `assets unlink` undoes it.

    Example: `maintenworks assets link PUMP-7@acme-maximo 10000123@acme-sap --reason "same pump"`
    """
    operator = acting.operator(by, reason)
    one, same = _asset(asset), _asset(other)
    if one == same:
        raise ConfigurationError([f"{asset} is itself; name two assets"])
    with looking.opened(home) as (settings, database):
        _together(given.registry(settings).all(), one, same)
        if not linking.link(database, one, same, operator, datetime.now(UTC)):
            looking.nothing(f"{asset} and {other} are one already")
    output.note(f"{asset} and {other} count as one")


@app.command()
def unlink(
    asset: Name,
    *,
    reason: acting.Reason = None,
    by: acting.By = None,
    home: Home = None,
) -> None:
    """Have an asset count by itself again; others that it was linked to stay linked to one another.

    Example: `maintenworks assets unlink 10000123@acme-sap --reason "another pump after all"`
    """
    operator = acting.operator(by, reason)
    with looking.opened(home) as (_, database):
        if not linking.unlink(database, _asset(asset), operator, datetime.now(UTC)):
            looking.nothing(f"{asset} is linked to nothing")
    output.note(f"{asset} counts by itself")


@app.command("list-links")
def list_links(*, home: Home = None, as_json: looking.Json = False) -> None:
    """Print which assets are one thing.

    Example: `maintenworks assets list-links --json`
    """
    with looking.opened(home) as (_, database):
        found = listed(database)
        count = looking.json_lines(map(_printed, found)) if as_json else looking.rows(COLUMNS, map(_line, found))
    if count == 0:
        looking.nothing("no assets are linked")


def register(root: typer.Typer) -> None:
    """Adds the commands."""
    root.add_typer(app, name="assets", rich_help_panel="Operating")


def _asset(text: str) -> Key:
    try:
        return linking.read_name(text)
    except ValueError as error:
        raise ConfigurationError([f"{text}: {error}"]) from None


def _together(known: Mapping[str, Connection], *assets: Key) -> None:
    """Environments are never mixed (contract, section 3)."""
    found = {known[connection].environment for connection, _ in assets if connection in known}
    if len(found) > 1:
        raise ConfigurationError([f"one connection is of {' and the other of '.join(sorted(found))}: never mixed"])


def _printed(link_: Link) -> dict[str, object]:
    return {
        "connection": link_.asset[0],
        "asset_key": link_.asset[1],
        "to_connection": link_.to[0],
        "to_asset_key": link_.to[1],
        "linked_at": kept_instant(link_.linked_at),
    }


def _line(link_: Link) -> tuple[object, ...]:
    return linking.name_of(link_.asset), linking.name_of(link_.to), link_.linked_at
