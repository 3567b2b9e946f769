"""`history`: what happened to one asset, oldest first."""

from typing import Annotated

import typer

from handlers.rules.times import kept_instant
from handlers.store.read_history import Line, history
from worker.cli import looking
from worker.cli.roles import Home

COLUMNS = ("occurred", "learned", "type", "subject", "detail")


def history_(
    asset: Annotated[str, typer.Argument(metavar="ASSET", help="The asset's key.")],
    *,
    connection: Annotated[str, typer.Option(metavar="C", help="Whose asset it is.")],
    since: Annotated[str | None, typer.Option("--from", metavar="T", help="From a date or a time on.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="T", help="Until then, itself excluded.")] = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print an asset's timeline, oldest first: every event that names it, or whose subject was on it at the time.

    Sorted by when things happened; beside it stands when we learned of them.

    Example: `maintenworks history PUMP-7 --connection acme --from 2026-03-01`
    """
    start, end = looking.bounds(since, until, ("--from", "--to"))
    with looking.opened(home) as (_, database):
        lines = history(database, connection, asset, start, end)
        count = looking.json_lines(map(_printed, lines)) if as_json else looking.rows(COLUMNS, map(_line, lines))
    if count == 0:
        looking.nothing(f"nothing is known of asset {asset!r} of {connection} {'then' if start or end else 'yet'}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("history", rich_help_panel="Looking")(history_)


def _printed(line: Line) -> dict[str, object]:
    return {
        "connection": line.connection,
        "asset_key": line.asset,
        "occurred_at": kept_instant(line.occurred_at),
        "received_at": None if line.received_at is None else kept_instant(line.received_at),
        "type": line.type,
        "subject_kind": line.subject_kind,
        "subject_key": line.subject_key,
        "event_id": line.event_id,
        "detail": line.detail,
    }


def _line(line: Line) -> tuple[object, ...]:
    told = {
        name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in line.detail.items()
    }
    detail = " ".join(f"{name}={value}" for name, value in told.items())
    return (line.occurred_at, line.received_at, line.type, f"{line.subject_kind} {line.subject_key}", detail)
