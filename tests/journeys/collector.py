"""A collector of traces: OTLP over HTTP, in this process (opentelemetry.io/docs/specs/otlp, 1.9)."""

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collected(NamedTuple):
    """A span as it came; ids as hexadecimal text."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    links: tuple[tuple[str, str], ...]
    attributes: dict[str, Any]


class Collector:
    """What has come so far.

    Attributes:
        address: where it is sent.
        spans: in order of arrival.
        bodies: as they came.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.spans: list[Collected] = []
        self.bodies: list[bytes] = []

    def trace(self, trace: str) -> list[Collected]:
        """The spans of one trace."""
        return [span for span in list(self.spans) if span.trace == trace]

    def take(self, body: bytes) -> None:
        """One export."""
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _plain(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [_read(service, span) for span in scope.spans]


@contextlib.contextmanager
def collector() -> Iterator[Collector]:
    """One that listens."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200 if self.path == "/v1/traces" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def _read(service: str, span: Any) -> Collected:
    links = tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links)
    ids = (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex())
    return Collected(service, span.name, *ids, links, _plain(span.attributes))


def _plain(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}
