"""Which secret signed this? An unknown name costs as much to refuse as a known one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from handlers.connections import Connection, Registry
from handlers.errors import TransientError
from handlers.signatures import Scheme, Verdict, decoy_secrets, scheme, verify

_DEFAULT_SCHEME = "makini"


class Verifier:
    """Verifies requests for the connections of a registry.

    For a name that nobody registered it does what a real connection would cost, chosen by the name so that the same
    name always costs the same, and throws the verdict away: neither the answer nor its time tells names apart.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._stand_in = (scheme(_DEFAULT_SCHEME), decoy_secrets())
        self._all: Mapping[str, Connection] | None = None
        self._known: tuple[Connection, ...] = ()

    def verify(self, connection: Connection, headers: Mapping[str, str], body: bytes, now: datetime) -> Verdict:
        """Checks a request against a known connection.

        Args:
            connection: as the registry has it.
            headers: names in lower case.
            body: as sent.
            now: aware.

        Raises:
            TransientError: a secret cannot be resolved for now.
        """
        usable = self._registry.secrets(connection, now)
        return verify(connection.scheme, usable, headers, body, now.timestamp())

    def pretend(self, name: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
        """Does the same work for a name that nobody has."""
        by, usable = self._model(name, now)
        verify(by, usable, headers, body, now.timestamp())

    def _model(self, name: str, now: datetime) -> tuple[Scheme, Sequence[bytes]]:
        everyone = self._registry.all()
        if everyone is not self._all:
            self._all, self._known = everyone, tuple(everyone.values())
        if not self._known:
            return self._stand_in
        model = self._known[hash(name) % len(self._known)]  # the hash of text is keyed by process
        try:
            return model.scheme, self._registry.secrets(model, now)
        except TransientError:
            return self._stand_in
