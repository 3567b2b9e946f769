"""What a receiver does again and again beside its requests, until it ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog


@contextlib.asynccontextmanager
async def repeating(
    work: Callable[[], Awaitable[object]], period_seconds: float, complaint: str
) -> AsyncIterator[None]:
    """Does something once a period while the block lasts; what fails is logged and tried again.

    Args:
        work: what to do; it may be cancelled.
        period_seconds: between the end of one time and the next.
        complaint: what the log says of a failure.
    """
    ending = False
    log = structlog.get_logger()

    async def repeat() -> None:
        # Python 3.11's `wait_for`, which redis-py sends with, may lose a cancellation (python/cpython#86296).
        while not ending:
            await asyncio.sleep(period_seconds)
            try:
                await work()
            except Exception:  # whatever it is, the next time may do
                log.exception(complaint)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        ending = True
        task.cancel()
        await asyncio.wait({task})
