"""`tokens`: who may look at the console and ask the read API, and who may act there."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from handlers.errors import ConfigurationError
from handlers.settings import load
from worker import tokens
from worker.cli import acting, looking, output
from worker.cli.audited import NO_REASON, audited, write_row
from worker.cli.roles import Home
from worker.settings import WorkerSettings

COLUMNS = ("name", "role", "made")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; the audit log names them so.")]

commands = typer.Typer(help="Who may use the console and the read API.", no_args_is_help=True)


@commands.command()
def add(
    name: Name,
    *,
    role: Annotated[str, typer.Option(metavar="|".join(tokens.ROLES), help="What they may: look, or act.")] = "viewer",
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Make a token and print it, this once; only a digest of it is kept.

    Example: `maintenworks tokens add anna --role operator`
    """
    if role not in tokens.ROLES:
        raise ConfigurationError([f"--role: one of {', '.join(tokens.ROLES)}; not {role!r}"])
    settings = load(WorkerSettings, home=home)
    told = {"token": name, "role": role}
    with audited(settings, acting.operator(who, reason, NO_REASON), "tokens.add", told):
        made = tokens.add(settings.home, name, role, datetime.now(UTC))
        if as_json:
            output.json_line({"name": name, "role": role, "token": made})
        else:
            output.line(f"{name}, {role}; the token, shown this once: {made}")


@commands.command("list")
def list_(home: Home = None, as_json: looking.Json = False) -> None:
    """Print whose tokens there are, and what they may.

    Example: `maintenworks tokens list`
    """
    found = tokens.listed(load(WorkerSettings, home=home).home)
    if as_json:
        looking.json_lines({"name": each.name, "role": each.role, "created_at": each.created_at} for each in found)
    else:
        looking.rows(COLUMNS, [(each.name, each.role, each.created_at) for each in found])
    if not found:
        looking.nothing("no tokens; `maintenworks up` makes one, or see `maintenworks tokens add --help`")


@commands.command()
def revoke(
    name: Name,
    *,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Take a token back, and end every session that began by it; in effect at once.

    That of `up` is called `operator`; the next `up` makes another. Does not wait for the database: without its row in
    the audit log this ends with code 3.

    Example: `maintenworks tokens revoke anna --reason "left the plant"`
    """
    settings = load(WorkerSettings, home=home)
    if all(each.name != name for each in tokens.listed(settings.home)):
        looking.nothing(f"no token {name!r}")
    operator = acting.operator(who, reason, NO_REASON)
    tokens.revoke(settings.home, name)
    if as_json:
        output.json_line({"done": "revoked", "token": name})
    else:
        output.line(f"revoked {name}")
    write_row(settings, operator, "tokens.revoke", {"token": name}, {})


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="tokens", rich_help_panel="Connections")
