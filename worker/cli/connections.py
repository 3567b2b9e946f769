"""`connections`: who may send, and with which secrets."""

import tomllib
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from handlers.connections import edits
from handlers.connections.parsing import CONNECTIONS, ENDPOINTS
from handlers.settings import load
from worker.cli import (
    acting,
    connections_admitted,
    connections_check,
    connections_credits,
    connections_revoke,
    connections_shown,
    connections_try,
    given,
    output,
    rejections,
)
from worker.cli.audited import NO_REASON, audited
from worker.cli.roles import Home
from worker.settings import WorkerSettings
from worker.shapes.connections import described

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
    endpoint: Annotated[str | None, typer.Option(metavar="NAME", help="The shared address it joins.")] = None,
    external_id: Annotated[str | None, typer.Option(help="How payloads there name it.")] = None,
    shared: Annotated[bool, typer.Option("--shared", help="ID is such an address, and no connection yet.")] = False,
    pointer: Annotated[
        str | None, typer.Option("--id", metavar="POINTER", help="Where payloads there name their connection.")
    ] = None,
    secret: Secret = None,
    generate_secret: Annotated[
        bool, typer.Option("--generate-secret", help="Make a secret, keep it under the home, print it once.")
    ] = False,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a connection or a shared address, or take a revoked one in again with a new secret.

    Every role knows it within 2 seconds.

    Example: `maintenworks connections add acme --source unified --generate-secret`

    Example: `maintenworks connections add plant-7 --source unified --secret env:PLANT_7_SECRET
    --scheme '{ hmac = { header = "X-Signature", encoding = "base64" } }'`

    Example: `maintenworks connections add hub --shared --source makini --id /connection_id --generate-secret`

    Example: `maintenworks connections add north --source makini --endpoint hub --external-id conn-7`
    """
    if (secret is None) != generate_secret and (endpoint is None or generate_secret):
        raise typer.BadParameter("give either --secret REF or --generate-secret")
    settings = load(WorkerSettings, home=home)
    registry = given.registry(settings)
    known = registry.endpoint(connection_id) or registry.get(connection_id)
    if known is not None and known.revoked:
        connections_admitted.need_broker(settings, connection_id)  # before anything is written
    fields = {
        "source": source,
        "id": pointer,
        "scheme": _scheme(scheme),
        "customer": customer,
        "environment": environment,
        "endpoint": endpoint,
        "external_id": external_id,
    }
    told = {"connection": connection_id, **{name: value for name, value in fields.items() if value is not None}}
    operator = acting.operator(who, reason, NO_REASON)
    with audited(settings, operator, "connections.add", told) as outcome:
        issued = edits.add(
            settings.connections_path,
            settings.home,
            connection_id,
            fields,
            secret=secret,
            own_secret=secret is not None or generate_secret,
            kind=ENDPOINTS if shared else CONNECTIONS,
        )
        outcome["ref"] = issued.ref
        added = given.address(given.registry(settings), connection_id, settings)
        connections_shown.issued("added", added, issued, as_json=as_json)
        outcome["admitted"] = connections_admitted.admitted(settings, connection_id)
    if not outcome["admitted"]:
        raise typer.Exit(output.PARTLY)


@commands.command("list")
def list_(home: Home = None, as_json: Json = False) -> None:
    """Print every connection, and every endpoint that connections share.

    Example: `maintenworks connections list --json | jq -r 'select(.paused) | .connection'`
    """
    settings = load(WorkerSettings, home=home)
    known = given.registry(settings)
    found, endpoints = known.all().values(), known.endpoints().values()
    if as_json:
        for each in found:
            output.json_line(described(each))
        for endpoint in endpoints:
            output.json_line(described(endpoint))
    elif found or endpoints:
        connections_shown.in_list(found, endpoints)
    else:
        output.note(f"no connections in {settings.connections_path}; see `maintenworks connections add --help`")


@commands.command()
def show(connection_id: Id, home: Home = None, as_json: Json = False) -> None:
    """Print one connection, or endpoint: everything but its secrets, of which only the places are known.

    Example: `maintenworks connections show acme`
    """
    settings = load(WorkerSettings, home=home)
    found = given.address(given.registry(settings), connection_id, settings)
    if as_json:
        output.json_line(described(found))
    else:
        connections_shown.whole(found)


@commands.command()
def rotate(
    connection_id: Id,
    *,
    grace: Annotated[str, typer.Option(help="How long the old secrets go on: 90s, 30min, 24h, 7d.")] = "24h",
    secret: Secret = None,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Give a connection or an endpoint a new secret; the old ones go on for a while.

    Without --secret one is made, kept under the home and printed once. Hand it to the sender within the grace.

    Example: `maintenworks connections rotate acme --grace 7d`
    """
    settings = load(WorkerSettings, home=home)
    lasting = given.duration(grace, "--grace")
    given.address(given.registry(settings), connection_id, settings)
    path, now = settings.connections_path, datetime.now(UTC)
    operator, told = acting.operator(who, reason, NO_REASON), {"connection": connection_id, "grace": grace}
    with audited(settings, operator, "connections.rotate", told) as outcome:
        issued = edits.rotate(path, settings.home, connection_id, grace=lasting, now=now, secret=secret)
        outcome["ref"] = issued.ref
        rotated = given.address(given.registry(settings), connection_id, settings)
        connections_shown.issued("rotated", rotated, issued, as_json=as_json)


@commands.command()
def pause(
    connection_id: Id,
    *,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Keep what a connection sends, and apply none of it until it is resumed.

    Example: `maintenworks connections pause acme`
    """
    settings = load(WorkerSettings, home=home)
    given.connection(given.registry(settings), connection_id, settings)
    with audited(settings, acting.operator(who, reason, NO_REASON), "connections.pause", {"connection": connection_id}):
        edits.pause(settings.connections_path, connection_id)
        connections_shown.done("paused", connection_id, as_json=as_json)


@commands.command()
def resume(
    connection_id: Id,
    *,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Apply again what a paused connection sends, and what it sent meanwhile.

    Example: `maintenworks connections resume acme`
    """
    settings = load(WorkerSettings, home=home)
    given.connection(given.registry(settings), connection_id, settings)
    with audited(
        settings, acting.operator(who, reason, NO_REASON), "connections.resume", {"connection": connection_id}
    ):
        edits.resume(settings.connections_path, connection_id)
        connections_shown.done("resumed", connection_id, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Adds the group."""
    app.add_typer(commands, name="connections", rich_help_panel="Connections")


commands.command()(connections_revoke.revoke)
commands.command()(connections_check.check)
commands.command()(connections_check.verify)
commands.command("try")(connections_try.try_)
commands.command()(rejections.rejections)
commands.command("credits")(connections_credits.credits_)


def _scheme(text: str | None) -> Any:
    """A scheme's name, or its options written as in the file."""
    if text is None or not text.lstrip().startswith("{"):
        return text
    try:
        return tomllib.loads(f"scheme = {text}")["scheme"]
    except (ValueError, RecursionError) as error:  # TOML's errors are ValueErrors, an endless integer's too
        hint = 'write it as in the file: { hmac = { header = "X-Signature" } }'
        raise typer.BadParameter(f"{error}; {hint}", param_hint="--scheme") from None
