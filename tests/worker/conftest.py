"""Fixtures of the worker's tests: brokers, and installations on a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.store.engine import Database
from tests import folding
from tests.servers import BrokerServer
from tests.worker.letters import Yard


@pytest.fixture(params=["valkey", "redis_debian"])
def server(request: pytest.FixtureRequest) -> BrokerServer:
    """Valkey and Redis by turns, running and empty."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, BrokerServer)
    return found


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Yard:
    """An installation, on each database by turns."""
    return Yard(database, tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Yard]:
    """An installation on SQLite."""
    database = folding.sqlite(tmp_path)
    yield Yard(database, tmp_path)
    database.close()
