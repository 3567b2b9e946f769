"""The operators' application: its routes are its table of contents."""

from collections.abc import Sequence

from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from handlers.errors import MaintenworksError
from worker.console import pages
from worker.console.access import login
from worker.console.access.door import Door
from worker.console.api.serving import api_routes
from worker.console.api.table import OPERATIONS
from worker.console.checks import Readiness
from worker.console.guard import Endpoint, Guard, bearer
from worker.console.house import House
from worker.console.problems import failed, refused
from worker.console.rendering import statics
from worker.console.routing import WrittenPaths, page_routes
from worker.telemetry import metrics_page


def build_app(
    readiness: Readiness,
    collectors: Sequence[Collector],
    *,
    ops_host: str,
    token: str | None,
    names: Sequence[str] = (),
    console: tuple[House, Door] | None = None,
) -> Starlette:
    """Builds the application of the operators' port, or of a single role's metrics port.

    Args:
        readiness: what `/readyz` asks.
        collectors: what `/metrics` reads besides the processes' own counters.
        ops_host: the address it listens on; other names are refused.
        token: demanded of scrapers as a bearer token; None demands nothing.
        names: by which else it may be called, such as a reverse proxy's.
        console: pages and the read API, for whom the door lets in; None has neither.
    """
    routes: list[BaseRoute] = [
        Route("/metrics", bearer(token, metrics(collectors)), methods=["GET"]),
        Route("/livez", bearer(token, livez), methods=["GET"]),
        Route("/readyz", bearer(token, readyz(readiness)), methods=["GET"]),
    ]
    if console is not None:
        house, door = console
        routes += login.routes(door)
        routes += api_routes(house, door, OPERATIONS)
        routes += page_routes(house, door, pages.load())
        routes.append(statics().route())
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, ops_host=ops_host, names=names), Middleware(WrittenPaths)],
        exception_handlers={HTTPException: refused, MaintenworksError: refused, Exception: failed},
    )
    app.router.redirect_slashes = False
    return app


async def livez(_: Request) -> Response:
    """The event loop turns; nothing else is asked, or an outage elsewhere would restart every process."""
    return PlainTextResponse("ok\n")


def readyz(readiness: Readiness) -> Endpoint:
    """200 or 503, and a list of what was asked."""

    async def endpoint(_: Request) -> Response:
        ready, report = await readiness.report()
        return JSONResponse(report, status_code=200 if ready else 503)

    return endpoint


def metrics(collectors: Sequence[Collector]) -> Endpoint:
    """The page for Prometheus, made in a thread: reading the queues and the database blocks."""

    async def endpoint(request: Request) -> Response:
        content_type, page = await run_in_threadpool(metrics_page, request.headers.get("accept"), *collectors)
        return Response(page, media_type=None, headers={"content-type": content_type})

    return endpoint
