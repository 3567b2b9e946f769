"""uvicorn for the operators' port: it ends when told to, not by a signal of its own."""

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from handlers.errors import ConfigurationError
from worker.console.checks import Readiness
from worker.signals import cut_short

BACKLOG = 128
DRAIN_SECONDS = 5
"""A page takes a second at most."""


class _Server(uvicorn.Server):
    def __init__(self, app: Starlette, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",  # it bounds a request's head, which httptools does not
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._on_started = on_started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none: uvicorn raises what it caught again after serving, and the exit code would be 143."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    def stop(self) -> None:
        self.should_exit = True


def serve(app: Starlette, listener: socket.socket, readiness: Readiness, on_started: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT, then lets the requests under way end; a second one ends it at once.

    Args:
        app: the application.
        listener: a listening socket; closed at the end.
        readiness: told of the draining.
        on_started: called once requests are answered.
    """
    server = _Server(app, on_started)

    def stop(number: int) -> None:
        if readiness.draining:
            cut_short(number)
        readiness.drain()
        server.stop()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop, number)
        await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(run())


@contextlib.contextmanager
def serving(app: Starlette, listener: socket.socket) -> Iterator[None]:
    """Serves in a thread while the block runs: for a role whose main thread has other work."""
    started = threading.Event()
    server = _Server(app, started.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="metrics", daemon=True)
    thread.start()
    while not started.wait(0.1) and thread.is_alive():
        pass
    try:
        yield
    finally:
        server.stop()
        thread.join()


def listen(host: str, port: int, variable: str, backlog: int = BACKLOG) -> socket.socket:
    """Takes a port.

    Args:
        host: name or address of ours.
        port: 0 takes any free one.
        variable: the setting that gave the port, for the complaint.
        backlog: connections that wait to be accepted.

    Raises:
        ConfigurationError: it cannot be had.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=backlog)
    except OSError as error:
        raise ConfigurationError(
            [f"{variable}: {host} port {port}: {error.strerror}; free it or name another"]
        ) from None
