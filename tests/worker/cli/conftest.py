"""What commands print is the same from both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.cli.plant import Plant


@pytest.fixture(params=["sqlite", "postgresql"])
def plant(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Plant]:
    """An installation with an empty database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'maintenworks.db'}"
    else:
        url = request.getfixturevalue("migrated_url")
    plant = Plant(tmp_path, url)
    yield plant
    plant.database.close()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Plant]:
    """The same on SQLite alone, for what no database has a part in."""
    plant = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}")
    yield plant
    plant.database.close()
