"""`connections revoke`: nothing more from that sender; and, if asked, nothing of what it sent either."""

from typing import Annotated

import typer

from handlers.connections import edits
from handlers.errors import ConfigurationError, ServiceUnreachableError, TransientError
from handlers.settings import load
from worker import queue
from worker.cli import acting, connections_distrust, connections_shown, dead_letters_given, given, looking, output
from worker.cli.audited import NO_REASON, write_row
from worker.cli.roles import Home
from worker.settings import WorkerSettings

Id = Annotated[str, typer.Argument(metavar="ID", help="The connection's name, as in its webhook's address.")]


def revoke(
    connection_id: Id,
    *,
    distrust_since: connections_distrust.Since = None,
    dry_run: dead_letters_given.DryRun = False,
    yes: dead_letters_given.Yes = False,
    reason: acting.Reason = None,
    who: acting.By = None,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Refuse everything a connection sends, from now on.

    In effect at once, in the broker and in the file; fails, with nothing changed, where the broker does not answer.
    What was accepted before is still worked on. `connections add` takes it in again.

    ID may be an endpoint: then its address is closed. Of a connection that shares an address, events that still come in
    there become dead letters; a worker does not read them from 2 seconds after the file says so.

    Does not wait for the database: the row in the audit log comes last, and without it this ends with code 3.

    With --distrust-since what it sent from then on is taken out of the set as well, after a plan: its state becomes
    that of the set without it, its open dead letters are discarded, and what of it is still on its way will not be
    applied. The bytes stay in the archive, marked. The connection is rebuilt for that (`maintenworks rebuild --help`).
    Doing it again changes nothing. Of what came in at an address that it shares its own part leaves the set; where the
    secret of that address leaked, revoke and distrust the endpoint: then all that came in there leaves, for everybody.

    Example: `maintenworks connections revoke acme`

    Example: `maintenworks connections revoke acme --distrust-since 2026-03-01T08:00:00Z --reason "secret leaked"`
    """
    if dry_run and distrust_since is None:
        raise typer.BadParameter(f"goes with {connections_distrust.OPTION}", param_hint="--dry-run")
    settings = load(WorkerSettings, home=home)
    operator = acting.operator(who, reason, NO_REASON if dry_run or distrust_since is None else None)
    row = (settings, operator, "connections.revoke", {"connection": connection_id})
    try:
        given.address(given.registry(settings), connection_id, settings)
    except ConfigurationError:
        output.note("the file is bad; the broker refuses a revoked connection whatever the file says")
    distrusted = None
    if distrust_since is not None:
        distrusted = connections_distrust.planned(
            settings, connection_id, distrust_since, operator, as_json=as_json, dry_run=dry_run
        )
        if dry_run:
            return
        connections_distrust.agreed(distrusted, yes=yes)
    try:
        queue.revoke(queue.broker_url(settings), connection_id)
    except (ServiceUnreachableError, TransientError) as error:
        raise ServiceUnreachableError(f"{connection_id} is not revoked: {error}") from error
    try:
        edits.revoke(settings.connections_path, connection_id)
    except ConfigurationError as error:
        output.refuse(error)
        output.note(f"{connection_id} is revoked in the broker, but not marked in the file; mend that and revoke again")
        if distrusted is not None:
            output.note("what it sent is still in the set")
        write_row(*row, {"broker": "revoked", "file": "not marked"})
        raise typer.Exit(output.PARTLY) from None
    connections_shown.done("revoked", connection_id, as_json=as_json)
    is_done = distrusted is None or connections_distrust.carried_out(settings, distrusted, as_json=as_json)
    write_row(*row, {"broker": "revoked", "file": "marked"})
    if not is_done:
        raise typer.Exit(output.PARTLY)
