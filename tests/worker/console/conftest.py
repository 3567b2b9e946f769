"""One console for each module of tests, for it takes a second to fill."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import BrokerServer
from tests.worker.console.desk import Desk, opened_desk
from tests.worker.console.house import Site, site


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey_session: BrokerServer) -> Iterator[Site]:
    """A filled installation on SQLite, its console being served."""
    home: Path = tmp_path_factory.mktemp("console")
    with site(home, f"sqlite:///{home / 'maintenworks.db'}", broker_url=valkey_session.url) as found:
        yield found


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, valkey_session: BrokerServer) -> Iterator[Desk]:
    """A viewer and an operator at a console; what one test does the next one finds."""
    with opened_desk(tmp_path_factory.mktemp("desk"), valkey_session.url) as found:
        yield found
