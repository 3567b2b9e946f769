"""uvicorn, set up for us: it ends when it is told to, not by a signal of its own, and says when it is ready."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

from handlers.errors import ConfigurationError
from receiver.protocol import BoundedProtocol

KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 seconds after which common load balancers drop an idle connection: the front end closes first."""
DRAIN_SECONDS = 20
"""Under the 30 seconds that Kubernetes grants by default; a request whose body still trickles then is answered 503."""
BACKLOG = 2048


class Server(uvicorn.Server):
    """One listening socket and its application.

    Attributes:
        ready: set once it answers.
    """

    def __init__(
        self, app: Starlette, listener: socket.socket, *, protocol: type[BoundedProtocol] = BoundedProtocol
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=protocol,
                ws="none",
                lifespan="on",
                log_config=None,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._listener = listener
        self.ready = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none: uvicorn raises what it caught again after serving, and the exit code would be 143."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to listen."""
        await super().startup(sockets)
        self.ready.set()

    async def serve_until_told(self) -> None:
        """Serves until `should_exit` is set, then answers what is under way."""
        await self.serve(sockets=[self._listener])

    @property
    def port(self) -> int:
        """The real port."""
        return int(self._listener.getsockname()[1])


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the event loop: uvloop where there is one, else None for the standard one."""
    return uvicorn.Config("").get_loop_factory()


def listen(host: str, port: int, variable: str) -> socket.socket:
    """Takes a port.

    Args:
        host: name or address of ours.
        port: 0 takes any free one.
        variable: the setting that gave the port, for the complaint.

    Raises:
        ConfigurationError: it cannot be had.
    """
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no name of a host"
        raise ConfigurationError([f"{variable}: {host} port {port}: {reason}; free it or name another"]) from None
