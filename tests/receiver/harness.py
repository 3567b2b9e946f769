"""The real receiver on a real port: our application, our protocol and uvicorn, in a thread with a loop of its own."""

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from handlers.connections import Registry
from receiver.main import Parts, serve
from receiver.protocol import BoundedProtocol, Limits
from receiver.server import listen, loop_factory
from receiver.settings import ReceiverSettings
from worker.queue import WAIT, Producer

SECRET = "whsec_0123456789abcdef"
ANSWER_SECONDS = 60.0
"""After this a test gives up; nothing takes nearly as long."""


class ImpatientProtocol(BoundedProtocol):
    """Whoever takes time is refused soon, though not before a busy machine has sent what it is about to send."""

    limits = Limits(head_seconds=1.0, body_seconds=1.0, linger_seconds=0.5)


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body of a problem; checks that it is one."""
        assert self.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = json.loads(self.body)
        assert set(problem) == {"type", "title", "status", "detail"}
        assert problem["status"] == self.status
        return problem


class Running(NamedTuple):
    """A receiver that answers."""

    port: int
    stop: threading.Event

    def request(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own; underscores in header names stand for hyphens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    def post(self, name: str, body: bytes = b"{}", **headers: str) -> Answer:
        """A webhook, signed as `makini` does unless told otherwise."""
        headers.setdefault("x_webhook_signature", makini(body))
        return self.request("POST", f"/webhooks/{name}", body, **headers)

    def raw(self, *parts: bytes, end: bool = False) -> bytes:
        """Writes bytes and returns all that comes until the other side closes; `end` closes our direction first."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=ANSWER_SECONDS) as client:
            for part in parts:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    client.sendall(part)
            if end:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_WR)
            return received(client)


def received(client: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    while part := client.recv(65536):
        found += part
    return found


def status_of(answer: bytes) -> int:
    """The status of the first answer among raw bytes."""
    return int(answer.split(b" ", 2)[1])


def makini(body: bytes, secret: str = SECRET) -> str:
    """The signature, computed apart from our own code."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def head(name: str, body: bytes, *fields: str, signature: str | None = None) -> bytes:
    """The head of a signed request for raw sockets, content length left to `fields`."""
    lines = [
        f"POST /webhooks/{name} HTTP/1.1",
        "Host: localhost",
        f"X-Webhook-Signature: {makini(body) if signature is None else signature}",
        *fields,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def write_connections(path: Path, **connections: Mapping[str, object]) -> None:
    """Writes a registry; each connection has one secret in a file unless it says otherwise."""
    (path.parent / "secret").write_text(SECRET)
    lines = []
    for name, given in connections.items():
        fields = {"source": "unified", "secrets": [{"ref": f"file:{path.parent / 'secret'}"}], **given}
        lines.append(f"[connections.{name.replace('_', '-')}]")
        lines += [f"{field} = {_toml(value)}" for field, value in fields.items()]
    path.write_text("\n".join(lines) + "\n")


def _toml(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value)


@contextlib.contextmanager
def receiver(
    home: Path,
    broker_url: str,
    *,
    protocol: type[BoundedProtocol] = BoundedProtocol,
    notice_seconds: float = 0.0,
    wait: timedelta = WAIT,
    **settings: Any,
) -> Iterator[Running]:
    """Runs a receiver on `<home>/connections.toml`, which is there already.

    Args:
        home: the home folder.
        broker_url: a running broker's.
        protocol: with limits of its own.
        notice_seconds: of draining.
        wait: how long the broker may take for one enqueue.
        settings: of the receiver.
    """
    chosen = ReceiverSettings(home=home, public_host="127.0.0.1", public_port=0, **settings)
    parts = Parts(chosen, Registry(chosen.connections_path, home), listen("127.0.0.1", 0, "PORT"))
    told = threading.Event()
    port = parts.listener.getsockname()[1]

    async def main() -> None:
        producer = Producer(broker_url, backlog_limit_bytes=chosen.backlog_limit_bytes, wait=wait)
        stop = asyncio.Event()
        await producer.open()
        waiting = asyncio.create_task(asyncio.to_thread(told.wait))
        waiting.add_done_callback(lambda _: stop.set())
        await serve(parts, producer, stop, protocol=protocol, notice_seconds=notice_seconds)
        await producer.close()

    failures: list[BaseException] = []

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(main())
        except BaseException as error:  # noqa: BLE001  # it is raised again in the test's own thread
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield Running(port, told)
    finally:
        told.set()
        thread.join()
    if failures:
        raise failures[0]
