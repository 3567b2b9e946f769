"""`POST /webhooks/{connection}`: size, signature, rate, backlog, in this order; 200 once it is durable.

Plain ASGI instead of request and response objects: this is the one path whose speed is felt.
"""

import functools
import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from handlers.connections import Connection, Registry
from handlers.errors import TransientError
from handlers.events import Delivery
from receiver import problems
from receiver.admission import TokenBuckets, declared_size, declared_too_large
from receiver.group_commit import GroupCommit
from receiver.health import Health
from receiver.ids import DeliveryIds
from receiver.problems import Problem, send_problem
from receiver.rejections import Rejections, names_of
from receiver.verification import Verifier
from worker.queue import Refusal, Rejection, encode
from worker.telemetry import SIGNATURE_SECRET_USED, WEBHOOK_DURATION, WEBHOOKS_RECEIVED

UNKNOWN = "unknown"
"""Label of whatever names no connection of ours: a stranger must not choose label values."""

HEADER_CHARACTERS = 512
"""A kept header is for finding a delivery again, not for carrying data."""

KEPT_HEADERS = frozenset(
    {
        "content-type",
        "content-encoding",
        "user-agent",
        "webhook-id",
        "svix-id",
        "x-webhook-id",
        "x-github-delivery",
        "x-github-event",
        "x-shopify-webhook-id",
        "x-shopify-topic",
        "x-request-id",
        "idempotency-key",
        "traceparent",
    }
)
"""Headers stored with a delivery, besides CloudEvents' `ce-*` (HTTP protocol binding 1.0.2, section 3.1.3)."""

_REFUSED: Mapping[Refusal, Problem] = {
    Refusal.OVER_SHARE: problems.OVER_SHARE,
    Refusal.OVER_MARK: problems.BACKLOG_FULL,
    Refusal.REVOKED: problems.UNAUTHORIZED,
}


class Accepted(NamedTuple):
    """The delivery is durable in the broker."""

    delivery_id: str


class Refused(NamedTuple):
    """It was not taken.

    Attributes:
        problem: what the sender reads.
        reason: what the operator reads; says more than the answer for a refused signature.
        retry_after: seconds, where they were computed.
        size: bytes of the body, as declared where it was not read; None where nobody knows.
    """

    problem: Problem
    reason: str
    retry_after: int | None = None
    size: int | None = None


