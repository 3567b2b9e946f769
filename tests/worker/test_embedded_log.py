"""The embedded broker's log: written anew when that saves much, and never where it would fill the disk."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.worker.brokers import until
from worker import embedded, embedded_log
from worker.address import embedded_socket, socket_url
from worker.embedded_log import MIB, is_worth_it, shorten
from worker.streams_server import connect

PIECE = b"x" * MIB


@contextmanager
def running(home: Path) -> Iterator[None]:
    process = embedded.start(home)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=120)


def size_of_log(client: redis.Redis) -> int:
    """As the server tells it: its files come and go while it writes."""
    return int(client.info("persistence")["aof_current_size"])


def test_what_was_worked_off_goes_and_what_is_held_stays() -> None:
    with tempfile.TemporaryDirectory(prefix="home-") as name, running(Path(name)):
        home = Path(name)
        with connect(socket_url(embedded_socket(home))) as client:
            client.set("held", b"here")
            for _ in range(embedded_log.WORTH_BYTES // MIB + 4):
                client.set("gone", PIECE)
            client.delete("gone")
            before = size_of_log(client)
            assert before > embedded_log.WORTH_BYTES  # the server does not begin by itself

            shorten(home, 0)
            until(lambda: size_of_log(client) < MIB, "a short log")
            assert client.get("held") == b"here"


def test_a_broker_that_is_away_is_asked_another_time(tmp_path: Path) -> None:
    shorten(tmp_path, 0)


@pytest.mark.parametrize(
    ("size", "held", "free", "minimum", "worth"),
    [
        (200, 60, 1000, 256, True),
        (100, 60, 1000, 256, False),  # it saves less than is worth the trouble
        (200, 100, 1000, 256, False),  # half of it is still held
        (1000, 200, 300, 256, False),  # the copy might not fit
        (1000, 10, 30, 256, True),  # what is left fits well, and nothing is accepted until there is room
        (10, 2, 30, 256, True),  # where room is short, little is worth it too
        (10, 2, 300, 256, False),
    ],
)
def test_it_is_done_where_it_saves_much_and_the_copy_surely_fits(
    size: int, held: int, free: int, minimum: int, *, worth: bool
) -> None:
    assert is_worth_it(size * MIB, held * MIB, free * MIB, minimum * MIB) is worth
