"""What one would write instead of our receiver; for `uvicorn --factory`.

`bare` verifies and keeps nothing: the most that this stack can do. `naive` is Starlette and Dramatiq as their guides
show them, one event a message.
"""

import hashlib
import hmac
import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.receiver.harness import SECRET

PATH = "/hook"
BROKER_VARIABLE = "BENCHMARK_BROKER_URL"


def _verified(request: Request, body: bytes) -> bool:
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(request.headers.get("x-webhook-signature", ""), expected)


def bare() -> Starlette:
    """One route that checks the signature."""

    async def hook(request: Request) -> Response:
        if not _verified(request, await request.body()):
            return Response(status_code=401)
        return JSONResponse({"delivery_id": "none"})

    return Starlette(routes=[Route(PATH, hook, methods=["POST"])])


def naive() -> Starlette:
    """The same, and `actor.send` in the thread pool before the answer."""
    broker = RedisBroker(url=os.environ[BROKER_VARIABLE])  # type: ignore[no-untyped-call]  # dramatiq's, untyped

    @dramatiq.actor(broker=broker)
    def process(raw: str) -> None:
        """Runs in a worker, and none is measured here."""

    async def hook(request: Request) -> Response:
        body = await request.body()
        if not _verified(request, body):
            return Response(status_code=401)
        message = await run_in_threadpool(process.send, body.decode())
        return JSONResponse({"delivery_id": message.message_id})

    return Starlette(routes=[Route(PATH, hook, methods=["POST"])])
