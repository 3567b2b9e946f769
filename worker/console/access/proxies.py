"""People whom a reverse proxy has let in already: it says who they are in a header, and only it is believed."""

import ipaddress
import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from starlette.requests import Request

from worker.tokens import OPERATOR, VIEWER, Role

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAME: Final = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]{0,126}[^\x00-\x20\x7f])?")
"""Whatever a directory calls people, without what a log or a page would obey."""


class Proxies:
    """The proxies that are believed; none unless the settings name some.

    Args:
        networks: where they are.
        header: in which they name who asks, in lower case; they must drop what a client sent under that name.
        operators: the names of those who may act; whoever else they name may look.
    """

    def __init__(self, networks: Sequence[Network], header: str, operators: frozenset[str]) -> None:
        self._networks = networks
        self._header = header
        self._operators = operators

    @classmethod
    def of(cls, networks: Sequence[str], header: str, operators: Sequence[str]) -> "Proxies":
        """Those that the settings name."""
        return cls([ipaddress.ip_network(each) for each in networks], header.lower(), frozenset(operators))

    def person(self, request: Request) -> tuple[str, Role] | None:
        """Whom a trusted proxy names; None where it names nobody, or more than one."""
        names = request.headers.getlist(self._header) if self._is_one(_peer(request)) else []
        if len(names) != 1 or not _NAME.fullmatch(names[0]):
            return None
        return names[0], OPERATOR if names[0] in self._operators else VIEWER

    def client(self, request: Request) -> str:
        """The address that asks: the peer's, or the one that a trusted proxy says stands behind it."""
        peer = _peer(request)
        behind = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return behind if behind and self._is_one(peer) else peer

    def is_https(self, request: Request) -> bool:
        """Whether the browser speaks TLS, to us or to a trusted proxy."""
        said = request.headers.get("x-forwarded-proto", "").strip().lower() if self._is_one(_peer(request)) else ""
        return "https" in {request.scope["scheme"], said}

    def _is_one(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._networks)


def _peer(request: Request) -> str:
    return "" if request.client is None else request.client.host
