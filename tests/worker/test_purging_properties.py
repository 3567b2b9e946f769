"""Whatever a history is and whenever its bytes went: a rebuild from the checkpoint gives the state that stood."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from handlers.events import Delivery
from handlers.store.engine import Database
from tests import folding
from tests.sizes import size
from tests.worker import rebuilding
from tests.worker.letters import NOW, Yard
from tests.worker.purges import purge
from tests.worker.test_rebuild_properties import histories

SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large)


@pytest.fixture
def databases(database: Database, tmp_path: Path) -> Iterator[tuple[Database, Database]]:
    """One that purges, and another on SQLite that never does."""
    (tmp_path / "other").mkdir()
    other = folding.sqlite(tmp_path / "other")
    yield database, other
    other.close()


def test_a_rebuild_after_purges_gives_what_stood_whatever_comes_late_or_again(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    """Bytes go before anything, between batches and after; then all of it comes once more, as the same and as new."""
    examples = size(12, 60) if databases[0].dialect == "sqlite" else size(4, 40)

    @settings(max_examples=examples, deadline=None, suppress_health_check=SLOW)
    @given(
        told=histories(), first=st.integers(0, 8), second=st.integers(0, 12), comes=st.sampled_from(("once", "again"))
    )
    def run(told: tuple[list[Delivery], list[list[Delivery]]], first: int, second: int, comes: str) -> None:
        came, batches = told
        for database in databases:
            folding.empty(database)
        yard, other = Yard(databases[0], tmp_path), Yard(databases[1], tmp_path / "other")
        for each in (yard, other):
            each.now = NOW + timedelta(days=40)
        for batch, minute in zip(batches, (first, second), strict=False):
            for each in (yard, other):
                each.process(*batch)
            purge(yard, NOW + timedelta(minutes=minute))
        if comes == "again":
            later = [replace(each, delivery_id=f"{each.delivery_id}-again", received_at=yard.now) for each in came]
            for each in (yard, other):
                each.process(*came)
                each.process(*later)
        purge(yard, NOW + timedelta(minutes=second))
        assert rebuilding.everything(yard) == rebuilding.everything(other)

        rebuilding.assert_given_back(yard)

    run()
