"""What the command line does to `connections.toml`: comments stay, and a crash leaves the old file or the new one.

The file is read, edited and replaced under a lock, and every edit is parsed again before it is kept: what was bad
before is not touched, and nothing bad is written.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handlers.connections import generated
from handlers.connections.connection import Connection
from handlers.connections.document import Document
from handlers.connections.files import locked, replace
from handlers.connections.parsing import parse
from handlers.connections.providers import reference_problem
from handlers.connections.registry import decoded
from handlers.errors import ConfigurationError
from handlers.sources import load


@dataclass(frozen=True)
class Issued:
    """A connection's new secret.

    Attributes:
        ref: where it is.
        secret: what it is, if it was made here: to be shown once. None where the reference was given.
    """

    ref: str
    secret: str | None = field(default=None, repr=False)


def add(path: Path, home: Path, connection_id: str, fields: Mapping[str, Any], *, secret: str | None = None) -> Issued:
    """Adds a connection; one that was revoked is taken in again, its old secrets dropped and its other fields kept.

    Args:
        path: `connections.toml`; made, 0600, if need be.
        home: where a generated secret is kept.
        connection_id: its name.
        fields: `source` and whatever else the table shall have, as TOML's values; None counts as not given.
        secret: a reference; None to generate one.

    Raises:
        ConfigurationError: the id is taken, or the file would be bad with it; nothing is written then.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    with _editing(path) as document:
        known = document.connection(connection_id)
        if known is not None and not known.get("revoked", False):
            raise ConfigurationError([f"{path}: connections.{connection_id}: is there already; rotate or revoke it"])
        trial = _trial(document, connection_id, given, secret)
        with _issued(home, trial, secret) as issued:
            secrets = [{"ref": issued.ref}]
            if known is None:
                document.append(connection_id, {**given, "secrets": secrets})
            else:
                document.unset(connection_id, "revoked")
                for name, value in {**given, "secrets": secrets}.items():
                    document.set(connection_id, name, value)
            _keep(path, document)
    return issued


def rotate(
    path: Path, home: Path, connection_id: str, *, grace: timedelta, now: datetime, secret: str | None = None
) -> Issued:
    """Puts a new secret first and lets the others end; those that have ended already are removed.

    Args:
        path: `connections.toml`.
        home: where a generated secret is kept.
        connection_id: which.
        grace: how long the old ones go on.
        now: aware.
        secret: a reference; None to generate one.

    Raises:
        ConfigurationError: there is no such connection, it is revoked, or the file would be bad; nothing is written.
    """
    with _editing(path) as document:
        connection = _present(path, document, connection_id)
        if connection.revoked:
            raise ConfigurationError([f"{path}: connections.{connection_id}: is revoked; add it again"])
        problem = reference_problem(secret) if secret is not None else None
        if problem is not None:
            raise ConfigurationError([f"secret: {problem}"])
        with _issued(home, connection, secret) as issued:
            until = (now + grace).astimezone(UTC).replace(microsecond=0)
            document.limit_secrets(connection_id, until, now)
            document.put_secret_first(connection_id, issued.ref)
            _keep(path, document)
    return issued


def revoke(path: Path, connection_id: str) -> None:
    """Marks a connection: it verifies nothing any more, and what it sent before can still be read.

    Raises:
        ConfigurationError: there is no such connection, or the file is bad; nothing is written.
    """
    _mark(path, connection_id, "revoked")


def pause(path: Path, connection_id: str) -> None:
    """Has a connection's deliveries kept and not applied.

    Raises:
        ConfigurationError: there is no such connection, or the file is bad; nothing is written.
    """
    _mark(path, connection_id, "paused")


def resume(path: Path, connection_id: str) -> None:
    """Takes back `pause`.

    Raises:
        ConfigurationError: there is no such connection, or the file is bad; nothing is written.
    """
    with _editing(path) as document:
        _present(path, document, connection_id)
        document.unset(connection_id, "paused")
        _keep(path, document)


def _mark(path: Path, connection_id: str, name: str) -> None:
    with _editing(path) as document:
        _present(path, document, connection_id)
        document.set(connection_id, name, True)
        _keep(path, document)


@contextlib.contextmanager
def _editing(path: Path) -> Iterator[Document]:
    with locked(path):
        try:
            text = decoded(path.read_bytes(), str(path))
        except FileNotFoundError:
            text = ""
        parse(text, str(path), load())
        yield Document(text)


def _keep(path: Path, document: Document) -> None:
    if not document.is_sound():
        raise ConfigurationError([f"{path}: is laid out in a way that cannot be edited by program; edit it by hand"])
    parse(document.text, str(path), load())
    replace(path, document.text.encode())


def _present(path: Path, document: Document, connection_id: str) -> Connection:
    connection = parse(document.text, str(path), load()).get(connection_id)
    if connection is None:
        raise ConfigurationError([f"{path}: connections.{connection_id}: is not there; see connections list"])
    return connection


def _trial(document: Document, connection_id: str, fields: Mapping[str, Any], ref: str | None) -> Connection:
    """The connection as it will be, before any secret is made for it."""
    kept = {**(document.connection(connection_id) or {}), **fields, "secrets": [{"ref": ref or "env:TO_BE_MADE"}]}
    kept.pop("revoked", None)
    trial = Document("")
    trial.append(connection_id, kept)
    try:
        return parse(trial.text, "", load())[connection_id]
    except ConfigurationError as error:  # the lines are of no file that anybody could look at
        raise ConfigurationError([problem.split(": ", maxsplit=1)[1] for problem in error.problems]) from None


@contextlib.contextmanager
def _issued(home: Path, connection: Connection, secret: str | None) -> Iterator[Issued]:
    """The reference given, or a secret made; what was made is taken back if the edit does not come to its end."""
    if secret is not None:
        yield Issued(secret)
        return
    made = generated.new_secret(connection.scheme.name)
    issued = Issued(generated.keep(home, connection.id, made), made)
    try:
        yield issued
    except BaseException:
        generated.discard(home, issued.ref)
        raise
