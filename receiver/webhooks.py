"""`POST /webhooks/{connection}`: size, signature, rate, backlog, in this order; 200 once it is durable.

Plain ASGI instead of request and response objects: this is the one path whose speed is felt.
"""

import functools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import unquote

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from handlers.connections import Address, Registry
from handlers.errors import TransientError
from handlers.events import Delivery
from receiver import problems
from receiver.admission import TokenBuckets, declared_size, declared_too_large
from receiver.counting import ACCEPTED, UNKNOWN
from receiver.group_commit import GroupCommit
from receiver.handshakes import Greeting, by_body, by_query, send_greeting
from receiver.health import Health
from receiver.ids import DeliveryIds
from receiver.problems import Problem, send_problem
from receiver.rejections import Rejections, names_of
from receiver.request import Bodies, kept_headers, read_headers
from receiver.verification import Verifier
from worker.queue import Refusal, Rejection, encode
from worker.telemetry import SIGNATURE_SECRET_USED, WEBHOOK_DURATION, WEBHOOKS_RECEIVED, spans

NANOSECONDS = 1_000_000_000
"""In a second."""

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


class _Request(NamedTuple):
    """What was asked, body aside.

    Attributes:
        name: the one in the path, decoded.
        address: what has that name; None where nobody registered it.
        headers: names in lower case.
        query: as it was sent; may hold a token.
    """

    name: str
    address: Address | None
    headers: Mapping[str, str]
    query: bytes


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
        self._bodies = Bodies(max_body_bytes)
        self._clock = clock
        self._verifier = Verifier(registry)
        self._buckets = TokenBuckets()
        self._ids = DeliveryIds(clock)
        self._log = structlog.get_logger().bind()
        # Finding a metric's child costs ten times what counting it does.
        self._accepted = functools.cache(lambda label: WEBHOOKS_RECEIVED.labels(label, ACCEPTED))
        self._secret_used = functools.cache(lambda label, position: SIGNATURE_SECRET_USED.labels(label, str(position)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        began = time.perf_counter()
        name = unquote(scope["path_params"]["connection"])
        address = self._registry.address(name)
        label = UNKNOWN if address is None else address.id
        headers = read_headers(scope)
        try:
            answer = await self._take(_Request(name, address, headers, scope["query_string"]), receive)
        except ClientDisconnect:
            return
        if isinstance(answer, Accepted):
            self._accepted(label).inc()
            await _send_accepted(send, answer.delivery_id)
            tracing = spans()
            if tracing is not None:
                took = int((time.perf_counter() - began) * NANOSECONDS)
                tracing.accepted(answer.delivery_id, label, headers.get("traceparent"), time.time_ns() - took)
        elif isinstance(answer, Greeting):
            if address is not None:
                await send_greeting(send, address, answer)
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

    async def _take(self, request: _Request, receive: Receive) -> Accepted | Refused | Greeting:
        too_large = declared_too_large(request.headers, self._max_body_bytes)
        body = problems.BODY_TOO_LARGE if too_large else await self._bodies.read(receive)
        if isinstance(body, Problem):
            return Refused(body, body.type, size=declared_size(request.headers))
        answer = await self._judge(request, body)
        return answer._replace(size=len(body)) if isinstance(answer, Refused) else answer

    async def _judge(self, request: _Request, body: bytes) -> Accepted | Refused | Greeting:
        """After size, the order of checks is the contract's: signature, rate, backlog."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        address = request.address
        if address is None or address.revoked:
            self._verifier.pretend(request.name, request.headers, body, now, request.query)
            return Refused(problems.UNAUTHORIZED, "revoked" if address else "unknown_connection")
        verified = self._verify(address, request, body, now)
        if isinstance(verified, Refused):
            # A webhook that verifies is kept, whatever its query: only what would be refused may be a handshake.
            return (by_query(address, request.query) if request.query else None) or verified
        if address.handshakes and (greeting := by_body(address, body)):
            return greeting
        refused = self._admit(address)
        if refused is not None:
            return refused
        delivery = Delivery(
            delivery_id=self._ids.new(),
            connection_id=address.id,
            received_at=now,
            body=body,
            headers=kept_headers(request.headers, address.scheme.secret_headers),
            secret_position=verified,
        )
        return await self._keep(delivery)

    def _verify(self, address: Address, request: _Request, body: bytes, now: datetime) -> int | Refused:
        try:
            verdict = self._verifier.verify(address, request.headers, body, now, request.query)
        except TransientError as error:
            return Refused(problems.SECRET_UNRESOLVED, error.code)
        if verdict.position is None:
            return Refused(problems.UNAUTHORIZED, str(verdict.reason))
        self._secret_used(address.id, verdict.position).inc()
        return verdict.position

    def _admit(self, address: Address) -> Refused | None:
        wait = self._buckets.take(address)
        if wait is not None:
            return Refused(problems.RATE_LIMITED, problems.RATE_LIMITED.type, wait)
        if self._health.disk_low:
            return Refused(problems.DISK_FULL, problems.DISK_FULL.type)
        return None

    async def _keep(self, delivery: Delivery) -> Accepted | Refused:
        try:
            refusal = await self._group.commit(delivery.connection_id, encode(delivery), delivery.delivery_id)
        except TransientError as error:
            return Refused(problems.BROKER_UNAVAILABLE, error.code)
        if refusal is not None:
            return Refused(_REFUSED[refusal], refusal.value)
        return Accepted(delivery.delivery_id)


async def _send_accepted(send: Send, delivery_id: str) -> None:
    body = b'{"delivery_id": "%s"}' % delivery_id.encode()
    fields = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})
