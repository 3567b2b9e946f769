"""`connections rejections`: what a connection's sender, or whoever uses its name, was refused of late, and why."""

from typing import Annotated

import typer

from handlers.settings import load
from worker.cli import given, output
from worker.cli.roles import Home
from worker.queue import broker_url
from worker.queue import rejections as kept
from worker.settings import WorkerSettings
from worker.shapes.connections import rejected

UNKNOWN = "unknown"
"""Where requests under names that nobody registered are listed together; no connection may have this name."""

_COLUMNS = ("time", "reason", "status", "size", "headers")


def rejections(
    connection_id: Annotated[
        str, typer.Argument(metavar="ID", help="The connection's name; `unknown` for names that nobody registered.")
    ],
    *,
    limit: Annotated[int | None, typer.Option(min=1, help="So many at most.")] = None,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines.")] = False,
) -> None:
    """Print the last 100 requests that were refused, the newest first: when, why, which headers they had, their size.

    No header's value and no body is ever kept of them. In a flood only some of each second are listed; the metric
    `maintenworks_webhooks_received_total` counts them all.

    Example: `maintenworks connections rejections acme`

    Example: `maintenworks connections rejections unknown --limit 20 --json | jq -r .reason`
    """
    settings = load(WorkerSettings, home=home)
    if connection_id != UNKNOWN:
        given.address(given.registry(settings), connection_id, settings)
    found = kept(broker_url(settings), connection_id)[:limit]
    if as_json:
        for each in found:
            output.json_line(rejected(connection_id, each))
    elif found:
        rows = [(each.time, each.reason, each.status, each.size, " ".join(each.header_names)) for each in found]
        output.table(_COLUMNS, rows, right=("status", "size"))
    else:
        output.note(f"nothing of {connection_id} was refused of late")
