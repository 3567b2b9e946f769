"""`connections check` and `connections verify`: why a connection's webhooks are refused, or will be."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer

from handlers.connections import Address
from handlers.settings import load
from handlers.signatures import QUERY, Explanation, explain
from worker.cli import given, output
from worker.cli.roles import Home
from worker.doctor.place import secret_problem
from worker.settings import WorkerSettings

_MARKS = {True: "ok", False: "failed", None: "-"}


def check(
    connection_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One connection; all otherwise.")] = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Check that every secret can be had here, is long enough and is of use to the connection's scheme.

    `env:` references are read from this process's environment: run it where the receiver runs. Exits 1 where any
    connection has a problem.

    Example: `maintenworks connections check`
    """
    settings = load(WorkerSettings, home=home)
    registry = given.registry(settings)
    chosen: list[Address] = (
        [*registry.all().values(), *registry.endpoints().values()]
        if connection_id is None
        else [given.address(registry, connection_id, settings)]
    )
    now = datetime.now(UTC)
    found = [(each, secret_problem(registry, each, now)) for each in chosen]
    if as_json:
        for each, why in found:
            output.json_line({"connection": each.id, "ok": why is None, "problem": why})
    else:
        output.table(("connection", "secrets"), [(each.id, why or "ok") for each, why in found])
    if any(why is not None for _, why in found):
        raise typer.Exit(output.FAILURE)


def verify(
    connection_id: Annotated[str, typer.Argument(metavar="ID", help="Whose webhook it is.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Its body, byte for byte; - for standard input.")],
    *,
    header: Annotated[
        list[str] | None, typer.Option("--header", "-H", metavar="'NAME: VALUE'", help="As it came; repeat.")
    ] = None,
    query: Annotated[str, typer.Option(help="Of the address, as it came, for a token in there.")] = "",
    at: Annotated[str | None, typer.Option(metavar="TIME", help="When it came, with offset; now otherwise.")] = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Tell which step of verification fails for a saved webhook, and what usually causes it.

    Nothing is sent and nothing stored. Exits 1 where it does not verify.

    Example: `maintenworks connections verify acme body.json -H 'X-Webhook-Signature: 5f2c…'`
    """
    settings = load(WorkerSettings, home=home)
    registry = given.registry(settings)
    connection = given.posted_to(registry, given.address(registry, connection_id, settings))
    arrived = datetime.now(UTC) if at is None else given.moment(at, "--at")
    if connection.scheme.sought and not (header or query):
        raise typer.BadParameter("give the headers that it came with", param_hint="--header")
    held = given.secrets(registry, connection, arrived)
    headers = {**given.headers(header or ()), QUERY: query.removeprefix("?")}
    found = explain(connection.scheme, held, headers, given.body(file), arrived.timestamp())
    if as_json:
        output.json_line(_as_json(connection, found))
    else:
        _print(connection, found)
    if not found.verdict.ok:
        raise typer.Exit(output.FAILURE)


def _print(connection: Address, found: Explanation) -> None:
    rows: Sequence[Sequence[object]] = [(step.name, _MARKS[step.ok], step.detail) for step in found.steps]
    output.table(("step", "", "what was found"), rows)
    for hint in found.hints:
        output.line(hint)
    verdict = found.verdict
    if verdict.ok:
        output.line(f"verified for {connection.id} with the secret at position {verdict.position}")
    else:
        output.line(f"refused: {verdict.reason}")


def _as_json(connection: Address, found: Explanation) -> dict[str, object]:
    return {
        "connection": connection.id,
        "scheme": connection.scheme.name,
        "verified": found.verdict.ok,
        "position": found.verdict.position,
        "reason": found.verdict.reason,
        "steps": [{"step": step.name, "ok": step.ok, "detail": step.detail} for step in found.steps],
        "hints": list(found.hints),
    }
