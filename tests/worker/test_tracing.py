"""Traces in this process, with OpenTelemetry's own exporter to memory."""

import json
import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from receiver.ids import DeliveryIds
from tests.receiver.harness import receiver, write_connections
from tests.servers import BrokerServer
from worker import spans, tracing
from worker.logs import _with_trace
from worker.spans import OtelSpans
from worker.tracing import ENDPOINTS, Processed, ids_of, is_wanted, traced, using, why_not

SECOND = 1_000_000_000
OUTSIDE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
"""W3C Trace Context's own example, by a sender that did not sample."""
ANOTHER = "0199a3c4-7d52-7a10-9c3e-5b1f0c6d2e44"
DELIVERY = "0199a3c4-7d52-7a10-9c3e-5b1f0c6d2e45"


class Traced:
    """A process that traces to memory."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.spans = OtelSpans("maintenworks-test", "1", SimpleSpanProcessor(self.exporter))

    def ended(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def only(self, name: str) -> ReadableSpan:
        (span,) = self.ended(name)
        return span


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)
    made = Traced()
    with using(made.spans):
        yield made


def _ids(span: ReadableSpan) -> tuple[int, int]:
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id


def _linked(span: ReadableSpan) -> list[tuple[int, int]]:
    return [(link.context.trace_id, link.context.span_id) for link in span.links]


def test_a_delivery_is_one_trace_whoever_tells_of_it_and_nothing_was_carried(process: Traced) -> None:
    """Given a receiver and a worker that share nothing but the delivery's id, when each tells its part."""
    process.spans.accepted(DELIVERY, "acme", OUTSIDE, SECOND)
    edge = process.only(spans.EDGE)
    worker = Traced()
    with worker.spans.working("live", "17-0", [ANOTHER, DELIVERY]):
        worker.spans.committed([Processed(DELIVERY, "acme", {"applied": 2}), Processed(ANOTHER, "b", {"stale": 1})], 5)

    batch = next(span for span in worker.ended("process live") if span.parent is None)
    ours = next(span for span in worker.ended("process live") if _ids(span)[0] == _ids(edge)[0])
    commit = worker.only("commit")
    assert (edge.parent, edge.kind, edge.start_time) == (None, SpanKind.SERVER, SECOND)
    assert _linked(edge) == [(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331)]
    assert ours.parent is not None
    assert (ours.parent.trace_id, ours.parent.span_id) == _ids(edge) == ids_of(DELIVERY)
    assert (ours.kind, ours.start_time) == (SpanKind.CONSUMER, 5)
    assert _linked(ours) == [_ids(commit)]
    assert _linked(batch) == [ids_of(ANOTHER), ids_of(DELIVERY)]
    assert commit.parent is not None
    assert commit.parent.span_id == _ids(batch)[1]
    assert ours.attributes == {
        "messaging.system": "dramatiq",
        "messaging.destination.name": "live",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.message.id": DELIVERY,
        "maintenworks.connection": "acme",
        "maintenworks.events.applied": 2,
    }
    assert batch.attributes is not None
    assert batch.attributes["messaging.batch.message_count"] == 2


def test_an_enqueue_is_linked_to_all_that_it_took_along(process: Traced) -> None:
    many = [str(number) for number in range(500)]
    process.spans.sent("live", many, 1, "broker_slow")
    sent = process.only("send live")
    assert _linked(sent) == [ids_of(each) for each in many]
    assert sent.attributes is not None
    assert sent.attributes["error.type"] == "broker_slow"
    assert sent.status.status_code is StatusCode.ERROR


def test_what_fails_says_with_what_code_and_which_attempt_it_was(process: Traced) -> None:
    ended = Processed(DELIVERY, "acme", {"dead_letter": 1}, error="missing_field", attempt=1)
    process.spans.committed([ended], 1)
    span = next(each for each in process.exporter.get_finished_spans() if each.parent is not None)
    assert span.attributes is not None
    assert (span.attributes["error.type"], span.attributes["maintenworks.attempt"]) == ("missing_field", 1)
    assert span.status.status_code is StatusCode.ERROR


def test_a_corrected_copy_is_linked_to_what_it_corrects(process: Traced) -> None:
    copied = Processed(DELIVERY, "acme", {"applied": 1}, origin=tracing.traceparent(ANOTHER))
    process.spans.committed([copied], 1)
    span = next(each for each in process.exporter.get_finished_spans() if each.parent is not None)
    assert ids_of(ANOTHER) in _linked(span)


def test_a_batch_that_raises_names_the_error_and_not_its_text(process: Traced) -> None:
    with pytest.raises(RuntimeError), process.spans.working("live", "1-0", []):
        raise RuntimeError("only-in-the-body")
    assert "only-in-the-body" not in process.only("process live").to_json()
    assert process.only("process live").status.status_code is StatusCode.ERROR


