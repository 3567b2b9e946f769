"""The receiver's application: its routes are all that strangers can reach."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handlers.connections import Registry
from receiver import problems
from receiver.group_commit import WAIT_SECONDS, GroupCommit
from receiver.handshakes import Handshakes
from receiver.health import Health, Watch
from receiver.mark import Mark
from receiver.problems import send_problem
from receiver.rejections import Rejections
from receiver.settings import ReceiverSettings
from receiver.webhooks import Webhooks
from worker.queue import Refusal, Rejection, kept_in
from worker.telemetry import WEBHOOKS_RECEIVED


class KeepsDeliveries(Protocol):
    """What the application needs of a producer; it is opened and closed by whoever made it."""

    async def enqueue(self, batch: Sequence[tuple[str, bytes]], /) -> Sequence[Refusal | None]:
        """Makes deliveries durable, or raises TransientError."""

    async def check(self) -> None:
        """Raises TransientError when nothing can be kept."""

    async def backlog(self) -> int:
        """Bytes that wait, or raises TransientError."""

    def limit_backlog(self, limit_bytes: int, /) -> None:
        """So much may wait from now on."""

    async def keep_rejections(self, found: Mapping[str, Sequence[Rejection]], /) -> None:
        """Writes down what was refused, or raises TransientError."""


def build_app(
    settings: ReceiverSettings,
    registry: Registry,
    producer: KeepsDeliveries,
    *,
    health: Health | None = None,
    clock: Callable[[], float] = time.time,
    wait_seconds: float = WAIT_SECONDS,
) -> Starlette:
    """Builds the application that listens on the public port.

    Args:
        settings: limits and the home folder.
        registry: whom we know; refreshed while the application runs.
        producer: an open way into the broker.
        health: shared with whoever reports or changes it.
        clock: seconds since the epoch.
        wait_seconds: how long a request waits for the broker.
    """
    health = health or Health(producer.check)
    group = GroupCommit(producer.enqueue, wait_seconds=wait_seconds)
    rejections = Rejections(producer.keep_rejections, may_write=lambda: not health.disk_low)
    webhooks = Webhooks(registry, group, health, rejections, max_body_bytes=settings.max_body_bytes, clock=clock)
    watch = Watch(health, registry, kept_in(settings), min_free_bytes=settings.min_free_bytes)
    mark = Mark(settings, producer)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with watch.running(), mark.running(), rejections.running():
            yield

    app = Receiver(
        routes=[
            Route("/webhooks/{connection}", webhooks, methods=["POST"]),
            Route("/webhooks/{connection}", Handshakes(registry), methods=["GET", "OPTIONS"]),
            Route("/livez", livez, methods=["GET"]),
            Route("/readyz", readyz(health, details=False), methods=["GET"]),
        ],
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    return app


class Receiver(Starlette):
    """The application, with one layer around its routes in place of Starlette's two.

    Each of those wraps every request in a coroutine and a `send` of its own, a tenth of what a webhook costs us.
    """

    def build_middleware_stack(self) -> ASGIApp:
        """The edge, then the routes."""
        return Edge(self.router)


async def livez(_: Request) -> Response:
    """The event loop turns; nothing else is asked, or an outage elsewhere would restart every receiver."""
    return PlainTextResponse("ok\n")


def readyz(health: Health, *, details: bool) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint that says whether deliveries should be sent here: 200 or 503, warnings either way.

    Args:
        health: what to tell.
        details: with names and paths, for a port that strangers do not reach.
    """

    async def endpoint(_: Request) -> Response:
        ready, report = await health.report(details=details)
        return JSONResponse(report, status_code=200 if ready else 503)

    return endpoint


def refuse_route(error: HTTPException) -> Response:
    """No such path, or not with this method; `Allow` names those that are."""
    allow = (error.headers or {}).get("Allow")
    problem = problems.NOT_FOUND if allow is None else problems.METHOD_NOT_ALLOWED
    WEBHOOKS_RECEIVED.labels("unknown", problem.type).inc()
    headers = {} if allow is None else {"Allow": ", ".join(sorted(allow.split(", ")))}
    return Response(problem.body, problem.status, headers, media_type=problems.MEDIA_TYPE.decode())


class Edge:
    """Outermost: routes match the path as it was sent, and whatever fails inside is our fault, so 503."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # An encoded slash is part of a name, not of the path (RFC 3986 section 2.2); the endpoint decodes the name.
        scope["path"] = scope["raw_path"].decode("latin-1")
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except HTTPException as error:  # the router's own, or a handshake's that is none
            await refuse_route(error)(scope, receive, send)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001  # the last resort, so whatever it is
            # Cancelled is what a request is that outlasts the time given for draining. The error's own message stays
            # out of the log: it may quote the request.
            where = "".join(traceback.format_tb(error.__traceback__))
            structlog.get_logger().error("request_failed", error=type(error).__name__, traceback=where)
            WEBHOOKS_RECEIVED.labels("unknown", problems.FAILED.type).inc()
            if not started:
                await send_problem(send, problems.FAILED)
