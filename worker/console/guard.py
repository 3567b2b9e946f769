"""What stands before every page of the operators' port: whom it answers, and what a browser may do with it."""

import hmac
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.console.headers import HEADERS
from worker.console.problems import problem

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})

Endpoint = Callable[[Request], Awaitable[Response]]


class Guard:
    """Outermost: refuses a `Host` that is not ours, so that no web page can reach the console by a name of its own.

    Args:
        app: what is guarded.
        ops_host: the address the console listens on.
        names: by which else it may be called.
    """

    def __init__(self, app: ASGIApp, ops_host: str, names: Sequence[str] = ()) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | {name.lower() for name in (ops_host, socket.gethostname(), *names)}
        # An attacker's page can rebind a name to our address; it cannot make a browser send an address as the name.
        self._any_address = not _is_loopback(ops_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if self._is_ours(Headers(scope=scope).getlist("host")):
            await self._app(scope, receive, send_with_headers)
        else:
            answer = problem(HTTPStatus.MISDIRECTED_REQUEST, "The Host header does not name this server.")
            await answer(scope, receive, send_with_headers)

    def _is_ours(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        name = _without_port(hosts[0].lower())
        return name in self._names or (self._any_address and _is_address(name))


def bearer(token: str | None, endpoint: Endpoint) -> Endpoint:
    """An endpoint that demands the token, where there is one.

    Args:
        token: None lets everybody in.
        endpoint: what is guarded.
    """
    if token is None:
        return endpoint

    async def guarded(request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        # RFC 9110 section 11.1: the scheme's name is case-insensitive.
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
            return await endpoint(request)
        challenge = {"www-authenticate": 'Bearer realm="maintenworks"'}
        return problem(HTTPStatus.UNAUTHORIZED, "The metrics token is missing or wrong.", challenge)

    return guarded


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host.lower() == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
