"""What a sender asks before it sends: are you there, and willing? Answered for known addresses that declare it.

Whatever is given back is plain text of few characters and limited length, and never sniffed to be anything else: the
address must not become a place where strangers publish. Nothing is stored.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

import structlog
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from handlers.connections import Address, Registry
from handlers.signatures import pointer
from handlers.sources import Handshake
from receiver.request import read_headers
from worker.telemetry import WEBHOOKS_RECEIVED

HANDSHAKE: Final = "handshake"
"""Outcome of what was answered so."""

MAX_PARAMETERS: Final = 64
_ECHO: Final = re.compile(r"[A-Za-z0-9 ._~:/+=,;@|()-]{1,1024}")
"""What tokens and challenges are made of (Microsoft Graph's are sentences with colons, Slack's letters and digits)."""

_ORIGIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}")
"""A DNS expression (CloudEvents HTTP web hooks 1.0.1, section 4.1.1)."""

_KIND, _CHALLENGE = pointer("/type"), pointer("/challenge")
_URL_VERIFICATION: Final = Handshake.URL_VERIFICATION.value.encode()

_PLAIN: Final = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
)


class Greeting(NamedTuple):
    """The answer: 200, with these header fields and this text."""

    fields: tuple[tuple[bytes, bytes], ...] = ()
    text: str = ""


def by_query(address: Address, query: bytes) -> Greeting | None:
    """Gives `validationToken` back; None where the address declares no such handshake, or nothing fit to be echoed.

    Source: Microsoft Learn, "Working with webhooks in Dynamics 365 Business Central" (POST, at subscription and at
    renewal; a GET is INFERRED).
    """
    if Handshake.VALIDATION not in address.handshakes:
        return None
    try:
        pairs = parse_qsl(query.decode("latin-1"), max_num_fields=MAX_PARAMETERS)
    except ValueError:
        return None
    given = [value for name, value in pairs if name == Handshake.VALIDATION.value]
    return _echo(given[0]) if len(given) == 1 else None


def by_body(address: Address, body: bytes) -> Greeting | None:
    """Gives the `challenge` of a body of type `url_verification` back, once its signature is right.

    Source: docs.slack.dev/reference/events/url_verification.
    """
    if Handshake.URL_VERIFICATION not in address.handshakes or _URL_VERIFICATION not in body:
        return None
    (kind,), (challenge,) = _KIND.texts(body), _CHALLENGE.texts(body)
    return _echo(challenge) if kind == Handshake.URL_VERIFICATION.value and challenge is not None else None


def by_origin(address: Address, headers: Mapping[str, str]) -> Greeting | None:
    """Agrees to be sent to by `WebHook-Request-Origin`, at the address's own rate.

    Source: CloudEvents HTTP web hooks 1.0.1, section 4 (Azure Event Grid).
    """
    origin = headers.get(Handshake.WEBHOOK_ORIGIN.value.lower(), "")
    if Handshake.WEBHOOK_ORIGIN not in address.handshakes or not _ORIGIN.fullmatch(origin):
        return None
    rate = "*" if address.rate_limit is None else str(max(1, int(address.rate_limit * 60)))
    fields = {"allow": "POST", "webhook-allowed-origin": origin, "webhook-allowed-rate": rate}
    return Greeting(tuple((name.encode(), value.encode()) for name, value in fields.items()))


async def send_greeting(send: Send, address: Address, greeting: Greeting) -> None:
    """Answers, and counts it."""
    WEBHOOKS_RECEIVED.labels(address.id, HANDSHAKE).inc()
    structlog.get_logger().info("handshake_answered", connection=address.id)
    body = greeting.text.encode()
    fields = [*_PLAIN, *greeting.fields, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


class Handshakes:
    """GET and OPTIONS on a webhook's address: a handshake, or a method that is not allowed.

    Args:
        registry: whom we know.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request.

        Raises:
            HTTPException: 405, the same for every name, as if there were no route for the method.
        """
        del receive
        address = self._registry.address(unquote(scope["path_params"]["connection"]))
        greeting = None
        if address is not None and not address.revoked:
            if scope["method"] == "GET":
                greeting = by_query(address, scope["query_string"])
            elif scope["method"] == "OPTIONS":
                greeting = by_origin(address, read_headers(scope))
        if address is None or greeting is None:
            raise HTTPException(405, headers={"Allow": "POST"})
        await send_greeting(send, address, greeting)


def _echo(text: str) -> Greeting | None:
    return Greeting(text=text) if _ECHO.fullmatch(text) else None
