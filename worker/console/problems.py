"""What the operators' port answers when it is not 200: RFC 9457 problem details, or a page for a browser."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from handlers.errors import MaintenworksError
from worker.console.headers import HEADERS
from worker.console.look import bare
from worker.console.refusals import status_of

MEDIA_TYPE = "application/problem+json"


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem whose slug is the status's own name, such as `not_found`."""
    slug = status.name.lower()
    body = orjson.dumps({"type": slug, "title": status.phrase, "status": int(status), "detail": printable(detail)})
    return Response(body, status, headers, media_type=MEDIA_TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """What routing or an endpoint refuses, and what asks for something that is away."""
    if isinstance(error, MaintenworksError):
        return _answer(request, *status_of(error))
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: "There is no such page.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not served here.",
    }.get(status, error.detail)
    return _answer(request, status, detail, error.headers)


async def failed(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the server logs the traceback."""
    del error
    # Made outside of the guard, which gives every other answer its headers.
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "The console failed; its log says why.", HEADERS)


def printable(text: str) -> str:
    """A text that JSON and pages can carry: half of a surrogate pair, which a key may quote, is spelt out."""
    return text.encode(errors="backslashreplace").decode()


def _answer(request: Request, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None) -> Response:
    wants_page = "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")
    if not wants_page:
        return problem(status, detail, headers)
    answer = bare("problem.html", status=status, title=status.phrase, detail=printable(detail))
    answer.headers.update(headers or {})
    return answer
