"""The registry: who may send, and with which secrets, as the file says now."""

import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from handlers.connections.connection import MIN_SECRET_BYTES, Address, Connection, Endpoint, SecretRef
from handlers.connections.files import content_of
from handlers.connections.known import Known
from handlers.connections.parsing import parse
from handlers.connections.providers import UNRESOLVED
from handlers.connections.resolver import Resolver
from handlers.errors import ConfigurationError, TransientError
from handlers.sources import load

_UNREADABLE: Final = b"\xff"
"""Stands for the content of a file that cannot be read; no TOML file is this."""


class Registry:
    """The connections of one file, kept fresh by whoever calls `refresh` (each role does, once a second).

    A file that does not exist is an empty registry. Any thread may read or refresh.

    Args:
        path: `connections.toml`.
        home: where the relative paths of secrets start.

    Raises:
        ConfigurationError: the file is there and nobody can work with it; there is no last good one yet.

    Attributes:
        problems: one line each, of the file as it is now; empty while it is good. The last good one serves meanwhile.
        bad_edits: how often a change has made it bad since the start.
    """

    def __init__(self, path: Path, home: Path) -> None:
        self.problems: tuple[str, ...] = ()
        self.bad_edits = 0
        self._path = path
        self._sources = load()
        self._resolver = Resolver(home)
        self._known = Known()
        self._timeless: dict[str, tuple[Address, tuple[bytes, ...]]] = {}
        self._seen: bytes | None = None
        # One at a time, so that whoever comes back from a refresh sees what it found.
        self._refreshing = threading.Lock()
        self.refresh()
        if self.problems:
            raise ConfigurationError(self.problems)

    def get(self, connection_id: str) -> Connection | None:
        """The connection of that id, paused and revoked ones too; None where nobody registered it."""
        return self._known.connections.get(connection_id)

    def all(self) -> Mapping[str, Connection]:
        """Every connection by its id, in the file's order; the same object until the file has changed."""
        return self._known.connections

    def address(self, name: str) -> Address | None:
        """What webhooks are posted to under that name, a connection or an endpoint; None where there is no such."""
        return self._known.addresses.get(name)

    def addresses(self) -> Mapping[str, Address]:
        """All of them by name; the same object until the file has changed."""
        return self._known.addresses

    def endpoint(self, name: str) -> Endpoint | None:
        """The endpoint of that name, a revoked one too."""
        return self._known.endpoints.get(name)

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Every endpoint by its name, in the file's order."""
        return self._known.endpoints

    def member(self, endpoint: str, external_id: str) -> Connection | None:
        """The connection that an endpoint's payloads name so; None where nobody registered it."""
        return self._known.members.get((endpoint, external_id))

    def refresh(self) -> bool:
        """Reads the file, if it changed, and every secret in use; blocks on the disk and never raises.

        Returns:
            Whether another registry serves now. A bad edit changes `problems` and `bad_edits`, and nothing else.
        """
        with self._refreshing:
            try:
                changed = self._read()
            except ConfigurationError as error:
                self._complain(error.problems)
                changed = False
            self._resolver.refresh(self._refs())
            self._timeless = {}
            return changed

    def secrets(self, connection: Address, now: datetime) -> tuple[bytes, ...]:
        """The secrets that verify deliveries to an address at a moment.

        Args:
            connection: of this registry, or an endpoint of it.
            now: aware.

        Returns:
            In the file's order, those out of their time left out; none for what is revoked.

        Raises:
            TransientError: of code `secret_unresolved`, naming the reference of one that is missing, shorter than 16
                bytes or of no use to the connection's scheme.
        """
        timeless = self._timeless  # a refresh throws it away, with what is put into it meanwhile
        held = timeless.get(connection.id)
        if held is not None and held[0] is connection:
            return held[1]
        if connection.revoked:
            return ()
        secrets = tuple(self._secret(connection, ref) for ref in connection.secrets if ref.valid_at(now))
        if not any(ref.not_before or ref.not_after for ref in connection.secrets):
            timeless[connection.id] = (connection, secrets)
        return secrets

    def resolve(self, ref: SecretRef) -> bytes:
        """What one reference names, such as an API token.

        Raises:
            TransientError: of code `secret_unresolved`, naming the reference.
        """
        return self._resolver.value(ref.text)

    def unresolved(self, now: datetime) -> dict[str, str]:
        """Why addresses have a secret that cannot be had, or only its last known value, by their names."""
        told = {each.id: self._trouble(each, now) for each in self._known.addresses.values()}
        return {connection_id: trouble for connection_id, trouble in told.items() if trouble is not None}

    def _trouble(self, connection: Address, now: datetime) -> str | None:
        try:
            self.secrets(connection, now)
        except TransientError as error:
            return str(error)
        stale = (self._resolver.stale(ref.text) for ref in connection.secrets if ref.valid_at(now))
        return next((f"{why}; its last value serves" for why in stale if why is not None), None)

    def _secret(self, connection: Address, ref: SecretRef) -> bytes:
        secret = self._resolver.value(ref.text)
        if len(secret) < MIN_SECRET_BYTES:
            raise TransientError(UNRESOLVED, f"{ref.text}: is shorter than {MIN_SECRET_BYTES} bytes; make a longer one")
        problem = connection.scheme.secret_problem(secret)
        if problem is not None:
            raise TransientError(UNRESOLVED, f"{ref.text}: {problem}")
        return secret

    def _read(self) -> bool:
        content = self._content()
        if content == self._seen:
            return False
        self._seen = content
        if content is None:
            raise ConfigurationError([f"{self._path}:1: is gone; put it back (its last content serves meanwhile)"])
        if not content.strip() and (self._known.connections or self._known.endpoints):
            # An editor that writes in place empties the file first; for that moment nobody's webhooks are refused.
            raise ConfigurationError(
                [f"{self._path}:1: is empty; write the connections (the last ones serve meanwhile)"]
            )
        known = Known(*parse(decoded(content, str(self._path)), str(self._path), self._sources))
        self.problems = ()
        if known.same_as(self._known):
            return False
        self._known = known
        return True

    def _content(self) -> bytes | None:
        try:
            return content_of(self._path)
        except ConfigurationError:
            self._seen = _UNREADABLE
            raise

    def _complain(self, problems: tuple[str, ...]) -> None:
        if problems != self.problems:
            self.problems = problems
            self.bad_edits += 1

    def _refs(self) -> set[str]:
        refs = {ref.text for address in self._known.addresses.values() for ref in address.secrets}
        tokens = {each.api.token.text for each in self._known.connections.values() if each.api and each.api.token}
        return refs | tokens


def decoded(content: bytes, name: str) -> str:
    """A TOML file's text; a byte order mark is dropped, which some editors write and TOML 1.0 does not know.

    Raises:
        ConfigurationError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError([f"{name}:{line}: is not UTF-8 there; save it as UTF-8"]) from None
