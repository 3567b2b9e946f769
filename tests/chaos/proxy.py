"""A TCP proxy that misbehaves on purpose: it stands between a role and a server and does to the bytes what it is told.

It runs in a thread of its own, so that faults are told from any thread.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from enum import StrEnum
from typing import Any, TypeVar

PIECE_BYTES = 64 * 1024
TOLD_SECONDS = 10.0
"""What the proxy's thread is told takes it microseconds; if it does not answer within this it never will."""

NO_LINGER = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing sends RST in place of FIN (socket(7))."""

Result = TypeVar("Result")


class Mode(StrEnum):
    """What becomes of the bytes."""

    PASS = "pass"
    CUT = "cut"
    """Every connection is reset, and each new one too."""
    SLOW = "slow"
    """Every piece comes late, by as much as was asked for."""
    STALL = "stall"
    """Nothing passes and nothing is closed; it all arrives when that ends, as after a cable was put back."""
    DEAF = "deaf"
    """Requests arrive and are acted on; their replies are thrown away, and the connection is reset instead."""


class Proxy:
    """One port in front of one server.

    Args:
        host: of the server.
        port: of the server.

    Attributes:
        port: where to connect instead.
        lost_replies: pieces of replies thrown away so far.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._mode = Mode.PASS
        self._late_seconds = 0.0
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.lost_replies = 0

    async def serve(self) -> asyncio.Server:
        """Listens on a free port of 127.0.0.1."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=PIECE_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def become(self, mode: Mode, late_seconds: float = 0.0) -> None:
        """Treats everything so from now on.

        Args:
            mode: what becomes of the bytes.
            late_seconds: of each piece, where they are to be slow.
        """
        self._mode, self._late_seconds = mode, late_seconds
        if mode is Mode.STALL:
            self._flows.clear()
        else:
            self._flows.set()
        if mode is Mode.CUT:
            self._reset_all()

    def _reset_all(self) -> None:
        for writer in list(self._open):
            _reset(writer)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with self._kept(writer):
            await self._flows.wait()
            if self._mode is Mode.CUT:
                return
            try:
                there = await asyncio.open_connection(*self._target, limit=PIECE_BYTES)
            except OSError:
                return
            async with self._kept(there[1]):
                pumps = [
                    asyncio.create_task(self._pump(reader, there[1], is_reply=False)),
                    asyncio.create_task(self._pump(there[0], writer, is_reply=True)),
                ]
                _, others = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                for each in others:
                    each.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_reply: bool) -> None:
        """Carries pieces until one end closes, or the mode has this connection end."""
        with contextlib.suppress(OSError):
            while piece := await source.read(PIECE_BYTES):
                if self._mode is Mode.SLOW:
                    await asyncio.sleep(self._late_seconds)
                await self._flows.wait()
                if self._mode is Mode.DEAF and is_reply:
                    self.lost_replies += 1
                    return
                sink.write(piece)
                await sink.drain()

    @contextlib.asynccontextmanager
    async def _kept(self, writer: asyncio.StreamWriter) -> AsyncIterator[None]:
        """The connection is one of those that a cut resets; it ends in order where nothing is wrong."""
        self._open.add(writer)
        try:
            yield
        finally:
            self._open.discard(writer)
            if self._mode in {Mode.CUT, Mode.DEAF}:
                _reset(writer)
            else:
                writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Ends a connection as a broken one ends: what was on its way is gone, and the other end is told so."""
    connection = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # it has ended already
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()


class Proxies:
    """Several proxies in one thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._servers: list[asyncio.Server] = []

    def before(self, host: str, port: int) -> Proxy:
        """A new one in front of a server."""

        async def made() -> Proxy:
            proxy = Proxy(host, port)
            self._servers.append(await proxy.serve())
            return proxy

        return self._told(made)

    def tell(self, proxy: Proxy, mode: Mode, late_seconds: float = 0.0) -> None:
        """Has one of them treat everything so from now on; it does when this returns."""
        self._told(lambda: proxy.become(mode, late_seconds))

    def close(self) -> None:
        """Nothing passes any more."""

        async def closed() -> None:
            for server in self._servers:
                server.close()

        self._told(closed)

    def _told(self, what: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        return asyncio.run_coroutine_threadsafe(what(), self._loop).result(TOLD_SECONDS)


@contextlib.contextmanager
def proxies() -> Iterator[Proxies]:
    """A thread for proxies; all of them and their connections are gone at the end."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        thread = threading.Thread(target=loop.run_forever, name="proxies", daemon=True)
        thread.start()
        made = Proxies(loop)
        try:
            yield made
        finally:
            made.close()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
