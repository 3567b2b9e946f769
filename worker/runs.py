"""The run lock of a process: work shares it, and what may kill the process holds it alone.

So that, when the process dies, nothing but the one suspect can have done it.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class RunLock:
    """Shared by many or held by one; whoever wants it alone goes before those who come later."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._alone = False
        self._wanting = 0

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Works beside others."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._wanting)
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Works while nothing else does."""
        with self._changed:
            self._wanting += 1
            self._changed.wait_for(lambda: not self._alone and not self._sharing)
            self._wanting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
