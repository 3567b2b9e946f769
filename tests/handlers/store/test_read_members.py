"""The spans of several assets as those of one: a window needs little of them, and its figures are those of all."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.rules.downtime import Span
from handlers.rules.figures import figures
from handlers.rules.reach import Member
from handlers.store.engine import Database
from handlers.store.read_members import pooled
from handlers.store.read_spans import Window
from handlers.store.rowset import Transaction
from handlers.store.schema import downtime
from tests import folding
from tests.sizes import size

START = datetime(2026, 1, 1, tzinfo=UTC)
HOURS = 50
EVER = Window(datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))
LINE, PUMP, TWIN = ("c", "LINE"), ("c", "PUMP"), ("d", "PUMP")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = folding.sqlite(tmp_path)
    yield database
    database.close()


def _hour(hours: int | None) -> datetime | None:
    return None if hours is None else START + timedelta(hours=hours)


def _window(since: int, until: int, as_of: int) -> Window:
    return Window(*(START + timedelta(hours=each) for each in (since, until, as_of)))


def _pooled(database: Database, members: list[Member], window: Window) -> list[Span]:
    with database.read() as connection:
        return pooled(Transaction(connection), {LINE: members}, window).get(LINE, [])


def _rows(dice: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(dice.randint(0, 12)):
        asset, start, is_order = dice.choice([LINE, PUMP, TWIN]), dice.randint(0, HOURS), dice.random() < 0.5
        planned = dice.random() < 0.3
        yield {
            "connection_id": asset[0],
            "origin": "work_order" if is_order else "interval",
            "key": f"WO-{asset[1]}" if is_order else f"D-{number}",
            "part": f"{number:06d}" if is_order else "",
            "asset_key": asset[1],
            "started_at": _hour(start),
            "ended_at": _hour(dice.choice([None, *(start + dice.randint(0, 9) for _ in range(6))])),
            "planned": planned,
            "failure": not planned,
        }


def _members(dice: random.Random) -> Iterator[Member]:
    yield Member(LINE)
    for asset in (PUMP, TWIN, TWIN):
        since, until = (dice.choice([None, dice.randint(0, HOURS)]) for _ in range(2))
        if since is None or until is None or since < until:
            yield Member(asset, _hour(since), _hour(until))


def test_a_window_without_any_stop_asks_for_no_wider_one(database: Database) -> None:
    assert _pooled(database, [Member(LINE), Member(TWIN)], _window(0, 24, 9_999)) == []


def test_what_a_window_needs_of_several_gives_the_figures_that_their_whole_past_gives(database: Database) -> None:
    for seed in range(size(25, 2_000)):
        dice = random.Random(seed)
        members = list(_members(dice))
        with database.write() as connection:
            connection.execute(downtime.delete())
            Transaction(connection).insert(downtime, list(_rows(dice)))
        whole = _pooled(database, members, EVER)
        for _ in range(8):
            since, until = sorted(dice.sample(range(-2, HOURS + 10), 2))
            window = _window(since, until, dice.choice([until, dice.randint(since, HOURS + 10), HOURS + 20]))
            assert figures(_pooled(database, members, window), *window) == figures(whole, *window), (seed, window)
