"""The last resort, and what the application consists of."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from handlers.connections import Registry
from receiver.app import Edge, build_app
from receiver.settings import ReceiverSettings
from worker.queue import Producer


def test_the_routes_are_all_there_is(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "connections.toml", tmp_path)
    app = build_app(ReceiverSettings(home=tmp_path), registry, Producer("unix:///nowhere", backlog_limit_bytes=1))
    routes = [(route.path, route.methods) for route in app.routes if isinstance(route, Route)]
    assert routes == [
        ("/webhooks/{connection}", {"POST"}),
        ("/webhooks/{connection}", {"GET", "HEAD", "OPTIONS"}),
        ("/livez", {"GET", "HEAD"}),
        ("/readyz", {"GET", "HEAD"}),
    ]
    assert len(app.routes) == len(routes)


async def _call(error: BaseException, *, started: bool = False) -> list[Message]:
    sent: list[Message] = []

    async def fail(_: Scope, __: Receive, send: Send) -> None:
        if started:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await Edge(fail)({"type": "http", "raw_path": b"/webhooks/a%2Fb", "path": "/webhooks/a/b"}, receive, send)
    return sent


@pytest.mark.parametrize("error", [ZeroDivisionError("the body says hello"), asyncio.CancelledError()])
def test_whatever_fails_inside_is_503_and_logged_without_what_it_quotes(error: BaseException) -> None:
    with structlog.testing.capture_logs() as lines:
        start, body = asyncio.run(_call(error))
    assert start["status"] == 503
    assert b'"type":"failed"' in body["body"]
    (line,) = lines
    assert (line["event"], line["error"]) == ("request_failed", type(error).__name__)
    assert "in fail" in line["traceback"]
    assert "hello" not in str(line)


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    with structlog.testing.capture_logs():
        sent = asyncio.run(_call(ZeroDivisionError(), started=True))
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_a_lifespan_passes_untouched() -> None:
    seen: list[Any] = []

    async def inner(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope)

    async def nothing(*_: Any) -> Any:
        return None

    asyncio.run(Edge(inner)({"type": "lifespan"}, nothing, nothing))
    assert seen == [{"type": "lifespan"}]
