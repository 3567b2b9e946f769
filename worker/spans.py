"""Spans by OpenTelemetry's SDK, in the words of its semantic conventions (HTTP 1.27; messaging, in development).

Imported only where tracing is on (`worker.tracing`). No attribute holds a body, a header or a secret. Spans are made
when what they tell has ended, with its times: nothing of it is alive across an `await` or a transaction but the one
span of a message that a thread works on.
"""

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from worker.tracing import Ids, Processed, ids_of

EDGE = "POST /webhooks/{connection}"
SYSTEM = "dramatiq"
FAILED = ("dead_letter", "retried")
"""Ends of an event that are failures."""
CLOSE_SECONDS = 3.0
"""How long the end of a process waits for a collector that does not answer."""
MOST_LINKS = 1000
"""Of a span, unless `OTEL_SPAN_LINK_COUNT_LIMIT` says otherwise: a batch's deliveries are 500 at most."""
LONGEST_TRACEPARENT = 512
"""Characters; ours have 55. The SDK warns of longer ones, each time."""
LINKS_VARIABLE = "OTEL_SPAN_LINK_COUNT_LIMIT"

Attributes: TypeAlias = dict[str, str | int]
_ROOT = Context()
"""No span is in it: whatever begins in it begins a trace."""


class _DeliveryIds(RandomIdGenerator):
    """Random ids, unless the next span of this thread has been given its own."""

    def __init__(self) -> None:
        self._given = threading.local()

    def give(self, ids: Ids) -> None:
        """The next span begins a trace, with these ids."""
        self._given.trace, self._given.span = ids

    def generate_trace_id(self) -> int:
        """A new trace's."""
        return self._taken("trace") or super().generate_trace_id()

    def generate_span_id(self) -> int:
        """A new span's."""
        return self._taken("span") or super().generate_span_id()

    def _taken(self, name: str) -> int:
        found: int = self._given.__dict__.pop(name, 0)
        return found


