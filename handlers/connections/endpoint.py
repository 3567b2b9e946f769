"""One `[endpoints.NAME]` of `connections.toml`: an address that several connections share."""

from collections.abc import Mapping

from handlers.connections.connection import Endpoint
from handlers.connections.fields import Fields
from handlers.connections.signing import NAMES, read_scheme, read_secrets
from handlers.signatures import Pointer, pointer, pointer_problem
from handlers.sources import Source


def read_endpoint(name: str, fields: Fields, sources: Mapping[str, Source]) -> Endpoint | None:
    """Reads one endpoint.

    Args:
        name: checked already.
        fields: of its table; what is wrong with them is noted there.
        sources: all there are, by name.

    Returns:
        None where something was wrong without which there is no endpoint.
    """
    fields.only(("source", "id", *NAMES, "revoked"))
    source = sources.get(str(fields.one_of("source", tuple(sources), "")))
    if "source" not in fields and not any(each in fields for each in ("scheme", "hmac", "token")):
        fields.wrong("scheme", 'is missing; write scheme = "…", or the source whose own it is')
    by, place = read_scheme(fields, source), _pointer(fields, source)
    secrets, rate = read_secrets(fields), fields.rate("rate_limit")
    if by is None or place is None:
        return None
    return Endpoint(
        id=name,
        source=None if source is None else source.name,
        scheme=by,
        secrets=secrets,
        pointer=place,
        revoked=fields.flag("revoked"),
        rate_limit=rate,
        handshakes=() if source is None else source.handshakes,
    )


def _pointer(fields: Fields, source: Source | None) -> Pointer | None:
    """Where the payload says whose it is; the source's own rule where it has one."""
    given = fields.any("id", str) if "id" in fields else source.external_id if source is not None else None
    if given is None:
        if "id" not in fields:
            whose = "names no place of its own" if source is not None else "is not named"
            fields.wrong("id", f'is missing, and the source {whose}; write id = "/connection_id", a JSON Pointer')
        return None
    problem = pointer_problem(given)
    if problem is not None:
        fields.wrong("id", problem)
        return None
    return pointer(given)
