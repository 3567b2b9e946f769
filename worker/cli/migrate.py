"""`migrate`: the schema to its newest version."""

from datetime import timedelta
from typing import Annotated, Final

import tenacity
import typer

from handlers.errors import ServiceUnreachableError, TransientError
from handlers.settings import PREFIX, load
from handlers.store import migrate as schema
from handlers.store.engine import Database
from worker.cli import given, output
from worker.cli.roles import Home
from worker.settings import WorkerSettings

_PAUSE: Final = tenacity.wait_exponential(multiplier=0.1, max=2.0)
"""Seconds between tries: a server that is just starting is there within a few."""


def migrate(
    *,
    wait: Annotated[str, typer.Option(help="How long to wait for a database that is just starting.")] = "30s",
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Bring the database's schema to the newest version.

    Safe to run twice and at once: of several, one works and the others wait for it. `maintenworks up` does it itself.

    Example: `MAINTENWORKS_DATABASE_URL=postgresql://maintenworks@db/maintenworks maintenworks migrate --wait 2min`
    """
    patience = given.duration(wait, "--wait")
    settings = load(WorkerSettings, home=home)
    if settings.database_url is None:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.database)
    try:
        before, now = upgraded(database, patience)
    except TransientError as error:
        raise ServiceUnreachableError(f"{PREFIX}DATABASE_URL: the database does not answer: {error}") from error
    finally:
        database.close()
    if as_json:
        output.json_line({"before": before, "version": now})
    else:
        output.line(f"schema at {now}" if before == now else f"schema at {now}, was at {before or 'nothing'}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Running")(migrate)


def upgraded(database: Database, patience: timedelta) -> tuple[str | None, str]:
    """Migrates, once the database answers.

    Args:
        database: which; a SQLite file answers at once or never, so it is not waited for.
        patience: how long a server may take to start.

    Returns:
        The versions before and now.

    Raises:
        TransientError: it did not answer in time.
    """
    seconds = 0.0 if database.dialect == "sqlite" else patience.total_seconds()
    attempts = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(TransientError),
        stop=tenacity.stop_after_delay(seconds),
        wait=_PAUSE,
        before_sleep=_say_once,
        reraise=True,
    )
    return attempts(lambda: (schema.version(database), schema.upgrade(database)))


def _say_once(state: tenacity.RetryCallState) -> None:
    if state.attempt_number == 1 and state.outcome is not None:
        output.note(f"the database does not answer yet, waiting: {state.outcome.exception()}")
