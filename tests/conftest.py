"""Fixtures that every test may use: real servers, started once a session, empty for each test."""

import itertools
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from handlers.store.engine import Database
from tests import folding
from tests.databases import Lender
from tests.servers import (
    BrokerServer,
    MissingServerError,
    PostgresServer,
    Server,
    postgres_server,
    redis_server,
    valkey_server,
)

SomeServer = TypeVar("SomeServer", bound=Server)

_database_numbers = itertools.count()

# How long an example takes says nothing of our code where other work has the machine.
settings.register_profile("on any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("on any machine")


@pytest.fixture(scope="session")
def valkey_session() -> Iterator[BrokerServer]:
    yield from _started(valkey_server())


@pytest.fixture(scope="session")
def redis_session() -> Iterator[BrokerServer]:
    yield from _started(redis_server())


@pytest.fixture(scope="session")
def postgres_session() -> Iterator[PostgresServer]:
    yield from _started(postgres_server())


@pytest.fixture
def valkey(valkey_session: BrokerServer) -> BrokerServer:
    """Valkey, running and empty. A test that kills its server starts one of its own (`tests.servers`)."""
    return _emptied(valkey_session)


@pytest.fixture
def redis_debian(redis_session: BrokerServer) -> BrokerServer:
    """Debian's redis-server, running and empty."""
    return _emptied(redis_session)


@pytest.fixture
def postgres_url(postgres_session: PostgresServer) -> Iterator[str]:
    """A fresh database of PostgreSQL, without a schema: `postgresql://postgres@/name?host=/folder`."""
    with postgres_session.database(f"test_{next(_database_numbers)}") as url:
        yield url


@pytest.fixture(scope="session")
def postgres_lender(postgres_session: PostgresServer) -> Lender:
    return Lender(postgres_session)


@pytest.fixture
def migrated_url(postgres_lender: Lender) -> Iterator[str]:
    """A database of PostgreSQL with the schema and not a row in it."""
    with postgres_lender.lent() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the schema: SQLite and PostgreSQL by turns."""
    if request.param == "sqlite":
        database = folding.sqlite(tmp_path)
    else:
        database = Database(request.getfixturevalue("migrated_url"))
    yield database
    database.close()


def _started(launcher: AbstractContextManager[SomeServer]) -> Iterator[SomeServer]:
    """Skips where a program is missing, with the line that installs it; with `CI` set that is a failure."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(launcher)
        except MissingServerError as error:
            if os.environ.get("CI"):
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield server


def _emptied(server: BrokerServer) -> BrokerServer:
    with server.client() as client:
        client.flushall()
    return server
