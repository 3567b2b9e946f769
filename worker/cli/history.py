"""`history`: what happened to one asset, oldest first."""

from typing import Annotated

import typer

from handlers.store.read_history import Line
from handlers.store.read_timeline import timeline
from worker.cli import given, looking
from worker.cli.roles import Home
from worker.shapes.history import told

COLUMNS = ("occurred", "learned", "connection", "type", "subject", "detail")


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

    Sorted by when things happened; beside it stands when we learned of them. What `assets link` made one has one
    timeline, and each line says which connection tells it; where maintenance was due a line says what became of it.

    Example: `maintenworks history PUMP-7 --connection acme --from 2026-03-01`
    """
    start, end = looking.bounds(since, until, ("--from", "--to"))
    with looking.opened(home) as (settings, database):
        known = given.registry(settings).all()
        lines = timeline(database, connection, asset, start, end)
        if as_json:
            count = looking.json_lines(told(line, known.get(line.connection)) for line in lines)
        else:
            count = looking.rows(COLUMNS, map(_line, lines))
    if count == 0:
        looking.nothing(f"nothing is known of asset {asset!r} of {connection} {'then' if start or end else 'yet'}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("history", rich_help_panel="Looking")(history_)


def _line(line: Line) -> tuple[object, ...]:
    told = {
        name: ",".join(map(str, value)) if isinstance(value, list) else value for name, value in line.detail.items()
    }
    detail = " ".join(f"{name}={value}" for name, value in told.items())
    subject = f"{line.subject_kind} {line.subject_key}"
    return (line.occurred_at, line.received_at, line.connection, line.type, subject, detail)