class Webhooks:
    """The endpoint, an ASGI application of its own."""

    def __init__(
        self,
        registry: Registry,
        group: GroupCommit,
        health: Health,
        rejections: Rejections,
        *,
        max_body_bytes: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._registry = registry
        self._group = group
        self._health = health
        self._rejections = rejections
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._verifier = Verifier(registry)
        self._buckets = TokenBuckets()
        self._ids = DeliveryIds(clock)
        self._log = structlog.get_logger().bind()
        # Finding a metric's child costs ten times what counting it does.
        self._accepted = functools.cache(lambda label: WEBHOOKS_RECEIVED.labels(label, "accepted"))
        self._secret_used = functools.cache(lambda label, position: SIGNATURE_SECRET_USED.labels(label, str(position)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        began = time.perf_counter()
        name = unquote(scope["path_params"]["connection"])
        connection = self._registry.get(name)
        label = UNKNOWN if connection is None else connection.id
        headers = read_headers(scope)
        try:
            answer = await self._take(name, connection, headers, receive)
        except ClientDisconnect:
            return
        if isinstance(answer, Accepted):
            self._accepted(label).inc()
            self._log.debug("delivery_accepted", delivery_id=answer.delivery_id, connection=label)
            await _send_accepted(send, answer.delivery_id)
        else:
            self._tell(label, answer, headers)
            await send_problem(send, answer.problem, answer.retry_after)
        WEBHOOK_DURATION.observe(time.perf_counter() - began)

    def _tell(self, label: str, refused: Refused, headers: Mapping[str, str]) -> None:
        """Counts every refusal; in a flood of them not each is written down."""
        WEBHOOKS_RECEIVED.labels(label, refused.reason).inc()
        status = int(refused.problem.status)
        when = datetime.fromtimestamp(self._clock(), UTC)
        if self._rejections.note(label, Rejection(when, refused.reason, status, refused.size, names_of(headers))):
            self._log.info("delivery_refused", connection=label, reason=refused.reason, status=status)

    async def _take(
        self, name: str, connection: Connection | None, headers: Mapping[str, str], receive: Receive
    ) -> Accepted | Refused:
        body = None
        if not declared_too_large(headers, self._max_body_bytes):
            body = await read_body(receive, self._max_body_bytes)
        if body is None:
            return Refused(problems.BODY_TOO_LARGE, problems.BODY_TOO_LARGE.type, size=declared_size(headers))
        answer = await self._judge(name, connection, headers, body)
        return answer._replace(size=len(body)) if isinstance(answer, Refused) else answer

    async def _judge(
        self, name: str, connection: Connection | None, headers: Mapping[str, str], body: bytes
    ) -> Accepted | Refused:
        """After size, the order of checks is the contract's: signature, rate, backlog."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        if connection is None or connection.revoked:
            self._verifier.pretend(name, headers, body, now)
            return Refused(problems.UNAUTHORIZED, "revoked" if connection else "unknown_connection")
        verified = self._verify(connection, headers, body, now)
        if isinstance(verified, Refused):
            return verified
        refused = self._admit(connection)
        if refused is not None:
            return refused
        delivery = Delivery(
            delivery_id=self._ids.new(),
            connection_id=connection.id,
            received_at=now,
            body=body,
            headers=kept_headers(headers, connection.scheme.secret_headers),
            secret_position=verified,
        )
        return await self._keep(delivery)

    def _verify(self, connection: Connection, headers: Mapping[str, str], body: bytes, now: datetime) -> int | Refused:
        try:
            verdict = self._verifier.verify(connection, headers, body, now)
        except TransientError as error:
            return Refused(problems.SECRET_UNRESOLVED, error.code)
        if verdict.position is None:
            return Refused(problems.UNAUTHORIZED, str(verdict.reason))
        self._secret_used(connection.id, verdict.position).inc()
        return verdict.position

    def _admit(self, connection: Connection) -> Refused | None:
        wait = self._buckets.take(connection)
        if wait is not None:
            return Refused(problems.RATE_LIMITED, problems.RATE_LIMITED.type, wait)
        if self._health.disk_low:
            return Refused(problems.DISK_FULL, problems.DISK_FULL.type)
        return None

    async def _keep(self, delivery: Delivery) -> Accepted | Refused:
        try:
            refusal = await self._group.commit(delivery.connection_id, encode(delivery))
        except TransientError as error:
            return Refused(problems.BROKER_UNAVAILABLE, error.code)
        if refusal is not None:
            return Refused(_REFUSED[refusal], refusal.value)
        return Accepted(delivery.delivery_id)


def read_headers(scope: Scope) -> dict[str, str]:
    """The request's header fields, names in lower case; a repeated one is joined (RFC 9110 section 5.3)."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def kept_headers(headers: Mapping[str, str], secret: AbstractSet[str]) -> dict[str, str]:
    """Those worth storing with the delivery.

    Args:
        headers: all of them, names in lower case.
        secret: names that carry a signature or token in this connection's scheme.
    """
    return {
        name: value[:HEADER_CHARACTERS]
        for name, value in headers.items()
        if (name in KEPT_HEADERS or name.startswith("ce-")) and name not in secret
    }


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None once it is over the limit, and the rest is not read then.

    Args:
        receive: the request's ASGI channel.
        limit: in bytes.

    Raises:
        ClientDisconnect: the sender went away, or was too slow.
    """
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            return None
        parts.append(part)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _send_accepted(send: Send, delivery_id: str) -> None:
    body = b'{"delivery_id": "%s"}' % delivery_id.encode()
    fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
