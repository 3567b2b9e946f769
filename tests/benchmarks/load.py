"""Load on one URL: `wrk` where it is installed, else a client of our own, which finds about the same ratios."""

import asyncio
import itertools
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import httptools
import uvloop

from tests.benchmarks.measuring import bodies
from tests.receiver.harness import makini

DIFFERENT = 2_000
"""Bodies are sent again after so many: none of those measured looks into them."""
GRACE_SECONDS = 30

SCRIPT = """
local requests = {}
for line in io.lines(os.getenv("BODIES")) do
  local signature, body = line:match("^(%x+) (.*)$")
  local headers = {host = "localhost", ["content-type"] = "application/json", ["x-webhook-signature"] = signature}
  requests[#requests + 1] = wrk.format("POST", os.getenv("TARGET"), headers, body)
end
local sent = 0
function request()
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{"requests": %d, "seconds": %f, "failed": %d, "p50": %f, "p99": %f}\\n', summary.requests,
    summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000))
end
"""


class Load(NamedTuple):
    """What a server did under load.

    Attributes:
        per_second: requests answered 200.
        p50: half of the answers took at most so many milliseconds.
        p99: 99 % of them.
    """

    per_second: float
    p50: float
    p99: float


def generator() -> str:
    """What makes the load here."""
    return "wrk" if shutil.which("wrk") else "a client in Python"


def run(port: int, path: str, *, seconds: float, connections: int) -> Load:
    """Posts signed work orders over so many connections, each sending its next one once the last is answered.

    Raises:
        SystemExit: an answer was no 200, or none came: what was measured is not what is to be measured.
    """
    signed = [(makini(body), body) for _, body in bodies(DIFFERENT)]
    if shutil.which("wrk"):
        found = _wrk(signed, port, path, seconds, connections)
    else:
        found = uvloop.run(_own(signed, port, path, seconds, connections))
    if found["failed"] or not found["requests"]:
        raise SystemExit(
            f"{path} on port {port}: {found['failed']:.0f} requests failed, {found['requests']:.0f} did not"
        )
    return Load(found["requests"] / found["seconds"], found["p50"], found["p99"])


def _wrk(
    signed: Sequence[tuple[str, bytes]], port: int, path: str, seconds: float, connections: int
) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "load.lua").write_text(SCRIPT)
        (folder / "bodies").write_bytes(b"".join(f"{head} ".encode() + body + b"\n" for head, body in signed))
        done = subprocess.run(
            [
                "wrk",
                "-t1",
                f"-c{connections}",
                f"-d{seconds:.0f}s",
                "-s",
                folder / "load.lua",
                f"http://127.0.0.1:{port}",
            ],
            env={**os.environ, "BODIES": str(folder / "bodies"), "TARGET": path},
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds + GRACE_SECONDS,
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


async def _own(
    signed: Sequence[tuple[str, bytes]], port: int, path: str, seconds: float, connections: int
) -> dict[str, float]:
    requests = itertools.cycle([_request(path, head, body) for head, body in signed])
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: _Sender(requests), "127.0.0.1", port) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took = time.perf_counter() - began
    for transport, _ in opened:
        transport.close()
    waits = [wait for _, sender in opened for wait in sender.waits]
    cut = statistics.quantiles(waits, n=100, method="inclusive") if len(waits) > 1 else [0.0] * 99
    failed = sum(sender.failed for _, sender in opened)
    return {"requests": len(waits), "seconds": took, "failed": failed, "p50": cut[49] * 1000, "p99": cut[98] * 1000}


def _request(path: str, signature: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"X-Webhook-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class _Sender(asyncio.Protocol):
    """One connection: sends the next request when the last is answered."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self._requests = requests
        self._parser = httptools.HttpResponseParser(self)
        self._sent = 0.0
        self.waits: deque[float] = deque()
        self.failed = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's does not inherit from it
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self.waits.append(time.perf_counter() - self._sent)
        self.failed += self._parser.get_status_code() != 200
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))
