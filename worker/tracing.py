"""The door to traces: a delivery is one, from the edge to the commit, retries and replays too. Off unless asked for.

On where the extra `otel` is installed and `OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) is set; sampler,
headers, time-outs and limits are OpenTelemetry's own variables, the same ones for every role.

**Nothing travels with a delivery.** The id of its trace and that of the trace's first span are made from the delivery's
id, so that every process knows them at any time: what was queued before tracing was switched on, what is tried again
an hour later, what an operator replays in a month. Whether a trace is sampled is asked of the same sampler, which
decides by the trace's id. The delivery's id itself would not do: it is a UUID, whose fixed bits are where
`TraceIdRatioBased` looks (the low 64 bits), and whose rightmost 7 bytes count up within a millisecond, where W3C Trace
Context (level 2, 4.2) has samplers expect randomness.
"""

import contextlib
import hashlib
import importlib
import importlib.util
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

import structlog

from worker.identity import service_name, version

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
"""The one whose exporter the extra brings."""
_TRUE = "true"
_TRACE_BYTES, _SPAN_BYTES = 16, 8


class Ids(NamedTuple):
    """A trace's id and that of one of its spans, as numbers."""

    trace: int
    span: int

    @property
    def trace_text(self) -> str:
        """32 hexadecimal digits."""
        return f"{self.trace:032x}"

    @property
    def span_text(self) -> str:
        """16 hexadecimal digits."""
        return f"{self.span:016x}"


class Processed(NamedTuple):
    """What a transaction came to for one delivery.

    Attributes:
        delivery_id: which.
        connection_id: whose.
        events: how many of its events ended how, by outcome, the worst first.
        error: code of what went wrong, where something did.
        attempt: which attempt it was that failed, from 1; None where none did.
        origin: the `traceparent` of the delivery that this one is a corrected copy of.
    """

    delivery_id: str
    connection_id: str
    events: Mapping[str, int]
    error: str | None = None
    attempt: int | None = None
    origin: str | None = None


class Spans(Protocol):
    """What a process that traces can say. Times are nanoseconds since the epoch."""

    def accepted(self, delivery_id: str, connection_id: str, traceparent: str | None, began: int) -> None:
        """A webhook was answered 200: a new trace, linked to what the sender says it belongs to."""

    def sent(self, lane: str, delivery_ids: Sequence[str], began: int, error: str | None = None) -> None:
        """Deliveries were put into a lane in one go, or were not."""

    def working(self, lane: str, entry: str, delivery_ids: Sequence[str]) -> AbstractContextManager[object]:
        """While a message of a lane is worked on."""

    def committed(self, processed: Sequence[Processed], began: int) -> None:
        """A transaction has committed what it came to."""

    def current(self) -> Ids | None:
        """The span that this thread is in."""

    def close(self) -> None:
        """Sends what is still to be sent, for a while, and ends."""


_spans: Spans | None = None


def spans() -> Spans | None:
    """What this process traces with; None for nearly everybody, who then pays for this look alone."""
    return _spans


def ids_of(delivery_id: str) -> Ids:
    """The trace of a delivery and that trace's first span; neither is ever zero, which is no id."""
    digest = hashlib.blake2b(
        delivery_id.encode(errors="replace"), digest_size=_TRACE_BYTES + _SPAN_BYTES, person=b"maintenworks"
    ).digest()
    return Ids(int.from_bytes(digest[:_TRACE_BYTES]) or 1, int.from_bytes(digest[_TRACE_BYTES:]) or 1)


def traceparent(delivery_id: str) -> str:
    """A delivery's first span as a header (W3C Trace Context, 3.2); that it is sampled is only a guess."""
    ids = ids_of(delivery_id)
    return f"00-{ids.trace_text}-{ids.span_text}-01"


def is_wanted() -> bool:
    """Whether OpenTelemetry's variables ask for traces."""
    off = os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == _TRUE
    no_exporter = os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"
    return not off and not no_exporter and any(os.environ.get(name) for name in ENDPOINTS)


def why_not() -> str | None:
    """Why there can be no traces although they are wanted; None where there can."""
    asked = next((value for name in PROTOCOLS if (value := os.environ.get(name, "").strip())), PROTOCOL)
    if asked != PROTOCOL:
        return f"only {PROTOCOL} is spoken, not {asked}"
    parts = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter")
    try:
        there = all(importlib.util.find_spec(part) is not None for part in parts)
    except ImportError:
        there = False
    return None if there else "pip install 'maintenworks[otel]'"


@contextlib.contextmanager
def using(made: Spans | None) -> Iterator[None]:
    """Has this process trace with something while the block runs."""
    global _spans  # noqa: PLW0603  # one for a process, as its log is
    before, _spans = _spans, made
    try:
        yield
    finally:
        _spans = before
        if made is not None:
            made.close()


@contextlib.contextmanager
def traced(role: str) -> Iterator[None]:
    """Has this process trace while the block runs, if that is wanted; whatever stands in the way is a warning."""
    made: Spans | None = None
    reason = why_not() if is_wanted() else None
    if is_wanted() and reason is None:
        try:
            # By name, since whoever does not trace need not have what it imports.
            made = importlib.import_module("worker.spans").OtelSpans(service_name(role), version())
        except Exception as error:  # noqa: BLE001  # nobody's work depends on traces
            reason = type(error).__name__
    if reason is not None:
        structlog.get_logger().warning("tracing_not_started", reason=reason)
    with using(made):
        yield
