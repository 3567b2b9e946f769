"""The faults as they are done, each in its own thread at its own time, and when recovery from each began."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tests.chaos.house import House
from tests.chaos.members import Member, RoleMember
from tests.chaos.proxy import Mode
from tests.chaos.schedule import CUT, DEAF, FROZEN, FULL, KILLED, SLOW, STALLED, WORKERS, Fault

MODES = {CUT: Mode.CUT, SLOW: Mode.SLOW, STALLED: Mode.STALL, DEAF: Mode.DEAF}
WORK_SECONDS = 5.0
"""How long is waited for a worker to hold something; events come many times a second."""


class Happened(NamedTuple):
    """A fault that was done.

    Attributes:
        fault: as planned.
        since: from when its recovery counts: of what befalls one of our processes when it befell it, since others are
            there to take over; else when it was over.
    """

    fault: Fault
    since: datetime


class Faults:
    """Does a schedule.

    Args:
        built: whom it befalls.
        planned: in the order of their times.
        on_fault: told the line of each as it begins.
    """

    def __init__(self, built: House, planned: Sequence[Fault], on_fault: Callable[[str], None]) -> None:
        self.happened: list[Happened] = []
        self.failures: list[str] = []
        self._built = built
        self._on_fault = on_fault
        self._threads = [threading.Thread(target=self._in_time, args=(each,), daemon=True) for each in planned]
        self._began = 0.0

    def begin(self) -> None:
        """From now on the times of the schedule count."""
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Returns once the last one is over."""
        for thread in self._threads:
            thread.join()

    def _in_time(self, fault: Fault) -> None:
        time.sleep(max(0.0, self._began + fault.at - time.monotonic()))
        self._on_fault(str(fault))
        try:
            since = self._do(fault)
        except Exception as error:  # noqa: BLE001  # a fault that could not be done is told, and the run has failed
            self.failures.append(f"{fault}: {type(error).__name__}: {error}")
        else:
            self.happened.append(Happened(fault, since))

    def _do(self, fault: Fault) -> datetime:
        if fault.what in MODES:
            return self._disturb(fault)
        if fault.what == FULL:
            self._built.disk.fill()
            time.sleep(fault.seconds)
            self._built.disk.free()
            return _now()
        member = self._built.members[fault.target]
        with member.busy:
            if fault.alone and fault.target in WORKERS:
                self._await_work(member)
            began = self._befall(member, fault)
        return began if isinstance(member, RoleMember) else _now()

    def _disturb(self, fault: Fault) -> datetime:
        line, tell = self._built.lines[fault.target, fault.server], self._built.proxies.tell
        tell(line, MODES[fault.what], fault.late)
        time.sleep(fault.seconds)
        tell(line, Mode.PASS)
        return _now()

    def _await_work(self, worker: Member) -> None:
        """Waits until a worker holds something, so that there is something to recover."""
        assert isinstance(worker, RoleMember)
        deadline = time.monotonic() + WORK_SECONDS
        while not self._built.holds(worker) and time.monotonic() < deadline:
            time.sleep(0.001)  # it holds something for some milliseconds only

    @staticmethod
    def _befall(member: Member, fault: Fault) -> datetime:
        began = _now()
        if fault.what == FROZEN:
            member.freeze()
            time.sleep(fault.seconds)
            member.thaw()
            return began
        if fault.what == KILLED:
            member.kill()
        else:
            member.stop()
        time.sleep(fault.seconds)
        member.start()
        return began


def _now() -> datetime:
    return datetime.now(UTC)