class OtelSpans:
    """Tells a process's work as spans.

    Args:
        service: the process, as `service.name`.
        version: ours.
        processor: where ended spans go; by default, in batches to the endpoint that the variables name.
    """

    def __init__(self, service: str, version: str, processor: SpanProcessor | None = None) -> None:
        self._ids = _DeliveryIds()
        limits = SpanLimits() if os.environ.get(LINKS_VARIABLE) else SpanLimits(max_links=MOST_LINKS)
        about: Attributes = {"service.name": service, "service.version": version, "process.pid": os.getpid()}
        self._provider = TracerProvider(
            id_generator=self._ids, resource=Resource.create(about), span_limits=limits, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("maintenworks", version)
        self._read = TraceContextTextMapPropagator()
        self._here = threading.local()

    def accepted(self, delivery_id: str, connection_id: str, traceparent: str | None, began: int) -> None:
        """The first span of a delivery's trace."""
        ids = ids_of(delivery_id)
        if not self._is_sampled(ids, EDGE, SpanKind.SERVER):
            return
        attributes: Attributes = {
            "http.request.method": "POST",
            "http.route": "/webhooks/{connection}",
            "http.response.status_code": 200,
            "messaging.message.id": delivery_id,
            "maintenworks.connection": connection_id,
        }
        self._ids.give(ids)
        span = self._tracer.start_span(
            EDGE, _ROOT, SpanKind.SERVER, attributes, links=self._outside(traceparent), start_time=began
        )
        span.end()

    def sent(self, lane: str, delivery_ids: Sequence[str], began: int, error: str | None = None) -> None:
        """One enqueue, linked to all that it took along."""
        span = self._of_many(f"send {lane}", SpanKind.CLIENT, _of_lane(lane, "send"), delivery_ids, began)
        if error is not None:
            _fail(span, error)
        span.end()

    @contextlib.contextmanager
    def working(self, lane: str, entry: str, delivery_ids: Sequence[str]) -> Iterator[None]:
        """One message, linked to each delivery in it; what this thread logs meanwhile carries its ids."""
        attributes = _of_lane(lane, "process") | {"maintenworks.entry": entry}
        span = self._of_many(f"process {lane}", SpanKind.CONSUMER, attributes, delivery_ids)
        self._here.lane = lane
        with trace.use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield
            except Exception as error:
                _fail(span, type(error).__name__)  # its text may quote what was worked on
                raise

    def committed(self, processed: Sequence[Processed], began: int) -> None:
        """One transaction, in the span of the message that brought it; then a span in each delivery's own trace."""
        ended = time.time_ns()
        attributes: Attributes = {"messaging.batch.message_count": len(processed)}
        commit = self._tracer.start_span("commit", attributes=attributes, start_time=began)
        commit.end(ended)
        there = Link(commit.get_span_context())
        of_lane = _of_lane(getattr(self._here, "lane", ""), "process")
        for each in processed:
            self._processed(each, of_lane, there, began, ended)

    def current(self) -> Ids | None:
        """The span that this thread is in."""
        context = trace.get_current_span().get_span_context()
        return Ids(context.trace_id, context.span_id) if context.is_valid else None

    def close(self) -> None:
        """Sends what is still to be sent; a collector that does not answer is not waited for."""
        last = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(CLOSE_SECONDS)

    def _processed(self, each: Processed, of_lane: Attributes, commit: Link, began: int, ended: int) -> None:
        first = self._context(each.delivery_id)
        if not first.trace_flags.sampled:
            return
        attributes = of_lane | {
            "messaging.message.id": each.delivery_id,
            "maintenworks.connection": each.connection_id,
            **{f"maintenworks.events.{outcome}": count for outcome, count in each.events.items()},
        }
        if each.attempt is not None:
            attributes["maintenworks.attempt"] = each.attempt
        parent = trace.set_span_in_context(trace.NonRecordingSpan(first), _ROOT)
        span = self._tracer.start_span(
            f"process {attributes['messaging.destination.name']}",
            parent,
            SpanKind.CONSUMER,
            attributes,
            links=[commit, *self._outside(each.origin)],
            start_time=began,
        )
        if each.error is not None:
            _fail(span, each.error)
        span.end(ended)

    def _of_many(
        self, name: str, kind: SpanKind, attributes: Attributes, delivery_ids: Sequence[str], began: int | None = None
    ) -> Span:
        """A span of a trace of its own, linked to each delivery's first; where nobody would see it, to none."""
        own = Ids(self._ids.generate_trace_id(), self._ids.generate_span_id())
        links = [Link(self._context(each)) for each in delivery_ids] if self._is_sampled(own, name, kind) else []
        self._ids.give(own)
        counted = attributes | {"messaging.batch.message_count": len(delivery_ids)}
        return self._tracer.start_span(name, _ROOT, kind, counted, links=links, start_time=began)

    def _context(self, delivery_id: str) -> SpanContext:
        """A delivery's first span, wherever and whenever it was told; sampled if the sampler says so of its trace."""
        ids = ids_of(delivery_id)
        flags = TraceFlags.SAMPLED if self._is_sampled(ids, EDGE, SpanKind.SERVER) else TraceFlags.DEFAULT
        return SpanContext(ids.trace, ids.span, is_remote=True, trace_flags=TraceFlags(flags))

    def _is_sampled(self, ids: Ids, name: str, kind: SpanKind) -> bool:
        result = self._provider.sampler.should_sample(_ROOT, ids.trace, name, kind)
        return result.decision is Decision.RECORD_AND_SAMPLE

    def _outside(self, traceparent: str | None) -> list[Link]:
        """A link to what a header names, if it names anything; never its state, which is a stranger's text."""
        if traceparent is None or len(traceparent) > LONGEST_TRACEPARENT:
            return []
        found = trace.get_current_span(self._read.extract({"traceparent": traceparent}, _ROOT)).get_span_context()
        return [Link(found)] if found.is_valid else []


def _of_lane(lane: str, operation: str) -> Attributes:
    return {
        "messaging.system": SYSTEM,
        "messaging.destination.name": lane,
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
    }


def _fail(span: Span, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))
