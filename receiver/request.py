"""What of a request is looked at: its header fields, and its body up to a limit."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from receiver.problems import BODY_TOO_LARGE, TOO_MUCH_UNFINISHED, Problem

UNFINISHED_BYTES = 128 * 1024 * 1024
"""Of bodies that have begun to come, all senders' together."""
ALWAYS_BYTES = 64 * 1024
"""A body of so many is read on however many are unfinished: uvicorn holds as much of each connection anyway."""
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


class Bodies:
    """Reads bodies, each up to a limit; what of all of them has come and is not whole is bounded too.

    Nobody has been asked for a signature yet: without that bound, strangers who never finish would fill the memory.
    A body that comes whole at once, as nearly all do, is not waited for and so not counted.

    Args:
        limit: of one, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._most = UNFINISHED_BYTES + limit  # one at least fits, whatever its size
        self._unfinished = 0

    async def read(self, receive: Receive) -> bytes | Problem:
        """The whole body, or why the rest of it is not read.

        Args:
            receive: the request's ASGI channel.

        Raises:
            ClientDisconnect: the sender went away, or was too slow.
        """
        part, more = await _next(receive)
        if not more:
            return part if len(part) <= self._limit else BODY_TOO_LARGE
        parts, size = [part], len(part)
        self._unfinished += size
        try:
            while more:
                if size > self._limit:
                    return BODY_TOO_LARGE
                if size > ALWAYS_BYTES and self._unfinished > self._most:
                    return TOO_MUCH_UNFINISHED
                part, more = await _next(receive)
                parts.append(part)
                size += len(part)
                self._unfinished += len(part)
        finally:
            self._unfinished -= size
        return b"".join(parts) if size <= self._limit else BODY_TOO_LARGE


async def _next(receive: Receive) -> tuple[bytes, bool]:
    """The next part of a body, and whether there is more."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    return message.get("body", b""), message.get("more_body", False)
