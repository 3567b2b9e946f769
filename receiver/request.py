"""What of a request is looked at: its header fields, and its body up to a limit."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

HEADER_CHARACTERS = 512
"""A kept header is for finding a delivery again, not for carrying data."""

KEPT_HEADERS = frozenset(
    {
        "content-type",
        "content-encoding",
        "user-agent",
        "webhook-id",
        "svix-id",
        "x-webhook-id",
        "x-webhook-event",
        "x-webhook-timestamp",
        "x-github-delivery",
        "x-github-event",
        "x-shopify-webhook-id",
        "x-shopify-topic",
        "x-request-id",
        "idempotency-key",
        "traceparent",
    }
)
"""Headers stored with a delivery, besides CloudEvents' `ce-*` (HTTP protocol binding 1.0.2, section 3.1.3)."""


def read_headers(scope: Scope) -> dict[str, str]:
    """The request's header fields, names in lower case; a repeated one is joined (RFC 9110 section 5.3)."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def kept_headers(headers: Mapping[str, str], secret: AbstractSet[str]) -> dict[str, str]:
    """Those worth storing with the delivery.

    Args:
        headers: all of them, names in lower case.
        secret: names that carry a signature or token in this connection's scheme.
    """
    return {
        name: value[:HEADER_CHARACTERS]
        for name, value in headers.items()
        if (name in KEPT_HEADERS or name.startswith("ce-")) and name not in secret
    }


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None once it is over the limit, and the rest is not read then.

    Args:
        receive: the request's ASGI channel.
        limit: in bytes.

    Raises:
        ClientDisconnect: the sender went away, or was too slow.
    """
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)
