"""The API's routes: each request is read as its operation says, done in a thread, and answered as JSON."""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from worker.console.access.door import Door
from worker.console.api.document import JSON, document
from worker.console.api.operations import ROOT, Call, Operation, Param
from worker.console.bodies import body, media_type
from worker.console.guard import Endpoint
from worker.console.house import House
from worker.console.refusals import RefusalError, malformed
from worker.console.routing import parts, query_pairs
from worker.shapes.encoding import encoded
from worker.tokens import VIEWER

BODY_OVERHEAD: Final = 8
"""A payload in a request may be this many times as long as itself: a byte of it is written as six at worst."""
_FLAGS: Final = {"true": True, "false": False}


def api_routes(house: House, door: Door, operations: Sequence[Operation]) -> list[Route]:
    """The routes of a table of operations, and of its document; those of one path are one route.

    Raises:
        ValueError: two operations have the same path and method.
    """
    ordered = sorted(operations, key=lambda each: ([part.startswith("{") for part in each.path.split("/")], each.path))
    found = [_document(door, operations)]
    for path, group in groupby(ordered, key=lambda each: each.path):
        held = list(group)
        by_method: dict[str, Operation] = {each.method: each for each in held}
        if len(by_method) < len(held):
            raise ValueError(f"{path}: served twice")
        found.append(Route(f"{ROOT}{path}", _endpoint(house, door, by_method), methods=list(by_method)))
    return found


def _document(door: Door, operations: Sequence[Operation]) -> Route:
    text = encoded(document(operations))

    async def endpoint(request: Request) -> Response:
        door.demand(request, VIEWER)
        return Response(text, media_type=JSON)

    return Route(f"{ROOT}/openapi.json", endpoint, methods=["GET"])


def _endpoint(house: House, door: Door, operations: Mapping[str, Operation]) -> Endpoint:
    most = BODY_OVERHEAD * house.settings.max_body_bytes
    decoders: dict[str, Callable[[bytes], Any]] = {
        method: msgspec.json.Decoder(each.body).decode for method, each in operations.items() if each.body is not None
    }

    async def endpoint(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        operation = operations[method]
        who = door.demand(request, operation.role)
        sent = None
        if operation.body is not None:
            door.check_origin(request, who, {})
            sent = await _sent(request, decoders[method], most)
        call = Call(who, parts(request), _asked(request, operation.params), sent)
        answer = await run_in_threadpool(lambda: encoded(operation.does(house, call)))
        return Response(answer, media_type=JSON)

    return endpoint


async def _sent(request: Request, decode: Callable[[bytes], Any], most: int) -> Any:
    if media_type(request) != JSON:
        raise RefusalError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {JSON}.")
    text = await body(request, most)
    try:
        return decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(f"body: {error}") from None


def _asked(request: Request, params: Sequence[Param]) -> dict[str, Any]:
    """The parameters of the query, read as their schemas say.

    Raises:
        RefusalError: one is unknown, given twice, or not what it should be.
    """
    known = {each.name: each for each in params}
    found: dict[str, Any] = {}
    for name, text in query_pairs(request):
        if name not in known:
            raise malformed(f"{name}: no parameter here; there are {', '.join(known) or 'none'}")
        if name in found:
            raise malformed(f"{name}: given twice")
        found[name] = _read(known[name], text)
    return found


def _read(param: Param, text: str) -> str | int | bool:
    schema = param.schema
    if schema["type"] == "boolean":
        if text not in _FLAGS:
            raise malformed(f"{param.name}: true or false")
        return _FLAGS[text]
    if schema["type"] == "integer":
        least, most = schema["minimum"], schema["maximum"]
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and least <= int(text) <= most):
            raise malformed(f"{param.name}: a whole number from {least} to {most}")
        return int(text)
    words = schema.get("enum")
    if words is not None and text not in words:
        raise malformed(f"{param.name}: one of {', '.join(words)}")
    if len(text) < schema.get("minLength", 0):
        raise malformed(f"{param.name}: too short" if text else f"{param.name}: leave it out, or give it a value")
    return text
