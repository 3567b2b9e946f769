"""Whether a role can do its work: a few questions, asked seldom, with a bound on how long each may take."""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Sequence

from handlers.errors import MaintenworksError

FRESH_SECONDS = 2.0
"""An answer serves so long: a probe a second from ten places must not be load."""
PATIENCE_SECONDS = 2.0
"""Under the time-out that load balancers and Kubernetes probes are usually given."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        name: what was asked.
        problem: why the work cannot go on; None when it can.
        warnings: what is wrong and does not stop the work.
    """

    name: str
    problem: str | None = None
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For `/readyz`."""
        status = "failing" if self.problem else "warning" if self.warnings else "ok"
        return {"name": self.name, "status": status, "problem": self.problem, "warnings": list(self.warnings)}


class Check:
    """One question, and its last answer.

    Args:
        name: what is asked.
        ask: asks; returns warnings. Raises `MaintenworksError` where the work cannot go on. May block.
        clock: monotonic seconds.
    """

    def __init__(
        self, name: str, ask: Callable[[], Sequence[str]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._ask = ask
        self._clock = clock
        self._last: Finding | None = None
        self._asked_at = 0.0
        self._asking: asyncio.Future[Finding] | None = None

    async def find(self, patience: float = PATIENCE_SECONDS) -> Finding:
        """The last answer if it is fresh, else a new one; a question that takes too long is a problem.

        While one is being asked no second is, so that a service that hangs holds one thread.
        """
        if self._last is not None and self._clock() - self._asked_at < FRESH_SECONDS:
            return self._last
        if self._asking is None:
            self._asking = asyncio.ensure_future(asyncio.to_thread(self._answer))
        asking = self._asking
        done, _ = await asyncio.wait([asking], timeout=patience)
        if not done:
            return Finding(self.name, f"no answer within {patience:g} s")
        if self._asking is asking:
            self._asking = None
            self._last = asking.result()
            self._asked_at = self._clock()
        return asking.result()

    def _answer(self) -> Finding:
        try:
            return Finding(self.name, None, tuple(self._ask()))
        except MaintenworksError as error:
            return Finding(self.name, str(error))


class Readiness:
    """All checks of a process, and whether it has been told to stop.

    Attributes:
        draining: SIGTERM has come: nothing new shall be sent here.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = checks
        self.draining = False

    def drain(self) -> None:
        """The process has been told to stop."""
        self.draining = True

    async def report(self) -> tuple[bool, dict[str, object]]:
        """Whether the process is ready, and the answer of `/readyz`."""
        findings = await asyncio.gather(*(check.find() for check in self._checks))
        failing = [finding.name for finding in findings if finding.problem]
        if self.draining:
            failing.insert(0, "draining")
        return not failing, {
            "ready": not failing,
            "failing": failing,
            "warnings": [finding.name for finding in findings if finding.warnings],
            "checks": [finding.as_json() for finding in findings],
        }
