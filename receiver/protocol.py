"""HTTP/1.1 with limits: uvicorn's protocol bounds neither the size, the number nor the slowness of headers.

Read against uvicorn 0.54's `protocols/http/httptools_impl.py`. What is refused here never reaches the application.
A request that comes whole in one read, as nearly all do, starts no timer.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from receiver.problems import BAD_REQUEST, HEADERS_TOO_LARGE, REQUEST_TIMEOUT, Problem
from worker.telemetry import WEBHOOKS_RECEIVED


@dataclass(frozen=True)
class Limits:
    """What one request may take.

    Attributes:
        head_bytes: request target and header fields together.
        head_fields: number of header fields, trailers included.
        head_seconds: from the first byte (or from connecting) to the end of the headers.
        body_seconds: from there to the end of the body.
        linger_seconds: how long a refused sender is listened to, and ignored, so that it can read the answer.
    """

    head_bytes: int = 64 * 1024
    head_fields: int = 100
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    linger_seconds: float = 5.0


class _LimitReachedError(Exception):
    """Stops the parser in the middle of a request."""


class BoundedProtocol(HttpToolsProtocol):
    """One client's connection."""

    limits: ClassVar[Limits] = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_open = False
        self._body_open = False
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._head_fields = 0
        self._too_large = False
        self._deaf = False
        self._waiting_refusal: Problem | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Starts the clock: whoever connects and says nothing is not waited for."""
        super().connection_made(transport)
        self._socket = transport
        self.transport = _Transport(transport, self._close)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feeds the parser and looks at how far the request has come."""
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        # The parser shows a field, a trailer too, only once it is complete; until then its bytes are counted raw.
        self._unparsed_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as wish:
            self._begin_again(data[wish.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse(HEADERS_TOO_LARGE if self._too_large else BAD_REQUEST)
            return
        if self._unparsed_bytes > self.limits.head_bytes and (self._head_open or self._body_open):
            self._refuse(HEADERS_TOO_LARGE)
            return
        self._watch()

    def eof_received(self) -> bool | None:  # type: ignore[override]  # uvicorn returns None always
        """A client that only closed its own direction still gets its answer; an unfinished request is no request."""
        if not self._deaf and (self._head_open or self._body_open):
            self._refuse(BAD_REQUEST)
        if self._waiting_refusal is not None:
            return True
        if _is_answered(self.cycle) or self.cycle.disconnected:
            return None
        self.cycle.keep_alive = False
        return True

    def on_message_begin(self) -> None:
        """A request's first byte."""
        super().on_message_begin()
        self._head_open = True
        self._head_bytes = self._head_fields = 0

    def on_url(self, url: bytes) -> None:
        """A part of the request target."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field, or a trailer: those are counted and dropped, as RFC 9110 section 6.5.1 has it."""
        self._head_fields += 1
        self._count(len(name) + len(value))
        if self._head_open:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The application begins here."""
        if self.parser.should_upgrade():
            return
        super().on_headers_complete()
        self._head_open = False
        self._body_open = True
        self._unparsed_bytes = 0
        self._stop_timer()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._unparsed_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come whole."""
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        self._body_open = False
        self._stop_timer()

    def on_response_complete(self) -> None:
        """An answer is out; a refusal that had to wait for it may follow."""
        if self._waiting_refusal is not None and not self.pipeline:
            self._write_refusal(self._waiting_refusal)
        super().on_response_complete()
        if self._body_open and not self._deaf:
            self._stop_timer()  # the next request's body had to wait for us
            self._watch()

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self.limits.head_bytes or self._head_fields > self.limits.head_fields:
            self._too_large = True
            raise _LimitReachedError

    def _begin_again(self, rest: bytes) -> None:
        """Reads a request that would like another protocol as the plain one it also is (RFC 9110 section 7.8).

        httptools would drop its body, and Java's client asks for h2c with every first POST.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self._refuse(BAD_REQUEST)
            return
        fields = b"".join(b"%s: %s\r\n" % field for field in self.headers if field[0] != b"upgrade")
        line = b"%s %s HTTP/%s\r\n" % (method, self.url, self.parser.get_http_version().encode())
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets it
        self.data_received(line + fields + b"\r\n" + rest)

    def _watch(self) -> None:
        """Starts the clock for what is still to come, unless it runs."""
        if self._timer is not None or self.transport.is_closing():
            return
        if self._body_open:
            self._timer = self.loop.call_later(self.limits.body_seconds, self._too_slow)
        elif self._head_open or _is_answered(self.cycle):
            self._timer = self.loop.call_later(self.limits.head_seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._body_open and (self.flow.read_paused or self.pipeline):
            self._watch()  # it is us who did not read on
        else:
            self._refuse(REQUEST_TIMEOUT)

    def _refuse(self, problem: Problem) -> None:
        """Answers in the application's place, in the order of the requests, and closes."""
        WEBHOOKS_RECEIVED.labels("unknown", problem.type).inc()
        self._deaf = True
        self._stop_timer()
        if self.pipeline and self._body_open:
            self.pipeline.popleft()  # the newest: the faulty one, which has not begun
            self._waiting_refusal = problem
        elif _is_answered(self.cycle):
            self._write_refusal(problem)
        elif self._body_open:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._write_refusal(problem)
        else:
            self._waiting_refusal = problem

    def _write_refusal(self, problem: Problem) -> None:
        self._waiting_refusal = None
        answered = self._body_open and self.cycle.response_started
        if not answered and not self._socket.is_closing():
            self._socket.write(problem.raw(self.server_state.default_headers))
        self._linger()

    def _close(self) -> None:
        """Closes at once when all was read, else gently."""
        if self._body_open:
            self._linger()
        else:
            self._socket.close()

    def _linger(self) -> None:
        """Closes so that the answer arrives: bytes that nobody read would reset the connection (RFC 9112, 9.6)."""
        self._deaf = True
        self._stop_timer()
        if self._socket.is_closing():
            return
        self._socket.write_eof()
        self.flow.resume_reading()
        self._timer = self.loop.call_later(self.limits.linger_seconds, self._socket.close)


def _is_answered(cycle: RequestResponseCycle | None) -> bool:
    """Whether nothing is owed to the client; before the first request uvicorn has None there."""
    return cycle is None or cycle.response_complete


class _Transport(asyncio.Transport):
    """The transport as uvicorn's request cycle knows it, except that closing is ours."""

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        super().__init__()
        self.write = transport.write  # type: ignore[method-assign]  # bound once: it is called twice a request
        self.is_closing = transport.is_closing  # type: ignore[method-assign]  # likewise
        self.close = close  # type: ignore[method-assign]  # the point of this class
