from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.receiver.harness import ImpatientProtocol, Running, receiver, write_connections
from tests.servers import BrokerServer, valkey_server


@pytest.fixture(scope="session")
def receiver_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose registry has a connection for every row of the contract's table."""
    home = tmp_path_factory.mktemp("home")
    (home / "old").write_text("the old secret, still valid")
    secret = {"ref": f"file:{home / 'secret'}"}
    write_connections(
        home / "connections.toml",
        acme={},
        rotated={"secrets": [secret, {"ref": f"file:{home / 'old'}"}]},
        paused={"paused": True},
        revoked={"revoked": True},
        unresolved={"secrets": [{"ref": f"file:{home / 'nowhere'}"}]},
        limited={"rate_limit": "1/s"},
        octocat={"scheme": "github"},
        standard={"scheme": "standard-webhooks"},
        stripe={"scheme": "stripe"},
    )
    return home


@pytest.fixture(scope="session")
def running(valkey_session: BrokerServer, receiver_home: Path) -> Iterator[Running]:
    """A receiver with the contract's limits."""
    with receiver(receiver_home, valkey_session.url) as found:
        yield found


@pytest.fixture(scope="session")
def impatient(valkey_session: BrokerServer, receiver_home: Path) -> Iterator[Running]:
    """One beside it that refuses whoever takes longer than a second."""
    with receiver(receiver_home, valkey_session.url, protocol=ImpatientProtocol) as found:
        yield found


@pytest.fixture
def own_valkey() -> Iterator[BrokerServer]:
    """A broker for a test that harms it."""
    with valkey_server() as server:
        yield server
