"""Which secret signed this? An unknown name costs as much to refuse as a known one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from handlers.connections import Address, Registry
from handlers.errors import TransientError
from handlers.signatures import QUERY, Scheme, Verdict, decoy_secrets, scheme, verify

_DEFAULT_SCHEME = "makini"


class Verifier:
    """Verifies requests for the connections of a registry.

    For a name that nobody registered it does what a real connection would cost, chosen by the name so that the same
    name always costs the same, and throws the verdict away: neither the answer nor its time tells names apart.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._stand_in = (scheme(_DEFAULT_SCHEME), decoy_secrets())
        self._all: Mapping[str, Address] | None = None
        self._known: tuple[Address, ...] = ()

    def verify(
        self, address: Address, headers: Mapping[str, str], body: bytes, now: datetime, query: bytes = b""
    ) -> Verdict:
        """Checks a request against a known connection or endpoint.

        Args:
            address: as the registry has it.
            headers: names in lower case.
            body: as sent.
            now: aware.
            query: of the request's target, as sent.

        Raises:
            TransientError: a secret cannot be resolved for now.
        """
        usable = self._registry.secrets(address, now)
        return verify(address.scheme, usable, _read_by(address.scheme, headers, query), body, now.timestamp())

    def pretend(self, name: str, headers: Mapping[str, str], body: bytes, now: datetime, query: bytes = b"") -> None:
        """Does the same work for a name that nobody has."""
        by, usable = self._model(name, now)
        verify(by, usable, _read_by(by, headers, query), body, now.timestamp())

    def _model(self, name: str, now: datetime) -> tuple[Scheme, Sequence[bytes]]:
        everyone = self._registry.addresses()
        if everyone is not self._all:
            self._all, self._known = everyone, tuple(everyone.values())
        if not self._known:
            return self._stand_in
        model = self._known[hash(name) % len(self._known)]  # the hash of text is keyed by process
        try:
            return model.scheme, self._registry.secrets(model, now)
        except TransientError:
            return self._stand_in


def _read_by(by: Scheme, headers: Mapping[str, str], query: bytes) -> Mapping[str, str]:
    """The headers, and the query with them for a scheme that reads it: nobody else gets to see what may be a token."""
    return {**headers, QUERY: query.decode("latin-1")} if by.wants_query else headers
