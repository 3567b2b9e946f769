"""Fixtures of the broker's tests."""

import pytest

from tests.servers import BrokerServer


@pytest.fixture(params=["valkey", "redis_debian"])
def server(request: pytest.FixtureRequest) -> BrokerServer:
    """Valkey and Redis by turns, running and empty."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, BrokerServer)
    return found
