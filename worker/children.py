"""Our own roles as children of `up`: each its own process, with what was kept for it, and gone when the parent is."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from handlers.errors import TransientError
from worker.metrics_files import forget_process
from worker.parts import Launched, Part
from worker.telemetry import LISTEN_FD, MULTIPROCESS_DIR, READY_FD

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def role(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    grace: float,
    listener: socket.socket | None = None,
    left: Callable[[int], None] = lambda _: None,
) -> Part:
    """A role as a part: `python -P -m …` with the descriptors that `worker.telemetry` reads.

    Only the main thread may launch it: on Linux the kernel ends a child when the *thread* that forked it ends.

    Args:
        name: for the log.
        arguments: what follows `-m`.
        environment: the child's, whole.
        grace: seconds from SIGTERM until it is killed.
        listener: the socket it shall listen on. It stays open here, so that requests wait in its queue while the
            role is started again, and the port stays the same.
        left: told the process id of one that has ended, before the next is started.
    """

    def launch() -> Launched:
        reading, writing = os.pipe()
        handed = {READY_FD: writing} if listener is None else {READY_FD: writing, LISTEN_FD: listener.fileno()}
        try:
            process = subprocess.Popen(  # noqa: S603  # our own interpreter and modules
                [sys.executable, "-P", "-m", *arguments],
                env={**environment, **{variable: str(descriptor) for variable, descriptor in handed.items()}},
                pass_fds=tuple(handed.values()),
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),  # standard output is for data
                start_new_session=True,  # Ctrl-C reaches the parent alone, which drains in order
                preexec_fn=end_with_parent(os.getpid()),  # noqa: PLW1509  # the parent has one thread
            )
        except OSError as error:
            os.close(reading)
            raise TransientError("process_not_started", f"{error.strerror}") from error
        finally:
            os.close(writing)
        return Launched(process, reading)

    def ended(pid: int) -> None:
        if MULTIPROCESS_DIR in environment:
            forget_process(pid, environment[MULTIPROCESS_DIR])
        left(pid)

    return Part(name, launch, grace, _nothing if listener is None else listener.close, ended)


def end_with_parent(parent: int) -> Callable[[], None]:
    """What a child runs before its program starts, so that on Linux it gets SIGTERM when its parent dies.

    Args:
        parent: its process id.
    """
    if not sys.platform.startswith("linux"):
        return _nothing
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return prepare


def _nothing() -> None:
    return
