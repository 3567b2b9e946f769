"""What a receiver that runs alone shows its operators, on a port of its own."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from receiver.app import livez, readyz
from receiver.health import Health
from worker.telemetry import metrics_page


def build_ops_app(health: Health, token: str | None) -> Starlette:
    """Builds the application that listens on the metrics port.

    Args:
        health: what `/readyz` tells.
        token: demanded of scrapers as a bearer token (RFC 6750); None demands none. The probes never need one.
    """
    return Starlette(
        routes=[
            Route("/metrics", _metrics(token), methods=["GET"]),
            Route("/livez", livez, methods=["GET"]),
            Route("/readyz", readyz(health, details=True), methods=["GET"]),
        ]
    )


def _metrics(token: str | None) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if token is not None and not _bears(request.headers.get("authorization", ""), token):
            return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": 'Bearer realm="metrics"'})
        media_type, page = metrics_page(request.headers.get("accept"))
        return Response(page, media_type=media_type)

    return endpoint


def _bears(authorization: str, token: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())
