"""What is kept of processes that have ended, and that the page says the same before and after."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

from tests.journeys.small_disk import MIB, NoSmallDiskError, small_disk
from worker import metrics_files
from worker.metrics_files import LOCK, forget_process, reading

Page = dict[tuple[str, tuple[tuple[str, str], ...]], float]
CONNECTIONS = 700
"""So many labels that a file outgrows its first 64 KiB."""


def _write(folder: Path, name: str, values: dict[tuple[str, str, str], float]) -> None:
    file = MmapedDict(str(folder / name))  # type: ignore[no-untyped-call]  # untyped library
    for (metric, sample, label), value in values.items():
        key = mmap_key(metric, sample, ["a"], [label], "help")
        file.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]  # untyped library
    file.close()  # type: ignore[no-untyped-call]  # untyped library


def _counted(folder: Path, pid: int) -> None:
    """What a process leaves that counted, measured, held something and did its work at a time."""
    labels = [f"connection-{(pid * 300 + number) % 2_000}" for number in range(CONNECTIONS)]
    _write(folder, f"counter_{pid}.db", {("m", "m_total", label): pid for label in labels})
    edges = {("h", "h_bucket", "x"): 2.0, ("h", "h_sum", "x"): 0.5 * pid}
    _write(folder, f"histogram_{pid}.db", edges)
    _write(folder, f"gauge_max_{pid}.db", {("t", "t", "tick"): 1000.0 + pid})
    _write(folder, f"gauge_livesum_{pid}.db", {("g", "g", "threads"): 4.0})


def _page(folder: Path) -> Page:
    found: Any = MultiProcessCollector(None, str(folder)).collect()  # type: ignore[no-untyped-call]  # untyped library
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for metric in found for s in metric.samples}


def test_of_many_that_ended_one_file_a_kind_is_left_and_the_page_says_the_same(tmp_path: Path) -> None:
    for pid in range(1, 9):
        _counted(tmp_path, pid)
    before = _page(tmp_path)
    for pid in range(1, 8):
        forget_process(pid, str(tmp_path))

    after = _page(tmp_path)
    held = ("g", (("a", "threads"),))
    assert (before.pop(held), after.pop(held)) == (32, 4)
    assert after == before
    kinds = ("counter", "histogram", "gauge_max")
    alive = {f"gauge_livesum_{8}.db", *(f"{kind}_8.db" for kind in kinds)}
    assert {each.name for each in tmp_path.iterdir()} == alive | {LOCK, *(f"{kind}_0.db" for kind in kinds)}


def test_while_somebody_reads_nothing_is_moved_and_nobody_waits_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_files, "PATIENCE_SECONDS", 0.02)
    _counted(tmp_path, 7)
    with reading(str(tmp_path)):
        forget_process(7, str(tmp_path))
        assert {each.name for each in tmp_path.glob("*.db")} == {"counter_7.db", "histogram_7.db", "gauge_max_7.db"}


def test_where_there_is_no_room_the_files_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for pid in (1, 2):
        _counted(tmp_path, pid)
    forget_process(1, str(tmp_path))
    page = _page(tmp_path)
    monkeypatch.setattr(os, "posix_fallocate", full)
    forget_process(2, str(tmp_path))
    del page["g", (("a", "threads"),)]
    assert _page(tmp_path) == page


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with two processes' files on it and not a byte left."""
    try:
        with small_disk(tmp_path, 4 * MIB) as filler:
            for pid in (1, 2):
                _counted(tmp_path, pid)
            filler.fill()
            yield tmp_path
    except NoSmallDiskError as error:
        pytest.skip(str(error))


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a small file system")
def test_on_a_full_disk_whoever_joins_them_lives_on(full_disk: Path) -> None:
    """A mapped page without a block would end it by SIGBUS."""
    code = f"from worker.metrics_files import forget_process as f; f(1, {str(full_disk)!r}); f(2, {str(full_disk)!r})"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
    assert _page(full_disk)["m_total", (("a", "connection-600"),)] == 1 + 2
