"""A proxy in front of a server that loses the reply to one request, after the server has acted on it."""

import contextlib
import socket
import threading
from collections.abc import Iterator

PIECE_BYTES = 64 * 1024


class Forgetful:
    """One port of 127.0.0.1 in front of another.

    Attributes:
        port: where to connect.
        lost: replies lost so far.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._mark: bytes | None = None
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.lost = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def lose_reply_to(self, mark: bytes) -> None:
        """The next request with these bytes in it is passed on; its reply is not, and the connection is closed."""
        with self._lock:
            self._mark = mark

    def close(self) -> None:
        """Closes everything."""
        _end(self._listener, *self._open)
        for each in (self._listener, *self._open):
            each.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._open += [client, server]
                loses = threading.Event()
                for carry in (self._requests, self._replies):
                    threading.Thread(target=carry, args=(client, server, loses), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, loses: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while piece := client.recv(PIECE_BYTES):
                if self._is_marked(piece):
                    loses.set()
                server.sendall(piece)
        _end(client, server)

    def _replies(self, client: socket.socket, server: socket.socket, loses: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while piece := server.recv(PIECE_BYTES):
                if loses.is_set():
                    self.lost += 1
                    break
                client.sendall(piece)
        _end(client, server)

    def _is_marked(self, piece: bytes) -> bool:
        with self._lock:
            if self._mark is None or self._mark not in piece:
                return False
            self._mark = None
            return True


def _end(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def forgetful(server_port: int) -> Iterator[Forgetful]:
    """One, for as long as the block runs."""
    proxy = Forgetful(server_port)
    try:
        yield proxy
    finally:
        proxy.close()
