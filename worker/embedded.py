"""Valkey as our child: durable, on a unix socket under the home, gone when its parent is.

Two servers on one folder would both append to its log, so a lock whose descriptor the server inherits bars the
second for as long as the first one lives, whoever started it. (Measured: Valkey itself does not.)
"""

import contextlib
import fcntl
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import redis
import structlog

from handlers.errors import ConfigurationError, ServiceUnreachableError
from handlers.settings import PREFIX
from worker.address import FOLDER, MAX_SOCKET_BYTES, POINTER_NAME, SOCKET_NAME, embedded_socket, socket_url
from worker.embedded_program import Program, find_program, sign
from worker.streams_server import connect

LOCK_SECONDS = 5.0
"""How long a start waits for a server that is ending; one whose parent was killed needs about 0.1 s."""

START_SECONDS = 30.0
"""How long a server may take to open its socket; reading its data back may then take as long as it takes."""

LOG_BYTES = 1024 * 1024
"""Over this the server's own log is begun anew."""

_LAUNCH = """\
import ctypes, os, signal, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
if sys.platform == "linux":
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("parent is gone")
os.execv(command[0], command)
"""
"""Runs between our process and the server: SIGTERM when the parent ends, however it ends (prctl(2), kept over execve).
In a process of its own, because code between fork and exec is unsafe where there are threads."""

_log = structlog.stdlib.get_logger(__name__)


def start(home: Path, program: Program | None = None) -> "subprocess.Popen[bytes]":
    """Starts the embedded broker and waits until it takes commands. On Linux it ends with the thread that called.

    Args:
        home: made where it is missing.
        program: None for `find_program`.

    Returns:
        The server's process; SIGTERM ends it in order. `worker.address.embedded_socket(home)` is its address, the
        same at every start.

    Raises:
        ConfigurationError: the folder is in use, or a server wrote it that this one may be unable to read.
        ServiceUnreachableError: there is no program, or it does not start, or its folder cannot be written.
    """
    program = program or find_program()
    home = home.absolute()
    folder = home / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _locked(folder) as lock:
            sign(folder / "server.json", program)
            path = _socket_path(home)
            process = _launch(program, folder, path, lock)
    except OSError as error:  # a disk that is full, most likely; the next start may find room
        raise ServiceUnreachableError(f"the embedded broker did not start: {folder}: {error.strerror}") from error
    try:
        _await_answer(process, folder, path)
    except BaseException:
        process.kill()
        process.wait()
        raise
    _log.info("broker_started", pid=process.pid, program=str(program), socket=str(path))
    return process


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """The folder's lock, as a descriptor for the server to inherit; ours is closed again at the end."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                raise ConfigurationError(
                    [f"{folder}: another broker runs on it; stop the other `maintenworks up`, or set {PREFIX}HOME"]
                )
            time.sleep(0.05)
        yield lock
    finally:
        os.close(lock)


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _socket_path(home: Path) -> Path:
    """Where to listen: in the home, else in a private folder of a short name that stays the same over restarts."""
    if len(os.fsencode(home / SOCKET_NAME)) <= MAX_SOCKET_BYTES:
        return home / SOCKET_NAME
    with contextlib.suppress(ServiceUnreachableError):
        named = embedded_socket(home)
        with contextlib.suppress(OSError):  # it is there, unless somebody cleared the temporary folder
            named.parent.mkdir(mode=0o700)
        if _is_private(named.parent):
            return named
    place = tempfile.gettempdir() if len(tempfile.gettempdir()) < MAX_SOCKET_BYTES // 2 else "/tmp"  # noqa: S108  # mkdtemp makes a folder of our own in it
    short = Path(tempfile.mkdtemp(prefix="maintenworks-", dir=place)) / SOCKET_NAME
    draft = home / f"{POINTER_NAME}.new"
    draft.write_text(json.dumps({"socket": str(short)}))
    draft.replace(home / POINTER_NAME)
    return short


def _is_private(folder: Path) -> bool:
    """Whether it is a folder that nobody but us can put things into."""
    try:
        about = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and not about.st_mode & 0o077


def _launch(program: Program, folder: Path, path: Path, lock: int) -> "subprocess.Popen[bytes]":
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "databases": "1",
        "appendonly": "yes",
        "appendfsync": "always",  # 200 means durable: at every answer, not every second
        "no-appendfsync-on-rewrite": "no",
        "auto-aof-rewrite-percentage": "0",  # `worker.embedded_log` says when: this knows nothing of the disk
        "aof-load-truncated": "yes",  # a last write torn by a full disk or a crash was never answered: it is cut off
        "save": "",  # the log is the data; snapshots beside it would only cost
        "maxmemory-policy": "noeviction",  # nothing queued is ever thrown away to make room
    }
    command = [program.path, *(word for name, value in options.items() for word in (f"--{name}", value))]
    log = folder / "server.log"
    fresh = not log.exists() or log.stat().st_size > LOG_BYTES
    with log.open("wb" if fresh else "ab") as output:
        return subprocess.Popen(  # noqa: S603  # the program we chose
            [sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C at the terminal must not end it while workers still drain
        )


def _await_answer(process: "subprocess.Popen[bytes]", folder: Path, path: Path) -> None:
    """Waits until it takes commands.

    Raises:
        ServiceUnreachableError: it ended, or did not open its socket in time.
    """
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with connect(socket_url(path)) as client:
                client.ping()
        except redis.BusyLoadingError:
            deadline = time.monotonic() + START_SECONDS
        except redis.RedisError:
            pass  # not there yet
        else:
            return
        time.sleep(0.01)
    why = f"ended with {process.returncode}" if process.returncode is not None else f"silent for {START_SECONDS:.0f} s"
    raise ServiceUnreachableError(f"the embedded broker did not start ({why}); see {folder / 'server.log'}")
