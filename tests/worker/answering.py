"""A real HTTP server with a script: what it answers in turn, and what it was asked."""

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import NamedTuple


class Step(NamedTuple):
    """One answer: a status and headers; status 0 closes the connection without any."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


class Asked(NamedTuple):
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@contextlib.contextmanager
def answering(*steps: Step) -> Iterator[tuple[str, list[Asked]]]:
    """A server that gives those answers in turn; its URL, and what it was asked."""
    asked: list[Asked] = []
    script = iter(steps)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked.append(Asked(self.command, self.path, headers, body))
            step = next(script)
            self.close_connection = step.status == 0
            if step.status:
                self.send_response(step.status)
                for name, value in step.headers:
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class calls it so
            del format, args

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()
