"""The roles' metrics are files mapped into memory: a full disk under them would end every role by SIGBUS."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.small_disk import MIB, NoSmallDiskError, small_disk
from worker import metrics_folder as place
from worker.metrics_folder import HOME_FILE, folder_of, metrics_folder
from worker.telemetry import MULTIPROCESS_DIR

COUNT = "from worker import telemetry; telemetry.RETRIES.labels('x').inc(7)"
SHOW = "from worker import telemetry; print(telemetry.metrics_page(None)[1].decode())"


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the machine's folder in memory."""
    folder = tmp_path / "shm"
    folder.mkdir()
    monkeypatch.setattr(place, "MEMORY", folder)
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def _python(code: str, metrics: Path) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, MULTIPROCESS_DIR: str(metrics)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@contextlib.contextmanager
def _full(folder: Path) -> Iterator[None]:
    """A disk of its own at the folder, with not a byte left."""
    try:
        with small_disk(folder, 4 * MIB) as filler:
            (folder / "metrics").mkdir()
            filler.fill()
            yield
    except NoSmallDiskError as error:
        pytest.skip(str(error))


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_role_counts_on_a_full_disk_under_its_home(home: Path) -> None:
    """Beside it, what would happen were they there."""
    with _full(home), metrics_folder(home) as folder:
        assert _python(COUNT, home / "metrics").returncode == -signal.SIGBUS
        assert _python(COUNT, folder).returncode == 0
        assert 'maintenworks_retries_total{error="x"} 7.0' in _python(SHOW, folder).stdout


def test_the_folder_is_private_empty_and_gone_afterwards(home: Path, memory: Path) -> None:
    with metrics_folder(home) as folder:
        assert folder.parent == memory
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert [each.name for each in folder.iterdir()] == [HOME_FILE]
    assert list(memory.iterdir()) == []


def test_whoever_looks_from_outside_finds_the_folder_of_one_that_runs_and_none_of_one_that_was_killed(
    home: Path, memory: Path
) -> None:
    assert folder_of(home) is None
    with metrics_folder(home) as folder:
        assert folder_of(home) == folder
        assert folder_of(home.with_name("elsewhere")) is None
    _left(home, memory)
    assert folder_of(home) is None


def _left(home: Path, memory: Path) -> Path:
    """What one that was killed has left there."""
    with metrics_folder(home) as folder:
        left = folder.rename(memory / "kept")
    (left / "counter_1.db").touch()
    return left.rename(folder)


def test_what_a_killed_one_left_is_wiped_when_it_starts_again(home: Path, memory: Path) -> None:
    left = _left(home, memory)
    with metrics_folder(home) as folder:
        assert folder == left
        assert not (folder / "counter_1.db").exists()


def test_what_a_killed_one_left_goes_with_whoever_starts_next_once_its_home_is_gone(home: Path, memory: Path) -> None:
    gone, stays = home.with_name("gone"), home.with_name("stays")
    stays.mkdir()
    left, kept = _left(gone, memory), _left(stays, memory)
    with metrics_folder(home):
        assert not left.exists()
        assert kept.exists()


def test_a_folder_in_use_is_left_alone_though_its_home_cannot_be_seen_from_here(home: Path, memory: Path) -> None:
    """Another container may share the memory, and have its home at the same path or at one that is not here."""
    with metrics_folder(home.with_name("elsewhere")) as other, metrics_folder(home) as mine:
        with metrics_folder(home) as third:
            assert third == home / "metrics"
        assert {other, mine} == set(memory.iterdir())


def test_where_there_is_no_memory_for_it_the_folder_is_under_the_home(
    home: Path, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "LEAST_FREE_BYTES", shutil.disk_usage(memory).total + 1)
    (home / "metrics").mkdir()
    (home / "metrics" / "counter_1.db").touch()
    with metrics_folder(home) as folder:
        assert folder == home / "metrics"
        assert list(folder.iterdir()) == []
    assert not folder.exists()
    monkeypatch.setattr(place, "MEMORY", memory / "none")
    with metrics_folder(home) as folder:
        assert folder == home / "metrics"


def test_a_name_that_is_taken_by_something_else_is_no_failure(home: Path, memory: Path) -> None:
    with metrics_folder(home) as folder:
        name = folder.name
    (memory / name).symlink_to(home)
    with metrics_folder(home) as folder:
        assert folder == home / "metrics"
    assert (memory / name).is_symlink()
    assert home.exists()
