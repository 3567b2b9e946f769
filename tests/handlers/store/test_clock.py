"""The one clock of many hosts."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.store.clock import DatabaseClock, local
from handlers.store.engine import Database

SHARP = timedelta(seconds=1)
"""A busy machine's way to the database and back."""


@pytest.mark.parametrize("seconds", [-20, 20])
def test_a_host_whose_clock_is_wrong_goes_by_the_databases(empty_database: Database, seconds: int) -> None:
    wrong = timedelta(seconds=seconds)
    clock = DatabaseClock(empty_database, own=lambda: datetime.now(UTC) + wrong)
    off = clock.measure()
    expected = -wrong if empty_database.dialect == "postgresql" else timedelta(0)
    assert abs(off - expected) < SHARP
    assert abs(clock() - (local() + wrong + off)) < SHARP


def test_a_clock_that_agrees_is_gone_by_as_it_is(empty_database: Database) -> None:
    clock = DatabaseClock(empty_database)
    assert clock.measure() == timedelta(0)
