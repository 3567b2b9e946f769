"""One table of `connections.toml` into one connection, or the notes on why not."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from handlers.connections import mapping, signing
from handlers.connections.connection import Api, Connection, Endpoint, SecretRef
from handlers.connections.fields import Fields
from handlers.connections.mapping import read_options
from handlers.connections.signing import read_reference, read_scheme, read_secrets
from handlers.rules.credits import TIERS
from handlers.signatures import Scheme
from handlers.sources import Source

_FIELDS: Final = (
    "source",
    "customer",
    "environment",
    "endpoint",
    "external_id",
    *signing.NAMES,
    "api",
    "expect_every",
    "deployment",
    "tier",
    "credits",
    *mapping.NAMES,
    "paused",
    "revoked",
)
_SHORTEST_SILENCE: Final = timedelta(minutes=1)
"""It is looked for every few seconds; what comes more often is missed soon enough."""
_MOST_CREDITS: Final = 1_000
_LONGEST_SILENCE: Final = timedelta(days=400)
"""Something comes once a year."""


def read_connection(
    connection_id: str,
    fields: Fields,
    sources: Mapping[str, Source],
    endpoints: Mapping[str, Endpoint | None],
) -> Connection | None:
    """Reads one connection.

    Args:
        connection_id: its name, checked already.
        fields: of its table; what is wrong with them is noted there.
        sources: all there are, by name.
        endpoints: those that it may join, by name; None for one that something is wrong with.

    Returns:
        None where something was wrong without which there is no connection.
    """
    fields.only(_FIELDS)
    source = sources.get(_source(fields, sources))
    joined = _joined(fields, endpoints)
    by, secrets = _signing(fields, source, endpoints.get(joined or ""))
    rest = {
        "customer": fields.text("customer", connection_id),
        "environment": fields.one_of("environment", ("production", "sandbox"), "production"),
        "endpoint": joined,
        "external_id": fields.text("external_id"),
        "deployment": fields.one_of("deployment", ("cloud", "on_premises"), "cloud"),
        "tier": _tier(fields),
        "stated_credits": _credits(fields),
        "options": read_options(fields),
        "paused": fields.flag("paused"),
        "revoked": fields.flag("revoked"),
        "rate_limit": fields.rate("rate_limit"),
        "api": _api(fields),
        "expect_every": fields.duration("expect_every", _SHORTEST_SILENCE, _LONGEST_SILENCE),
    }
    if source is None or by is None:
        return None
    return Connection(
        id=connection_id, source=source.name, scheme=by, secrets=secrets, handshakes=source.handshakes, **rest
    )


def _joined(fields: Fields, endpoints: Mapping[str, Endpoint | None]) -> str | None:
    """The endpoint that a connection's events come in at; None where it has only an address of its own."""
    name = fields.text("endpoint")
    if name is None:
        if "external_id" in fields:
            fields.wrong("external_id", 'has no endpoint to come in at; write endpoint = "NAME", or drop it')
        return None
    if name not in endpoints:
        known = f"there are {', '.join(endpoints)}" if endpoints else "there is none"
        fields.wrong("endpoint", f"is no endpoint; {known}; write [endpoints.{name}], or name another")
    if "external_id" not in fields:
        fields.wrong("external_id", "is missing; write the id by which the endpoint's payloads name this connection")
    return name


def _signing(
    fields: Fields, source: Source | None, endpoint: Endpoint | None
) -> tuple[Scheme | None, tuple[SecretRef, ...]]:
    """Its own scheme and secrets; without secrets of its own those of the endpoint serve, at that one's address."""
    if "endpoint" not in fields or "secrets" in fields:
        return read_scheme(fields, source), read_secrets(fields)
    for name in signing.NAMES:
        if name in fields:
            fields.wrong(name, "goes with an address of its own; the endpoint's serves here: drop it, or add secrets")
    return (endpoint.scheme if endpoint is not None else None), ()


def _source(fields: Fields, sources: Mapping[str, Source]) -> str:
    if "source" not in fields:
        fields.wrong("source", f"is missing; name one of {', '.join(sources)}")
        return ""
    return str(fields.one_of("source", tuple(sources), ""))


def _tier(fields: Fields) -> int | None:
    tier: int | None = fields.any("tier", int)
    if tier is None or tier in TIERS:
        return tier
    fields.wrong("tier", f"is none of {', '.join(map(str, TIERS))}")
    return None


def _credits(fields: Fields) -> int | None:
    stated: int | None = fields.any("credits", int)
    if stated is None or 0 <= stated <= _MOST_CREDITS:
        return stated
    fields.wrong("credits", f"is no number from 0 to {_MOST_CREDITS}")
    return None


def _api(fields: Fields) -> Api | None:
    given = fields.any("api", dict)
    if given is None:
        return None
    api = fields.inner(given, "api")
    api.only(("base_url", "token"))
    base_url = api.text("base_url")
    if base_url is None or not _is_web_address(base_url):
        api.wrong("base_url", 'is no address; write one like "https://api.makini.io/api/eam"')
        return None
    return Api(base_url=base_url.rstrip("/"), token=read_reference(api, "token") if "token" in api else None)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_login = parts.username is not None or parts.password is not None
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not has_login
