"""`doctor`: the promise this configuration can keep, and why."""

from typing import Annotated

import typer

from handlers.settings import load
from worker.cli import output
from worker.cli.roles import Home
from worker.doctor import Level, examine
from worker.settings import WorkerSettings


def doctor(
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines: a finding each, the promise last.")] = False,
) -> None:
    """Say what promise this configuration can keep, and why: broker, database, secrets, clocks, disk.

    Each line is ok, warn or fail, with what mends it; the last line is the promise. Exits 1 where anything fails. Run
    it where the roles run, with their environment.

    Example: `maintenworks doctor`

    Example: `maintenworks doctor --json | jq -r 'select(.status == "fail") | .mend'`
    """
    settings = load(WorkerSettings, home=home)
    findings, promise = examine(settings)
    if as_json:
        for each in findings:
            mend = each.mend or None
            output.json_line({"check": each.check, "status": each.level, "detail": each.detail, "mend": mend})
        output.json_line({"promise": promise})
    else:
        rows = [(each.level.value, each.check, each.detail, each.mend) for each in findings]
        output.table(("", "what", "found", "mend"), rows)
        output.line(f"promise: {promise}")
    if any(each.level is Level.FAIL for each in findings):
        raise typer.Exit(output.FAILURE)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(doctor)
