"""Whose a delivery is, asked of the registry.

Each role reads that in its own second, so that the receiver may know of what we do not: who asks in vain looks again.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from handlers.connections import Connection, Endpoint


class Connections(Protocol):
    """What of the registry is asked."""

    def get(self, connection_id: str, /) -> Connection | None:
        """The connection of that id; None where nobody registered it."""

    def endpoint(self, name: str, /) -> Endpoint | None:
        """The endpoint of that name."""

    def member(self, endpoint: str, external_id: str, /) -> Connection | None:
        """The connection that an endpoint's payloads name so; None where nobody registered it."""

    def all(self) -> Mapping[str, Connection]:
        """Every connection by its id."""

    def refresh(self) -> bool:
        """Reads the registry again; says whether it changed."""


def named(connections: Connections, name: str) -> Connection | Endpoint | None:
    """The connection or endpoint of a name."""
    found = connections.get(name) or connections.endpoint(name)
    if found is None:
        connections.refresh()
        found = connections.get(name) or connections.endpoint(name)
    return found


def members(connections: Connections, endpoint: str, ids: Collection[str]) -> dict[str, Connection | None]:
    """The connections that an endpoint's payloads name so; None for an id that nobody registered.

    The registry is read again for one that is not known, and for one that is said to be revoked: it may have been taken
    in again.
    """
    found = {each: connections.member(endpoint, each) for each in ids}
    if any(member is None or member.revoked for member in found.values()):
        connections.refresh()
        found = {each: connections.member(endpoint, each) for each in ids}
    return found
