"""Whether this receiver can keep a delivery now, and what is not as it should be."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog

from handlers.connections import Address, Registry
from handlers.errors import TransientError
from receiver.admission import has_room
from receiver.counting import begin_counting, tell_unresolved
from receiver.repeating import repeating
from worker.telemetry import CONFIGURATION_ERRORS

PERIOD_SECONDS = 1.0
"""A change of the registry is to be seen within 2 seconds."""


class Health:
    """What `/readyz` tells.

    Attributes:
        draining: the process has been told to stop.
        disk_low: less is free than `MIN_FREE_BYTES`, as of the last look.
        registry_problems: one line each; the last good registry serves meanwhile.
        unresolved: connections of which a secret cannot be read now, with the reason; the others are served.
    """

    def __init__(self, check_broker: Callable[[], Awaitable[None]]) -> None:
        self.draining = False
        self.disk_low = False
        self.registry_problems: Sequence[str] = ()
        self.unresolved: Mapping[str, str] = {}
        self._check_broker = check_broker
        self._asking = asyncio.Lock()
        self._asked: float | None = None
        self._broker_problem: str | None = None

    async def report(self, *, details: bool) -> tuple[bool, dict[str, object]]:
        """Whether deliveries should be sent here, and the reasons.

        Args:
            details: names and paths too; not for the public port, which strangers read.
        """
        failing = [
            *(["draining"] if self.draining else []),
            *(["disk_full"] if self.disk_low else []),
            *([code] if (code := await self.broker_problem()) else []),
        ]
        warnings = [
            *(["registry_problems"] if self.registry_problems else []),
            *(["secret_unresolved"] if self.unresolved else []),
        ]
        report: dict[str, object] = {"ready": not failing, "failing": failing, "warnings": warnings}
        if details:
            report |= {"registry_problems": list(self.registry_problems), "unresolved": dict(self.unresolved)}
        return not failing, report

    async def broker_problem(self) -> str | None:
        """Why nothing can be kept, a code; asked of the broker once a second at most, since each time is a write."""
        async with self._asking:
            if self._asked is None or time.monotonic() - self._asked >= PERIOD_SECONDS:
                try:
                    await self._check_broker()
                except TransientError as error:
                    self._broker_problem = error.code
                else:
                    self._broker_problem = None
                self._asked = time.monotonic()
        return self._broker_problem


class Watch:
    """Looks once a second at what is kept in files: registry, secrets, room on the disk.

    Args:
        health: told what is seen.
        registry: read again where its file has changed.
        folders: each on a disk that must have room.
        min_free_bytes: how much.
    """

    def __init__(self, health: Health, registry: Registry, folders: Sequence[Path], *, min_free_bytes: int) -> None:
        self._health = health
        self._registry = registry
        self._folders = folders
        self._min_free_bytes = min_free_bytes
        self._bad_edits = 0
        self._counted: Mapping[str, Address] = {}
        self._log = structlog.get_logger()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks once before it begins, then again and again until it ends."""
        await asyncio.to_thread(self.look)
        async with repeating(lambda: asyncio.to_thread(self.look), PERIOD_SECONDS, "look_failed"):
            yield

    def look(self) -> None:
        """One look; any part of it may block."""
        if self._registry.refresh():
            self._log.info("registry_changed", connections=len(self._registry.all()))
        if self._registry.bad_edits > self._bad_edits:
            CONFIGURATION_ERRORS.inc(self._registry.bad_edits - self._bad_edits)
            self._bad_edits = self._registry.bad_edits
            self._log.error("registry_edit_refused", problems=list(self._registry.problems))
        self._health.registry_problems = self._registry.problems
        unresolved = self._registry.unresolved(datetime.now(UTC))
        for connection_id in unresolved.keys() - self._health.unresolved.keys():
            self._log.warning("secret_unresolved", connection=connection_id, reason=unresolved[connection_id])
        addresses = self._registry.addresses()
        if addresses is not self._counted:
            begin_counting(addresses.values())
        if addresses is not self._counted or unresolved.keys() != self._health.unresolved.keys():
            tell_unresolved({*addresses, *self._counted}, unresolved)
        self._counted = addresses
        self._health.unresolved = unresolved
        self._health.disk_low = not all(has_room(each, self._min_free_bytes) for each in self._folders)
