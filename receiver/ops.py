"""What a receiver that runs alone shows its operators, on a port of its own."""

import hmac
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from receiver.app import livez, readyz
from receiver.health import Health
from worker.telemetry import metrics_page

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]


def build_ops_app(health: Health, token: str | None) -> Starlette:
    """Builds the application that listens on the metrics port.

    Args:
        health: what `/readyz` tells.
        token: demanded on every path as a bearer token (RFC 6750); None demands none.
    """
    pages = {"/metrics": _metrics, "/livez": livez, "/readyz": readyz(health, details=True)}
    return Starlette(routes=[Route(path, _guarded(page, token), methods=["GET"]) for path, page in pages.items()])


async def _metrics(request: Request) -> Response:
    media_type, page = metrics_page(request.headers.get("accept"))
    return Response(page, media_type=media_type)


def _guarded(endpoint: Endpoint, token: str | None) -> Endpoint:
    async def guarded(request: Request) -> Response:
        if token is not None and not _bears(request.headers.get("authorization", ""), token):
            return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": 'Bearer realm="metrics"'})
        return await endpoint(request)

    return guarded


def _bears(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
