"""The roles, one command each, for production: the command becomes the role's own process."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from handlers.settings import PREFIX

Home = Annotated[Path | None, typer.Option(help="Folder of everything embedded; MAINTENWORKS_HOME otherwise.")]


def become(module: str, *arguments: str, **settings: object) -> None:
    """Replaces this process with a role, so that signals, exit code and process id are the role's own.

    Args:
        module: what `python -m` runs. `-P` keeps the current folder off the import path.
        arguments: what the module is told.
        settings: given on the command line; they win over the environment. None counts as not given.
    """
    for name, value in settings.items():
        if value is not None:
            os.environ[f"{PREFIX}{name.upper()}"] = str(value)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-P", "-m", module, *arguments])  # noqa: S606  # our own interpreter


def receiver(
    home: Home = None,
    public_host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    public_port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
) -> None:
    """Take in webhooks: verify, keep, answer.

    Answers 200 only once a delivery is durable in the broker. Needs the broker and the connections file, never the
    database.

    Example: `MAINTENWORKS_BROKER_URL=redis://broker:6379/0 maintenworks receiver --public-port 8080`
    """
    become("receiver", home=home, public_host=public_host, public_port=public_port)


def worker(
    home: Home = None,
    threads: Annotated[int | None, typer.Option(help="Batches under way at once in this process.")] = None,
) -> None:
    """Work on what was taken in: read it, apply it, once each.

    Start as many as needed, on as many machines. Needs broker and database.

    Example: `MAINTENWORKS_DATABASE_URL=postgresql://maintenworks@db/maintenworks maintenworks worker --threads 8`
    """
    become("worker", "worker", home=home, worker_threads=threads)


def scheduler(home: Home = None) -> None:
    """Ring for what is due: retries, and whatever has a time.

    Start two for safety: one leads, the other takes over within seconds.

    Example: `maintenworks scheduler --home /var/lib/maintenworks`
    """
    become("worker", "scheduler", home=home)


def console(
    home: Home = None,
    ops_host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    ops_port: Annotated[int | None, typer.Option(help="Port to listen on; 0 picks a free one.")] = None,
) -> None:
    """Show what is going on: metrics and health, for the people who operate it.

    Serves /metrics, /livez and /readyz; keep it off the public network.

    Example: `maintenworks console --ops-port 8081`
    """
    become("worker", "console", home=home, ops_host=ops_host, ops_port=ops_port)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (receiver, worker, scheduler, console):
        app.command(rich_help_panel="Roles")(command)
