"""The mark: how much may wait."""

import asyncio
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from handlers.errors import TransientError
from receiver.mark import Mark
from receiver.settings import ReceiverSettings
from worker.address import DRAINED_TIMES, SQLITE_FILE
from worker.queue import most_waiting

LIMIT = 1 << 30
LEAST = 1 << 20


class _Disk(NamedTuple):
    free: int


class _Producer:
    def __init__(self, *waiting: int | None) -> None:
        self._waiting = iter(waiting)
        self.marks: list[int] = []

    async def backlog(self) -> int:
        if (waiting := next(self._waiting)) is None:
            raise TransientError("broker_unavailable", "refused")
        return waiting

    def limit_backlog(self, limit_bytes: int, /) -> None:
        self.marks.append(limit_bytes)


def settings(home: Path, broker_url: str | None = None) -> ReceiverSettings:
    return ReceiverSettings(
        home=home,
        broker_url=None if broker_url is None else SecretStr(broker_url),
        backlog_limit_bytes=LIMIT,
        min_free_bytes=LEAST,
    )


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is free on the disk: the list's one number."""
    found = [0]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: _Disk(found[0]))
    return found


def test_what_waits_must_find_room_in_the_database_on_the_same_disk(tmp_path: Path, free: list[int]) -> None:
    """What may come on top takes room in the broker's log and, with what waits, in the database; the minimum stays."""
    (tmp_path / SQLITE_FILE).touch()
    for waiting in (0, 5000):
        free[0] = LEAST + 1_000_000
        most = most_waiting(settings(tmp_path), waiting)
        left = free[0] - (most - waiting) - most * DRAINED_TIMES
        assert LEAST <= left <= LEAST + DRAINED_TIMES + 1


def test_where_there_is_room_enough_the_setting_is_the_mark(tmp_path: Path, free: list[int]) -> None:
    (tmp_path / SQLITE_FILE).touch()
    free[0] = 1 << 50
    assert most_waiting(settings(tmp_path), 5000) == LIMIT


def test_where_there_is_none_nothing_may_come_on_top(tmp_path: Path, free: list[int]) -> None:
    (tmp_path / SQLITE_FILE).touch()
    free[0] = LEAST
    assert 0 <= most_waiting(settings(tmp_path), 5000) < 5000


def test_a_database_or_broker_elsewhere_leaves_the_setting(tmp_path: Path, free: list[int]) -> None:
    free[0] = LEAST
    assert most_waiting(settings(tmp_path), 5000) == LIMIT
    (tmp_path / SQLITE_FILE).touch()
    assert most_waiting(settings(tmp_path, "redis://broker"), 5000) == LIMIT


def test_a_broker_that_is_away_leaves_the_mark_as_it_was(tmp_path: Path) -> None:
    producer = _Producer(7, None, 9)
    mark = Mark(settings(tmp_path), producer)

    async def journey() -> None:
        for _ in range(3):
            await mark.set()

    asyncio.run(journey())
    assert producer.marks == [LIMIT, LIMIT]
