"""Many waiting requests, one durable enqueue.

Syncing the broker's disk costs about the same for one delivery as for hundreds, so while one enqueue is under way
the deliveries that arrive form the next one. There is no timer: a lone delivery goes at once, and the batch grows by
itself with the load.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

import structlog

from handlers.errors import TransientError
from worker.queue import LIVE, MAX_BATCH, MAX_BATCH_BYTES, WAIT, Refusal
from worker.telemetry import ENQUEUE_BATCH_SIZE, ENQUEUE_DURATION, about, spans

WAIT_SECONDS = WAIT.total_seconds()
"""How long a request waits for the broker, its place in the line included."""
WAITING_BYTES = 64 * 1024 * 1024
"""Bodies held in memory for a broker that does not answer; what comes on top is refused at once."""

Enqueue: TypeAlias = Callable[[Sequence[tuple[str, bytes]]], Awaitable[Sequence[Refusal | None]]]
"""Makes (connection id, encoded delivery) pairs durable; answers one entry a pair, None for kept."""


class _Waiter(NamedTuple):
    connection_id: str
    encoded: bytes
    answer: "asyncio.Future[Refusal | None]"
    delivery_id: str


class GroupCommit:
    """Gathers what waits and hands it over, one batch after another.

    A request that has waited long enough is answered while its batch may still succeed: more may be accepted than
    was answered so, never the reverse.
    """

    def __init__(self, enqueue: Enqueue, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._enqueue = enqueue
        self._wait_seconds = wait_seconds
        self._waiting: deque[_Waiter] = deque()
        self._waiting_bytes = 0
        self._running: asyncio.Task[None] | None = None
        self._log = structlog.get_logger().bind()

    async def commit(self, connection_id: str, encoded: bytes, delivery_id: str = "") -> Refusal | None:
        """Returns once the delivery is durable (None) or was refused.

        Args:
            connection_id: whose it is.
            encoded: the delivery in its wire form.
            delivery_id: what the log calls it.

        Raises:
            TransientError: it is not known to be kept; the sender must send it again.
        """
        if self._waiting and self._waiting_bytes + len(encoded) > WAITING_BYTES:
            raise TransientError("broker_slow", f"over {WAITING_BYTES} bytes wait for the broker already")
        loop = asyncio.get_running_loop()
        waiter = _Waiter(connection_id, encoded, loop.create_future(), delivery_id)
        self._waiting.append(waiter)
        self._waiting_bytes += len(encoded)
        if self._running is None:
            self._running = loop.create_task(self._run())
        timer = loop.call_later(self._wait_seconds, self._give_up, waiter)
        try:
            return await waiter.answer
        finally:
            timer.cancel()

    def _give_up(self, waiter: _Waiter) -> None:
        _fail([waiter], TransientError("broker_slow", f"no answer from the broker in {self._wait_seconds} s"))

    async def _run(self) -> None:
        try:
            while batch := self._next_batch():
                await self._send(batch)
        finally:
            self._running = None

    def _next_batch(self) -> list[_Waiter]:
        """What may go together, oldest first; whoever was answered already (it gave up) is left out."""
        batch: list[_Waiter] = []
        size = 0
        while self._waiting and len(batch) < MAX_BATCH:
            length = len(self._waiting[0].encoded)
            if batch and size + length > MAX_BATCH_BYTES:
                break
            waiter = self._waiting.popleft()
            self._waiting_bytes -= length
            if not waiter.answer.done():
                batch.append(waiter)
                size += length
        return batch

    async def _send(self, batch: list[_Waiter]) -> None:
        ENQUEUE_BATCH_SIZE.observe(len(batch))
        began = time.time_ns()
        try:
            with ENQUEUE_DURATION.time():
                async with asyncio.timeout(self._wait_seconds):
                    refusals = await self._enqueue([(each.connection_id, each.encoded) for each in batch])
            for waiter, refusal in zip(batch, refusals, strict=True):
                if not waiter.answer.done():
                    waiter.answer.set_result(refusal)
            self._tell([waiter for waiter, refusal in zip(batch, refusals, strict=True) if refusal is None], began)
        except TransientError as error:
            self._lose(batch, error, began)
        except TimeoutError:
            slow = TransientError("broker_slow", f"an enqueue took over {self._wait_seconds} s")
            self._lose(batch, slow, began)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not end the loop that serves everybody
            structlog.get_logger().exception("enqueue_failed", deliveries=len(batch))
            self._lose(batch, TransientError("enqueue_failed", type(error).__name__), began)

    def _tell(self, kept: Sequence[_Waiter], began: int) -> None:
        """Every delivery that is durable stands in the log, many in a line: one line each would cost a quarter more."""
        ids = [each.delivery_id for each in kept if each.delivery_id]
        whose = {each.connection_id for each in kept}
        about(self._log.info, "deliveries_accepted", ids, **({"connection": whose.pop()} if len(whose) == 1 else {}))
        tracing = spans()
        if tracing is not None and ids:
            tracing.sent(LIVE, ids, began)

    @staticmethod
    def _lose(batch: Sequence[_Waiter], error: TransientError, began: int) -> None:
        _fail(batch, error)
        tracing = spans()
        if tracing is not None:
            tracing.sent(LIVE, [each.delivery_id for each in batch], began, error.code)


def _fail(batch: Sequence[_Waiter], error: TransientError) -> None:
    """Each waiter raises an error of its own: one that many tasks raise gathers all of their tracebacks."""
    for waiter in batch:
        if not waiter.answer.done():
            waiter.answer.set_exception(TransientError(error.code, str(error)))
