"""The proxy does to a connection what it is told, and the server behind it sees of it what it should."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from tests.chaos.proxy import Mode, Proxies, Proxy, proxies

ANSWER_SECONDS = 10.0
SHORT_SECONDS = 0.2
"""Long enough for a reply that is on its way; what has not come by then does not come."""
LATE_SECONDS = 0.15


class _Echo(socketserver.ThreadingTCPServer):
    """A server that answers each piece with itself and remembers what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[bytes] = []
        self.was_asked = threading.Event()


class _Answering(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Echo)
        with contextlib.suppress(ConnectionError):
            while piece := self.request.recv(1024):
                self.server.asked.append(piece)
                self.server.was_asked.set()
                self.request.sendall(b"> " + piece)


@pytest.fixture
def echo() -> Iterator[_Echo]:
    with _Echo() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def told() -> Iterator[Proxies]:
    with proxies() as made:
        yield made


@pytest.fixture
def line(told: Proxies, echo: _Echo) -> Proxy:
    return told.before("127.0.0.1", echo.server_address[1])


def _connected(line: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", line.port), timeout=ANSWER_SECONDS)


def _answer(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    return client.recv(1024)


def test_as_long_as_it_is_told_nothing_bytes_pass_both_ways(line: Proxy, echo: _Echo) -> None:
    with _connected(line) as client:
        assert _answer(client, b"one") == b"> one"
        assert _answer(client, b"two") == b"> two"
    assert echo.asked == [b"one", b"two"]


def test_a_cut_resets_what_is_connected_and_whoever_connects_until_it_is_mended(
    told: Proxies, line: Proxy, echo: _Echo
) -> None:
    with _connected(line) as client:
        _answer(client, b"one")
        told.tell(line, Mode.CUT)
        with pytest.raises(ConnectionError):
            _until_it_ends(client)
    with pytest.raises(ConnectionError):
        _connect_and_ask(line)
    told.tell(line, Mode.PASS)
    with _connected(line) as client:
        assert _answer(client, b"two") == b"> two"
    assert echo.asked == [b"one", b"two"]


def test_a_deaf_line_lets_the_server_act_and_loses_its_reply(told: Proxies, line: Proxy, echo: _Echo) -> None:
    with _connected(line) as client:
        told.tell(line, Mode.DEAF)
        client.sendall(b"acted on")
        assert echo.was_asked.wait(ANSWER_SECONDS)
        with pytest.raises(ConnectionError):
            _until_it_ends(client)
    assert echo.asked == [b"acted on"]
    assert line.lost_replies == 1


def test_what_a_stalled_line_holds_back_arrives_when_it_goes_on(told: Proxies, line: Proxy, echo: _Echo) -> None:
    with _connected(line) as client:
        _answer(client, b"one")
        told.tell(line, Mode.STALL)
        client.sendall(b"two")
        client.settimeout(SHORT_SECONDS)
        with pytest.raises(TimeoutError):
            client.recv(1024)
        assert echo.asked == [b"one"]
        told.tell(line, Mode.PASS)
        client.settimeout(ANSWER_SECONDS)
        assert client.recv(1024) == b"> two"


def test_on_a_slow_line_each_piece_comes_late(told: Proxies, line: Proxy) -> None:
    with _connected(line) as client:
        told.tell(line, Mode.SLOW, LATE_SECONDS)
        began = time.monotonic()
        assert _answer(client, b"one") == b"> one"
        assert time.monotonic() - began >= 2 * LATE_SECONDS  # there and back


def _connect_and_ask(line: Proxy) -> None:
    with _connected(line) as client:
        _answer(client, b"nobody hears this")


def _until_it_ends(client: socket.socket) -> None:
    """Reads; an orderly end would be none of those that a broken line gives."""
    assert client.recv(1024) == b"", "it still answers"
