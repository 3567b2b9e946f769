"""What a registry knows at one moment, found by whatever is asked for."""

from collections.abc import Mapping
from types import MappingProxyType

from handlers.connections.connection import Address, Connection, Endpoint


class Known:
    """Never changed: a registry that has been read again is another one, so that readers need no lock.

    Args:
        connections: by id.
        endpoints: by name; none is a connection's id.

    Attributes:
        connections: by id.
        endpoints: by name.
        addresses: whatever webhooks are posted to, by name.
        members: by endpoint and external id.
    """

    def __init__(
        self, connections: Mapping[str, Connection] | None = None, endpoints: Mapping[str, Endpoint] | None = None
    ) -> None:
        self.connections: Mapping[str, Connection] = MappingProxyType(dict(connections or {}))
        self.endpoints: Mapping[str, Endpoint] = MappingProxyType(dict(endpoints or {}))
        own = {name: each for name, each in self.connections.items() if each.has_address}
        self.addresses: Mapping[str, Address] = MappingProxyType({**own, **self.endpoints})
        self.members: Mapping[tuple[str, str], Connection] = MappingProxyType(
            {
                (each.endpoint, each.external_id): each
                for each in self.connections.values()
                if each.endpoint is not None and each.external_id is not None
            }
        )

    def same_as(self, other: "Known") -> bool:
        """Whether both say the same."""
        return self.connections == other.connections and self.endpoints == other.endpoints
