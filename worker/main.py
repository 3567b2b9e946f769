"""The command line: what `maintenworks` can do. Each line of `_GROUPS` is a file of `worker.cli`."""

import sys

import typer

from handlers.errors import MaintenworksError
from worker.cli import (
    assets,
    audit,
    config,
    connections,
    dead_letters,
    demo,
    doctor,
    events,
    figures,
    history,
    migrate,
    notifications,
    output,
    pm,
    rebuild,
    records,
    report,
    roles,
    routes,
    schema,
    send,
    today,
    tokens,
    top,
    up,
    uptime,
)

HELP = """Webhook-driven event processing for industrial maintenance.

Signed webhooks come in; work order state, asset history and uptime come out, whatever order the events arrive in.

Start here: `maintenworks demo` shows it working, `maintenworks up` runs it on this machine.

Data goes to standard output, everything else to standard error. Exit codes: 0 ok, 1 failure, 2 usage, 3 partly done,
4 nothing matched, 69 a service is unreachable.
"""

_GROUPS = (
    up,
    demo,
    migrate,
    roles,
    connections,
    notifications,
    tokens,
    send,
    events,
    dead_letters,
    rebuild,
    audit,
    records,
    history,
    today,
    top,
    assets,
    uptime,
    figures,
    report,
    pm,
    config,
    doctor,
    routes,
    schema,
)


def build() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="maintenworks",
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
    )
    for group in _GROUPS:
        group.register(app)
    return app


def main() -> None:
    """The console script: runs one command and exits with its code; a foreseeable error is a line, no traceback."""
    try:
        sys.exit(build()(standalone_mode=False) or output.OK)
    except typer.TyperException as error:
        sys.exit(output.misused(error))
    except MaintenworksError as error:
        sys.exit(output.refuse(error))
    except KeyboardInterrupt:
        sys.exit(output.INTERRUPTED)
    except OSError as error:
        if error.strerror is None:
            raise
        place = f": {error.filename}" if error.filename else ""
        output.note(f"maintenworks: {error.strerror}{place}")
        sys.exit(output.FAILURE)
