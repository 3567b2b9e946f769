"""The ballast: really allocated, only where there is room, given up where there is none."""

import errno
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from worker.ballast import NAME, PART, Ballast

MINIMUM = 8 * 1024 * 1024
MORE_THAN_ANY_DISK = 1 << 60


def _made(folder: Path) -> os.stat_result:
    Ballast(folder, MINIMUM).make()
    return (folder / NAME).stat()


def test_it_takes_its_space_really_and_privately(tmp_path: Path) -> None:
    found = _made(tmp_path / "broker")
    assert found.st_size == MINIMUM // PART
    assert found.st_blocks * 512 >= MINIMUM // PART  # stat(2): a block is 512 bytes, whatever the file system's are
    assert not found.st_mode & 0o077


def test_one_that_is_there_is_left_and_one_of_another_size_made_anew(tmp_path: Path) -> None:
    first = _made(tmp_path)
    assert _made(tmp_path).st_mtime_ns == first.st_mtime_ns
    (tmp_path / NAME).write_bytes(b"cut short")
    assert _made(tmp_path).st_size == MINIMUM // PART


def test_where_it_would_take_the_last_room_it_is_not_made(tmp_path: Path) -> None:
    Ballast(tmp_path, MORE_THAN_ANY_DISK).make()
    assert list(tmp_path.iterdir()) == []


def test_it_is_given_up_below_the_minimum_alone(tmp_path: Path) -> None:
    _made(tmp_path)
    with capture_logs() as lines:
        Ballast(tmp_path, MINIMUM).give_up()
        assert (tmp_path / NAME).exists()
        for _ in range(2):
            Ballast(tmp_path, MORE_THAN_ANY_DISK).give_up()
    assert list(tmp_path.iterdir()) == []
    assert [line["event"] for line in lines] == ["ballast_given_up"]


def test_without_a_minimum_there_is_none(tmp_path: Path) -> None:
    Ballast(tmp_path / "broker", 0).make()
    Ballast(tmp_path / "broker", 0).give_up()
    assert list(tmp_path.iterdir()) == []


def test_an_allocation_that_fails_leaves_no_file_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is asked before, and something else may take its room just then."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with capture_logs() as lines:
        Ballast(tmp_path, MINIMUM).make()
    assert list(tmp_path.iterdir()) == []
    assert [(line["event"], line["reason"]) for line in lines] == [("ballast_not_made", "No space left on device")]


def test_where_there_is_no_allocation_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fallocate")
    found = _made(tmp_path)
    assert (found.st_size, found.st_blocks * 512 >= MINIMUM // PART) == (MINIMUM // PART, True)


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with capture_logs() as lines:
        Ballast(tmp_path / "file", MINIMUM).make()
    assert [line["event"] for line in lines] == ["ballast_not_made"]
