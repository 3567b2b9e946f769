"""The servers that other tests stand on keep what they promise."""

import psycopg
from sqlalchemy import create_engine, text

from tests.servers import BrokerServer, postgres_server, valkey_server


def test_a_killed_broker_comes_back_with_what_it_acknowledged() -> None:
    with valkey_server() as server:
        with server.client() as client:
            client.set("key", b"\xff\x00")
        first = server.pid

        server.kill()
        server.restart()

        with server.client() as client:
            assert client.get("key") == b"\xff\x00"
        assert server.pid != first


def test_a_broker_may_listen_on_tcp() -> None:
    with valkey_server(tcp=True) as server, server.client() as client:
        assert server.url.startswith("redis://127.0.0.1:")
        assert client.ping() is True


def test_a_broker_fixture_is_empty_and_durable(valkey: BrokerServer) -> None:
    with valkey.client() as client:
        assert client.dbsize() == 0
        assert client.config_get("appendfsync") == {"appendfsync": "always"}


def test_debians_redis_is_the_second_line(redis_debian: BrokerServer) -> None:
    with redis_debian.client() as client:
        assert client.dbsize() == 0
        assert "valkey_version" not in client.info("server")


def test_every_test_gets_a_database_of_its_own(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (n integer)"))
    engine.dispose()


def test_and_never_sees_another_ones(postgres_url: str) -> None:
    engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE marks (n integer)"))
    engine.dispose()


def test_a_killed_postgres_comes_back_with_what_it_committed() -> None:
    with postgres_server(tcp=True) as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE marks AS SELECT 7 AS n")

        server.kill()
        server.restart()

        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT n FROM marks").fetchall() == [(7,)]
