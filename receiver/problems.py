"""What is answered when it is not 200: RFC 9457 problem details, each with a slug that stays the same.

A problem's `type` is a relative reference (RFC 9457 section 3.1.1 allows it) and also the word that metrics and logs
use, except for `unauthorized`: its answer is one and the same, whatever the reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

import orjson
from starlette.types import Send

MEDIA_TYPE = b"application/problem+json"

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Problem:
    """One kind of refusal; the same bytes every time.

    Attributes:
        status: the HTTP status.
        type: the slug.
        detail: what the sender can do about it; never anything about this request.
        headers: header fields beyond content type and length.
        retry_after: seconds to wait where the problem itself says so.
        closes: the connection is of no more use, because part of the request was never read.
    """

    status: int
    type: str
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    retry_after: int | None = None
    closes: bool = False

    @cached_property
    def body(self) -> bytes:
        """The JSON object."""
        title = HTTPStatus(self.status).phrase
        return orjson.dumps({"type": self.type, "title": title, "status": self.status, "detail": self.detail})

    def fields(self, retry_after: int | None = None) -> list[tuple[bytes, bytes]]:
        """The header fields of the answer.

        Args:
            retry_after: seconds, in place of the problem's own.
        """
        fields = [(b"content-type", MEDIA_TYPE), (b"content-length", b"%d" % len(self.body)), *self.headers]
        wait = self.retry_after if retry_after is None else retry_after
        if wait is not None:
            fields.append((b"retry-after", b"%d" % wait))
        if self.closes:
            fields.append((b"connection", b"close"))
        return fields

    def raw(self, default_headers: Headers) -> bytes:
        """The whole HTTP/1.1 message, for what never reached the application."""
        line = f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()
        fields = b"".join(b"%s: %s\r\n" % field for field in (*default_headers, *self.fields()))
        return line + fields + b"\r\n" + self.body


async def send_problem(send: Send, problem: Problem, retry_after: int | None = None) -> None:
    """Answers with a problem.

    Args:
        send: the request's ASGI channel.
        problem: what went wrong.
        retry_after: seconds, in place of the problem's own.
    """
    await send({"type": "http.response.start", "status": problem.status, "headers": problem.fields(retry_after)})
    await send({"type": "http.response.body", "body": problem.body})


UNAUTHORIZED = Problem(
    HTTPStatus.UNAUTHORIZED,
    "unauthorized",
    "No connection of this name accepts this request with this signature.",
    # RFC 9110 section 15.5.2 demands a challenge, and no registered scheme means "sign the body".
    headers=((b"www-authenticate", b'Signature realm="webhooks"'),),
)
NOT_FOUND = Problem(HTTPStatus.NOT_FOUND, "not_found", "Webhooks are posted to /webhooks/{connection}.")
METHOD_NOT_ALLOWED = Problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "The Allow header says what is.")
BODY_TOO_LARGE = Problem(
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "The body is over the limit of this server.", closes=True
)
RATE_LIMITED = Problem(HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", "The connection sends faster than agreed.")
OVER_SHARE = Problem(
    HTTPStatus.TOO_MANY_REQUESTS,
    "over_share",
    "The connection has too much waiting to be processed.",
    retry_after=10,
)
BACKLOG_FULL = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "backlog_full", "Too much is waiting to be processed.", retry_after=10
)
BROKER_UNAVAILABLE = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "broker_unavailable", "The request could not be kept safely.", retry_after=5
)
TOO_MUCH_UNFINISHED = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "too_much_unfinished",
    "Too many requests have begun to come and are not whole.",
    retry_after=5,
    closes=True,
)
DISK_FULL = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "disk_full", "There is too little free disk.", retry_after=60)
SECRET_UNRESOLVED = Problem(
    HTTPStatus.SERVICE_UNAVAILABLE, "secret_unresolved", "The signature cannot be checked for now.", retry_after=30
)
FAILED = Problem(HTTPStatus.SERVICE_UNAVAILABLE, "failed", "Something failed here, not in the request.", retry_after=5)
BAD_REQUEST = Problem(HTTPStatus.BAD_REQUEST, "bad_request", "This is not a complete HTTP/1 request.", closes=True)
REQUEST_TIMEOUT = Problem(HTTPStatus.REQUEST_TIMEOUT, "request_timeout", "The request came too slowly.", closes=True)
HEADERS_TOO_LARGE = Problem(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "headers_too_large",
    "The request has too many header fields, or too large ones.",
    closes=True,
)
