"""Joint work: what several threads bring while one of them is at it, the next does in one go.

A transaction costs much the same for one batch as for eight, and SQLite takes one writer anyway. So threads take turns,
and whoever has the turn takes along everything that waits. A lone thread never waits for others.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class _Share(Generic[Piece]):
    """What one thread brought, and how it ended."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.done = False
        self.error: Exception | None = None


class Joint(Generic[Piece]):
    """Runs `work` for all threads that call it, together where they wait.

    Args:
        work: does pieces, all or none.
        limit: greatest number of pieces done in one go, unless one thread alone brings more.
    """

    def __init__(self, work: Callable[[Sequence[Piece]], None], *, limit: int) -> None:
        self._work = work
        self._limit = limit
        self._turn = threading.Lock()
        self._waiting: deque[_Share[Piece]] = deque()

    def run(self, pieces: Sequence[Piece]) -> None:
        """Returns once the pieces are done, by this thread or by another.

        Raises:
            Exception: what `work` raised, for every thread whose pieces were in that go; none of them is done.
        """
        share = _Share(pieces)
        self._waiting.append(share)
        with self._turn:
            # First come, first done: what stands before ours is done first, perhaps in a go of its own.
            while not share.done:
                self._go()
        if share.error is not None:
            raise share.error

    def _go(self) -> None:
        taken = [self._waiting.popleft()]
        size = len(taken[0].pieces)
        while self._waiting and size + len(self._waiting[0].pieces) <= self._limit:
            taken.append(self._waiting.popleft())
            size += len(taken[-1].pieces)
        error: Exception | None = None
        try:
            self._work([piece for share in taken for piece in share.pieces])
        except Exception as raised:  # noqa: BLE001  # it is raised again in each thread
            error = raised
        for share in taken:
            share.error = error
            share.done = True
