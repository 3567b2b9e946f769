"""What the command line does to `connections.toml`: comments stay, and a crash leaves the old file or the new one.

The file is read, edited and replaced under a lock, and every edit is parsed again before it is kept: what was bad
before is not touched, and nothing bad is written.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from handlers.connections import generated
from handlers.connections.connection import Address, Connection
from handlers.connections.document import Document
from handlers.connections.files import locked, replace
from handlers.connections.parsing import CONNECTIONS, ENDPOINTS, parse
from handlers.connections.providers import reference_problem
from handlers.connections.registry import decoded
from handlers.errors import ConfigurationError
from handlers.sources import load

_TO_BE_MADE: Final = "env:TO_BE_MADE"


@dataclass(frozen=True)
class Issued:
    """The new secret of a connection or an endpoint.

    Attributes:
        ref: where it is; None for a connection that has none of its own, and joins an endpoint.
        secret: what it is, if it was made here: to be shown once. None where the reference was given.
    """

    ref: str | None
    secret: str | None = field(default=None, repr=False)


def add(
    path: Path,
    home: Path,
    name: str,
    fields: Mapping[str, Any],
    *,
    secret: str | None = None,
    own_secret: bool = True,
    kind: str = CONNECTIONS,
) -> Issued:
    """Adds a connection or an endpoint.

    One that was revoked is taken in again, its old secrets dropped and its other fields kept.

    Args:
        path: `connections.toml`; made, 0600, if need be.
        home: where a generated secret is kept.
        name: its id.
        fields: `source` and whatever else the table shall have, as TOML's values; None counts as not given.
        secret: a reference; None to generate one.
        own_secret: false for a connection that joins an endpoint and has no address of its own.
        kind: `connections` or `endpoints`.

    Raises:
        ConfigurationError: the name is taken, or the file would be bad with it; nothing is written then.
    """
    given = {key: value for key, value in fields.items() if value is not None}
    with _editing(path) as document:
        known = document.table(name)
        if known is not None and (document.kind(name) != kind or not known.get("revoked", False)):
            place = f"{document.kind(name)}.{name}"
            raise ConfigurationError([f"{path}: {place}: is there already; rotate or revoke it"])
        trial = _trial(document, name, given, (secret or _TO_BE_MADE) if own_secret else None, kind)
        with _issued(home, trial, secret) if own_secret else contextlib.nullcontext(Issued(None)) as issued:
            new = {**given, **_secrets(issued.ref)}
            if known is None:
                document.append(name, new, kind)
            else:
                document.unset(name, "revoked")
                if not own_secret:
                    document.unset(name, "secrets")
                for key, value in new.items():
                    document.set(name, key, value)
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
            raise ConfigurationError(
                [f"{path}: {document.kind(connection_id)}.{connection_id}: is revoked; add it again"]
            )
        if isinstance(connection, Connection) and not connection.has_address:
            mend = f"rotate its endpoint {connection.endpoint}"
            raise ConfigurationError([f"{path}: connections.{connection_id}: has no secret of its own; {mend}"])
        problem = reference_problem(secret) if secret is not None else None
        if problem is not None:
            raise ConfigurationError([f"secret: {problem}"])
        with _issued(home, connection, secret) as issued:
            until = (now + grace).astimezone(UTC).replace(microsecond=0)
            document.limit_secrets(connection_id, until, now)
            document.put_secret_first(connection_id, str(issued.ref))
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
    _mark(path, connection_id, "paused", only=CONNECTIONS)


def resume(path: Path, connection_id: str) -> None:
    """Takes back `pause`.

    Raises:
        ConfigurationError: there is no such connection, or the file is bad; nothing is written.
    """
    with _editing(path) as document:
        _present(path, document, connection_id)
        document.unset(connection_id, "paused")
        _keep(path, document)


def _mark(path: Path, connection_id: str, name: str, *, only: str | None = None) -> None:
    with _editing(path) as document:
        _present(path, document, connection_id)
        if document.kind(connection_id) != (only or document.kind(connection_id)):
            mend = "name the connections that joined it, each by itself"
            raise ConfigurationError([f"{path}: endpoints.{connection_id}: cannot be {name}; {mend}"])
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


def _present(path: Path, document: Document, name: str) -> Address:
    entries = parse(document.text, str(path), load())
    address = entries.connections.get(name) or entries.endpoints.get(name)
    if address is None:
        raise ConfigurationError([f"{path}: connections.{name}: is not there; see connections list"])
    return address


def _trial(document: Document, name: str, fields: Mapping[str, Any], ref: str | None, kind: str) -> Address:
    """The connection or endpoint as it will be, before any secret is made for it."""
    kept = {**(document.table(name) or {}), **fields}
    kept.pop("secrets", None)
    kept.pop("revoked", None)
    trial = Document("")
    for endpoint, table in document.tables(ENDPOINTS).items():
        if endpoint != name:
            trial.append(endpoint, table, ENDPOINTS)
    trial.append(name, {**kept, **_secrets(ref)}, kind)
    try:
        entries = parse(trial.text, "", load())
    except ConfigurationError as error:  # the lines are of no file that anybody could look at
        raise ConfigurationError([problem.split(": ", maxsplit=1)[1] for problem in error.problems]) from None
    return entries.connections.get(name) or entries.endpoints[name]


def _secrets(ref: str | None) -> dict[str, Any]:
    return {} if ref is None else {"secrets": [{"ref": ref}]}


@contextlib.contextmanager
def _issued(home: Path, connection: Address, secret: str | None) -> Iterator[Issued]:
    """The reference given, or a secret made; what was made is taken back if the edit does not come to its end."""
    if secret is not None:
        yield Issued(secret)
        return
    made = generated.new_secret(connection.scheme.name)
    ref = generated.keep(home, connection.id, made)
    try:
        yield Issued(ref, made)
    except BaseException:
        generated.discard(home, ref)
        raise
