"""`connections`: who may send, and with which secrets."""

import tomllib
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from handlers.connections import edits
from handlers.errors import ConfigurationError, ServiceUnreachableError, TransientError
from handlers.settings import load
from worker import queue
from worker.address import FOLDER
from worker.cli import connections_check, connections_shown, given, output, rejections
from worker.cli.roles import Home
from worker.settings import WorkerSettings

commands = typer.Typer(help="Who may send, and with which secrets.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help="The connection's name, as in its webhook's address.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Secret = Annotated[str | None, typer.Option(metavar="REF", help="Where the secret is: env:NAME or file:PATH.")]


@commands.command()
def add(
    connection_id: Id,
    source: Annotated[str, typer.Option(help="The upstream system, as `maintenworks routes` names it.")],
    *,
    scheme: Annotated[
        str | None, typer.Option(help="How it signs: a name, or options as TOML; the source's own otherwise.")
    ] = None,
    customer: Annotated[str | None, typer.Option(help="Whose it is; ID otherwise.")] = None,
    environment: Annotated[str | None, typer.Option(help="production (otherwise) or sandbox.")] = None,
    secret: Secret = None,
    generate_secret: Annotated[
        bool, typer.Option("--generate-secret", help="Make a secret, keep it under the home, print it once.")
    ] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a connection, or take a revoked one in again with a new secret.

    Every role knows it within 2 seconds.

    Example: `maintenworks connections add acme --source unified --generate-secret`

    Example: `maintenworks connections add plant-7 --source unified --secret env:PLANT_7_SECRET
    --scheme '{ hmac = { header = "X-Signature", encoding = "base64" } }'`
    """
    if (secret is None) != generate_secret:
        raise typer.BadParameter("give either --secret REF or --generate-secret")
    settings = load(WorkerSettings, home=home)
    known = given.registry(settings).get(connection_id)
    if known is not None and known.revoked:
        _need_broker(settings, connection_id)  # before anything is written
    fields = {"source": source, "scheme": _scheme(scheme), "customer": customer, "environment": environment}
    issued = edits.add(settings.connections_path, settings.home, connection_id, fields, secret=secret)
    added = given.registry(settings).all()[connection_id]
    connections_shown.issued("added", added, issued, as_json=as_json)
    _admit(settings, connection_id)


@commands.command("list")
def list_(home: Home = None, as_json: Json = False) -> None:
    """Print every connection.

    Example: `maintenworks connections list --json | jq -r 'select(.paused) | .connection'`
    """
    settings = load(WorkerSettings, home=home)
    found = given.registry(settings).all().values()
    if as_json:
        for each in found:
            output.json_line(connections_shown.described(each))
    elif found:
        connections_shown.in_list(found)
    else:
        output.note(f"no connections in {settings.connections_path}; see `maintenworks connections add --help`")


@commands.command()
def show(connection_id: Id, home: Home = None, as_json: Json = False) -> None:
    """Print one connection: everything but its secrets, of which only the places are known.

    Example: `maintenworks connections show acme`
    """
    settings = load(WorkerSettings, home=home)
    found = given.connection(given.registry(settings), connection_id, settings)
    if as_json:
        output.json_line(connections_shown.described(found))
    else:
        connections_shown.whole(found)


@commands.command()
def rotate(
    connection_id: Id,
    *,
    grace: Annotated[str, typer.Option(help="How long the old secrets go on: 90s, 30min, 24h, 7d.")] = "24h",
    secret: Secret = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give a connection a new secret; the old ones go on for a while.

    Without --secret one is made, kept under the home and printed once. Hand it to the sender within the grace.

    Example: `maintenworks connections rotate acme --grace 7d`
    """
    settings = load(WorkerSettings, home=home)
    lasting = given.duration(grace, "--grace")
    given.connection(given.registry(settings), connection_id, settings)
    path, now = settings.connections_path, datetime.now(UTC)
    issued = edits.rotate(path, settings.home, connection_id, grace=lasting, now=now, secret=secret)
    rotated = given.registry(settings).all()[connection_id]
    connections_shown.issued("rotated", rotated, issued, as_json=as_json)


@commands.command()
def revoke(connection_id: Id, home: Home = None, as_json: Json = False) -> None:
    """Refuse everything a connection sends, from now on.

    In effect at once, in the broker and in the file; fails, with nothing changed, where the broker does not answer.
    What was accepted before is still worked on. `connections add` takes it in again.

    Example: `maintenworks connections revoke acme`
    """
    settings = load(WorkerSettings, home=home)
    try:
        given.connection(given.registry(settings), connection_id, settings)
    except ConfigurationError:
        output.note("the file is bad; the broker refuses a revoked connection whatever the file says")
    try:
        queue.revoke(queue.broker_url(settings), connection_id)
    except (ServiceUnreachableError, TransientError) as error:
        raise ServiceUnreachableError(f"{connection_id} is not revoked: {error}") from error
    try:
        edits.revoke(settings.connections_path, connection_id)
    except ConfigurationError as error:
        output.refuse(error)
        output.note(f"{connection_id} is revoked in the broker, but not marked in the file; mend that and revoke again")
        raise typer.Exit(output.PARTLY) from None
    connections_shown.done("revoked", connection_id, as_json=as_json)


@commands.command()
def pause(connection_id: Id, home: Home = None, as_json: Json = False) -> None:
    """Keep what a connection sends, and apply none of it until it is resumed.

    Example: `maintenworks connections pause acme`
    """
    settings = load(WorkerSettings, home=home)
    given.connection(given.registry(settings), connection_id, settings)
    edits.pause(settings.connections_path, connection_id)
    connections_shown.done("paused", connection_id, as_json=as_json)


@commands.command()
def resume(connection_id: Id, home: Home = None, as_json: Json = False) -> None:
    """Apply again what a paused connection sends, and what it sent meanwhile.

    Example: `maintenworks connections resume acme`
    """
    settings = load(WorkerSettings, home=home)
    given.connection(given.registry(settings), connection_id, settings)
    edits.resume(settings.connections_path, connection_id)
    connections_shown.done("resumed", connection_id, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="connections", rich_help_panel="Connections")


commands.command()(connections_check.check)
commands.command()(connections_check.verify)
commands.command()(rejections.rejections)


def _scheme(text: str | None) -> Any:
    """A scheme's name, or its options written as in the file."""
    if text is None or not text.lstrip().startswith("{"):
        return text
    try:
        return tomllib.loads(f"scheme = {text}")["scheme"]
    except tomllib.TOMLDecodeError as error:
        hint = 'write it as in the file: { hmac = { header = "X-Signature" } }'
        raise typer.BadParameter(f"{error}; {hint}", param_hint="--scheme") from None


def _need_broker(settings: WorkerSettings, connection_id: str) -> None:
    try:
        queue.queue_state(queue.broker_url(settings))
    except (ServiceUnreachableError, TransientError) as error:
        raise ServiceUnreachableError(f"{connection_id} is still revoked: {error}") from error


def _admit(settings: WorkerSettings, connection_id: str) -> None:
    """Takes back a revocation in the broker; one that never ran has none."""
    try:
        queue.admit(queue.broker_url(settings), connection_id)
    except (ServiceUnreachableError, TransientError) as error:
        if settings.broker_url is None and not (settings.home / FOLDER).exists():
            return
        output.note(f"maintenworks: {error}")
        output.note(
            f"were {connection_id} ever revoked, the broker would refuse it still: revoke it, then add it again"
        )
        raise typer.Exit(output.PARTLY) from None
