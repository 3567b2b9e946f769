"""What was refused, for the operator: the last refusals of each connection, written down off the requests' way.

A flood must flood neither the broker nor the log, and a stranger must not choose what is kept: of a second's refusals
only the first few are written, the others are counted, and names that nobody registered share one list.
"""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import structlog

from handlers.errors import TransientError
from receiver.repeating import repeating
from worker.queue import Rejection

PERIOD_SECONDS = 1.0
"""Between two writes to the broker; each costs it one sync of its disk, however much it holds."""

NOTED_OF_ONE = 20
"""Refusals of one connection that are written down in a period: enough to see what is wrong with them."""

NOTED_OF_ALL = 200
"""The same of all connections together, so that the log stays readable when many are refused at once."""

NAMES = 50
"""Header names kept of a request; senders of webhooks give 10 to 20."""

NAME_CHARACTERS = 64

Keep: TypeAlias = Callable[[Mapping[str, Sequence[Rejection]]], Awaitable[None]]
"""Puts refusals, oldest first, into the lists of their connections; raises TransientError."""


def names_of(headers: Iterable[str]) -> tuple[str, ...]:
    """The names worth keeping of a request's headers."""
    return tuple(name[:NAME_CHARACTERS] for name, _ in zip(headers, range(NAMES), strict=False))


class Rejections:
    """Gathers refusals and writes them down once a second; for one event loop.

    Args:
        keep: writes them.
        may_write: whether there is room; where it is scarce it is left to what was accepted.
        period_seconds: between two writes.
    """

    def __init__(
        self, keep: Keep, *, may_write: Callable[[], bool] = lambda: True, period_seconds: float = PERIOD_SECONDS
    ) -> None:
        self._keep = keep
        self._may_write = may_write
        self._period_seconds = period_seconds
        self._noted: dict[str, list[Rejection]] = {}
        self._noted_in_all = 0
        self._passed_over: Counter[str] = Counter()
        self._log = structlog.get_logger()

    def note(self, connection: str, rejection: Rejection) -> bool:
        """Takes a refusal in.

        Args:
            connection: its id, or `unknown`.
            rejection: what happened.

        Returns:
            Whether it is one of those to be written down, here and in the log.
        """
        of_one = self._noted.setdefault(connection, [])
        if len(of_one) >= NOTED_OF_ONE or self._noted_in_all >= NOTED_OF_ALL:
            self._passed_over[connection] += 1
            return False
        of_one.append(rejection)
        self._noted_in_all += 1
        return True

    async def write(self) -> None:
        """Writes down what was taken in since the last time; while the broker is away it is dropped."""
        noted = {connection: found for connection, found in self._noted.items() if found}
        passed_over, self._passed_over = self._passed_over, Counter()
        self._noted, self._noted_in_all = {}, 0
        for connection, count in passed_over.items():
            self._log.info("refusals_passed_over", connection=connection, count=count)
        if noted and self._may_write():
            with contextlib.suppress(TransientError):
                await self._keep(noted)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes again and again until it ends, and once more then."""
        try:
            async with repeating(self.write, self._period_seconds, "rejections_not_written"):
                yield
        finally:
            await self.write()
