"""What the operators' port answers when it is not 200: RFC 9457 problem details."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem whose slug is the status's own name, such as `not_found`."""
    slug = status.name.lower()
    body = orjson.dumps({"type": slug, "title": status.phrase, "status": int(status), "detail": detail})
    return Response(body, status, headers, media_type=MEDIA_TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """What routing or an endpoint refuses."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.NOT_FOUND:
        return problem(status, "There is no such page.")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return problem(status, f"{request.method} is not served here.", error.headers)
    return problem(status, error.detail, error.headers)


async def failed(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the server logs the traceback."""
    del request, error
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The console failed; its log says why.")
