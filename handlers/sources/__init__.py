"""The shelf of upstream systems: one file each, registered by its constant `SOURCE`.

A module whose name begins with an underscore is shared by the others and registers nothing.
"""

import enum
import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from handlers.events import Delivery, MappingOptions, Reading
from handlers.sources._bodies import inflated

__all__ = ["Handshake", "Source", "fingerprint", "inflated", "load"]

FINGERPRINT_DIGITS = 12
"""Of SHA-256 in hexadecimal: it tells the maps of one connection apart, of which there are few."""

_ENCODER = msgspec.json.Encoder(order="deterministic")


class Handshake(enum.StrEnum):
    """How a sender asks whether an address is willing, before or between its webhooks."""

    VALIDATION = "validationToken"
    """The query's `validationToken` is given back as plain text (Business Central's subscriptions)."""
    WEBHOOK_ORIGIN = "WebHook-Request-Origin"
    """OPTIONS with that header, answered with `WebHook-Allowed-Origin` (CloudEvents HTTP web hooks 1.0.1, 4)."""
    URL_VERIFICATION = "url_verification"
    """A body of that `type`, whose `challenge` is given back (Slack's Events API)."""


@dataclass(frozen=True, slots=True)
class Source:
    """How one upstream system is read.

    Attributes:
        name: what a connection calls it, `source = "unified"`; the name of its file.
        default_scheme: the signature scheme of a connection that names none, as `handlers.signatures.scheme` takes it.
        read: pure; turns a delivery into what it says, in order, and never raises: what cannot be read is `Unmapped`.
        map_version: raised by one whenever the map would read some payload differently: it is in the fingerprint.
        map_from: where the map comes from, for people: documents and how sure they are.
        handshakes: what its sender asks, answered for known connections only.
        external_id: JSON Pointer (RFC 6901) to what tells the connections of a shared address apart; None where the
            source's bodies have nothing of the kind.
    """

    name: str
    default_scheme: str | Mapping[str, Any]
    read: Callable[[Delivery, MappingOptions], Reading]
    map_version: int = 1
    map_from: str = ""
    handshakes: tuple[Handshake, ...] = ()
    external_id: str | None = None


def load() -> Mapping[str, Source]:
    """Finds every source on the shelf, by name, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    sources = [importlib.import_module(f"{__name__}.{name}").SOURCE for name in names]
    return MappingProxyType({source.name: source for source in sources})


def fingerprint(source: Source, options: MappingOptions) -> str:
    """What read an event: the source, the version of its map, and what the connection told it.

    Returns:
        Twelve hexadecimal digits; the same for equal options, in whatever order their maps were written.
    """
    read_by = (source.name, source.map_version, options)
    return hashlib.sha256(_ENCODER.encode(read_by)).hexdigest()[:FINGERPRINT_DIGITS]
