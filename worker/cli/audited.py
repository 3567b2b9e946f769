"""Acts on what is not in the database, each with its row in the audit log.

No transaction holds a file and a row together. So the database is asked for before the act, which is not begun without
it, and the row is written right after; an act that must not wait for the database says in the end that its row is
missing.
"""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import typer

from handlers.connections.files import touch
from handlers.errors import MaintenworksError, ServiceUnreachableError, TransientError
from handlers.events import Json
from handlers.store import migrate
from handlers.store.audit import append
from handlers.store.engine import Database
from handlers.store.reading import open_database
from handlers.store.rowset import Transaction
from worker.acts import Operator
from worker.cli import output
from worker.settings import WorkerSettings

NO_REASON = "none given"
"""For acts that a set-up script does before anybody has a reason."""


@contextlib.contextmanager
def audited(
    settings: WorkerSettings, operator: Operator, act: str, told: Mapping[str, Json]
) -> Iterator[dict[str, Json]]:
    """An act that is not begun while the database is away.

    An act that is refused, or fails, leaves no row.

    Args:
        settings: name the database; an empty one gets its schema, since connections are added before anything ran.
        operator: who acts, and why.
        act: as a slug, such as `connections.pause`.
        told: on what; never a secret.

    Yields:
        What it came to, to be filled in by the act.

    Raises:
        ServiceUnreachableError: the database does not answer; nothing was done.
        typer.Exit: done, and the row could not be written, which was said on standard error.
    """
    _prepare(settings.database)
    outcome: dict[str, Json] = {}
    yield outcome
    write_row(settings, operator, act, told, outcome)


def write_row(
    settings: WorkerSettings, operator: Operator, act: str, told: Mapping[str, Json], outcome: Mapping[str, Json]
) -> None:
    """Writes the row of an act that is done, whatever the database's state.

    Args:
        settings: name the database.
        operator: who acted, and why.
        act: as a slug.
        told: on what; never a secret.
        outcome: what it came to.

    Raises:
        typer.Exit: the row could not be written, which was said on standard error.
    """
    try:
        _prepare(settings.database)
        database = open_database(settings.database)
        try:
            with database.write() as connection:
                append(Transaction(connection), operator.did(act, dict(told), dict(outcome)), datetime.now(UTC))
        finally:
            database.close()
    except MaintenworksError as error:
        output.note(f"maintenworks: {error}")
        output.note(f"{act} is done, but its row in the audit log could not be written; note it elsewhere")
        raise typer.Exit(output.PARTLY) from None


def _prepare(url: str) -> None:
    """Asks for a database of this version's schema, and gives an empty one its schema."""
    database = Database(url, pool_size=1)
    file = database.engine.url.database
    try:
        if database.dialect == "sqlite" and file:
            touch(Path(file))  # the folder's owner can use it, whoever runs this
        if migrate.version(database) is None:
            migrate.upgrade(database)
    except TransientError as error:
        raise ServiceUnreachableError(f"the database does not answer: {error}") from error
    except OSError as error:
        raise ServiceUnreachableError(f"the database cannot be made: {file}: {error.strerror}") from error
    finally:
        database.close()
    open_database(url).close()
