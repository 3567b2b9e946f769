"""How much may wait in the broker: what the setting says, or less where its disk could not take in what waits.

Broker and database of one home share a disk, and what leaves the one is written to the other first. A backlog that
leaves too little room for that could never be worked off. The broker itself keeps to the mark, so no burst between two
looks goes over it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from handlers.errors import TransientError
from receiver.repeating import repeating
from receiver.settings import ReceiverSettings
from worker.queue import most_waiting

PERIOD_SECONDS = 1.0


class Marks(Protocol):
    """What is asked of a producer."""

    async def backlog(self) -> int:
        """Bytes that wait, or raises TransientError."""

    def limit_backlog(self, limit_bytes: int, /) -> None:
        """So much may wait from now on."""


class Mark:
    """Sets the mark once a second.

    Args:
        settings: with the greatest it may be.
        producer: told of it.
    """

    def __init__(self, settings: ReceiverSettings, producer: Marks) -> None:
        self._settings = settings
        self._producer = producer

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Sets it once before it begins, then again and again until it ends."""
        await self.set()
        async with repeating(self.set, PERIOD_SECONDS, "mark_not_set"):
            yield

    async def set(self) -> None:
        """Sets it, by what waits and what is free now; where the broker does not tell, it stays."""
        with contextlib.suppress(TransientError):
            waiting = await self._producer.backlog()
            self._producer.limit_backlog(await asyncio.to_thread(most_waiting, self._settings, waiting))