@pytest.mark.parametrize("ratio", ["0.2", "0.7"])
def test_every_process_samples_the_same_deliveries_and_the_share_that_was_asked_for(
    ratio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the ids that a receiver makes within one millisecond, which are far from random."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", ratio)
    receiver, worker = Traced(), Traced()
    made = DeliveryIds(clock=lambda: 1_700_000_000.0)
    ids = [made.new() for _ in range(2000)]
    for each in ids:
        receiver.spans.accepted(each, "acme", None, 1)
    worker.spans.committed([Processed(each, "acme", {"applied": 1}) for each in ids], 1)
    accepted = {_ids(span)[0] for span in receiver.ended(spans.EDGE)}
    assert accepted == {_ids(span)[0] for span in worker.ended("process ")}
    assert abs(len(accepted) / len(ids) - float(ratio)) < 0.05


@given(st.uuids(version=4))
def test_a_traces_id_is_never_zero_and_always_the_same(name: uuid.UUID) -> None:
    ids = ids_of(str(name))
    assert ids == ids_of(str(name))
    assert (0 < ids.trace < 2**128, 0 < ids.span < 2**64) == (True, True)
    assert tracing.traceparent(str(name)) == f"00-{ids.trace_text}-{ids.span_text}-01"


@given(
    st.one_of(
        st.text(max_size=80),
        st.text("0123456789abcdef-", max_size=60),
        st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-x)?", fullmatch=True),
        st.just("0" * 5000),
        st.sampled_from([f"{OUTSIDE}, {OUTSIDE}", OUTSIDE.upper(), OUTSIDE.replace("b7ad6b7169203331", "0" * 16)]),
    )
)
def test_whatever_a_sender_writes_there_it_is_a_link_or_nothing_and_never_a_parent(header: str) -> None:
    process = Traced()
    with capture_logs() as lines:
        process.spans.accepted(DELIVERY, "acme", header, 1)
    edge = process.only(spans.EDGE)
    assert (_ids(edge), edge.parent, lines) == (ids_of(DELIVERY), None, [])
    assert len(edge.links) <= 1
    assert all(link.context.is_valid and not link.context.trace_state for link in edge.links)


def test_a_log_line_names_the_span_it_was_written_in_or_the_trace_of_its_one_delivery(process: Traced) -> None:
    with process.spans.working("live", "1-0", [DELIVERY]):
        inside = _with_trace(None, "", {})
    batch = process.only("process live")
    assert inside == {"trace_id": f"{_ids(batch)[0]:032x}", "span_id": f"{_ids(batch)[1]:016x}"}
    assert _with_trace(None, "", {"delivery_ids": [DELIVERY]})["trace_id"] == ids_of(DELIVERY).trace_text
    assert "trace_id" not in _with_trace(None, "", {"delivery_ids": [DELIVERY, ANOTHER]})
    with using(None):
        assert _with_trace(None, "", {"delivery_ids": [DELIVERY]}) == {"delivery_ids": [DELIVERY]}


def test_the_receiver_tells_of_what_it_answered_200_and_of_nothing_else(
    process: Traced, tmp_path: Path, valkey: BrokerServer
) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with capture_logs(), receiver(tmp_path, valkey.url) as running:
        answer = running.post("acme", b'{"mark": 1}', traceparent=OUTSIDE)
        assert running.post("acme", x_webhook_signature="ab" * 32, traceparent=OUTSIDE).status == 401
        assert running.post("stranger", traceparent=OUTSIDE).status == 401
    edge, sent = process.only(spans.EDGE), process.only("send live")
    assert edge.attributes is not None
    assert edge.attributes["messaging.message.id"] == json.loads(answer.body)["delivery_id"]
    assert _linked(sent) == [_ids(edge)]
    assert len(process.exporter.get_finished_spans()) == 2


def test_tracing_is_wanted_by_opentelemetrys_own_variables_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    assert not is_wanted()
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:1")
    assert (is_wanted(), why_not()) == (True, None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert why_not() == "only http/protobuf is spoken, not grpc"
    for name, value in {"OTEL_SDK_DISABLED": "TRUE", "OTEL_TRACES_EXPORTER": "none"}.items():
        with monkeypatch.context() as off:
            off.setenv(name, value)
            assert not is_wanted()


def test_without_its_packages_everything_works_and_a_warning_says_what_to_install() -> None:
    """In a process of its own, from which OpenTelemetry has been taken away."""
    program = """
import sys
sys.modules["opentelemetry"] = None
import receiver.main, worker.actors, worker.broker, worker.due, worker.telling
from worker.telemetry import configure_logging, spans, traced
configure_logging()
with traced("worker"):
    assert spans() is None
"""
    given = {**os.environ, ENDPOINTS[1]: "http://127.0.0.1:1"}
    done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "tracing_not_started" in done.stderr
    assert "pip install 'maintenworks[otel]'" in done.stderr


def test_a_collector_that_cannot_be_reached_costs_a_moment_at_the_end_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(ENDPOINTS[1], "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setattr(spans, "CLOSE_SECONDS", 0.2)
    with capture_logs(), traced("worker"):
        found = tracing.spans()
        assert found is not None
        found.accepted(DELIVERY, "acme", None, 1)
    assert tracing.spans() is None
    for thread in [each for each in threading.enumerate() if each.name == "last-spans"]:
        thread.join(30)
    structlog.contextvars.clear_contextvars()
