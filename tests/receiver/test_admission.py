import dataclasses
from pathlib import Path

import pytest

from handlers.connections import Connection, Registry
from receiver.admission import TokenBuckets, declared_too_large, has_room
from tests.receiver.harness import write_connections


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    write_connections(tmp_path / "connections.toml", acme={"rate_limit": "4/s"}, beta={"rate_limit": "4/s"})
    return Registry(tmp_path / "connections.toml", tmp_path).all()["acme"]


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time it was set to."""
        return self.now


def test_a_seconds_worth_may_come_at_once_then_the_agreed_rate(connection: Connection) -> None:
    clock = Clock()
    buckets = TokenBuckets(clock)
    assert [buckets.take(connection) for _ in range(5)] == [None, None, None, None, 1]
    clock.now += 0.5
    assert [buckets.take(connection) for _ in range(3)] == [None, None, 1]
    clock.now += 3600
    assert [buckets.take(connection) for _ in range(5)] == [None, None, None, None, 1]


def test_the_wait_for_a_slow_rate_is_told_in_whole_seconds(connection: Connection) -> None:
    clock = Clock()
    slow = dataclasses.replace(connection, rate_limit=0.1)
    buckets = TokenBuckets(clock)
    assert [buckets.take(slow) for _ in range(2)] == [None, 10]
    clock.now += 6.5
    assert buckets.take(slow) == 4
    clock.now += 4
    assert buckets.take(slow) is None


def test_connections_do_not_share_a_bucket_and_none_means_no_limit(connection: Connection) -> None:
    buckets = TokenBuckets(Clock())
    other = dataclasses.replace(connection, id="beta")
    unlimited = dataclasses.replace(connection, id="free", rate_limit=None)
    assert [buckets.take(connection) for _ in range(5)][-1] == 1
    assert buckets.take(other) is None
    assert [buckets.take(unlimited) for _ in range(100)] == [None] * 100


@pytest.mark.parametrize(
    ("declared", "expected"), [("", False), ("1000", False), ("0001000", False), ("1001", True), ("9" * 5000, True)]
)
def test_a_declared_length_is_compared_whatever_its_digits(declared: str, expected: bool) -> None:  # noqa: FBT001  # a parameter
    assert declared_too_large({"content-length": declared}, 1000) is expected


def test_room_is_looked_for_where_the_folder_will_be(tmp_path: Path) -> None:
    missing = tmp_path / "not" / "yet"
    assert has_room(missing, 0)
    assert not has_room(missing, 1 << 60)
