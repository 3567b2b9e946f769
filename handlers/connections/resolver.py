"""Secrets in memory: read once, read again each second, the last good value kept."""

from collections.abc import Iterable
from pathlib import Path

from handlers.connections import providers
from handlers.errors import TransientError


class Resolver:
    """Turns references into secrets. Safe to use from one thread while another refreshes.

    Args:
        home: where relative paths start.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._held: dict[str, bytes] = {}
        self._stale: dict[str, str] = {}

    def value(self, ref: str) -> bytes:
        """The secret of a reference.

        Raises:
            TransientError: of code `secret_unresolved`: it was never read yet and cannot be now.
        """
        held = self._held.get(ref)
        if held is None:
            held = self._held[ref] = providers.read(ref, self._home)
        return held

    def refresh(self, refs: Iterable[str]) -> None:
        """Reads again what is held of these references and forgets the others.

        One that cannot be read keeps its last value: a file is missing for a moment whenever it is replaced.
        """
        fresh, stale = {}, {}
        for ref in refs:
            held = self._held.get(ref)
            if held is None:
                continue
            try:
                fresh[ref] = providers.read(ref, self._home)
            except TransientError as error:
                fresh[ref], stale[ref] = held, str(error)
        self._held, self._stale = fresh, stale

    def stale(self, ref: str) -> str | None:
        """Why the value held is not the newest; None where it is, or none is held."""
        return self._stale.get(ref)
