"""What the log says of deliveries: what happened to one is one search by its id."""

from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from handlers import effects
from handlers.store.read_deliveries import delivery
from handlers.store.rowset import Transaction
from tests import folding
from tests.worker.letters import ANNA, ZONE, Yard, order, zoneless
from worker import acts
from worker.due import DueRows
from worker.retries import MAX_ATTEMPTS
from worker.spans import OtelSpans
from worker.streams_leases import Envelope
from worker.telling import tell
from worker.tracing import ids_of, using

Line = MutableMapping[str, Any]


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """An installation whose worker tells."""
    database = folding.sqlite(tmp_path)
    yield Yard(database, tmp_path, tell=tell)
    database.close()


def _of(lines: list[Line], delivery_id: str) -> list[tuple[str, dict[str, Any]]]:
    """What a search by an id finds, without what every line has."""
    found = [line for line in lines if delivery_id in line.get("delivery_ids", ())]
    every = ("event", "delivery_ids", "log_level")
    return [(line["event"], {name: value for name, value in line.items() if name not in every}) for line in found]


def _broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No effect on work orders can be had from now on."""

    def fails(_: Transaction, __: object) -> None:
        raise RuntimeError("only-in-the-body")

    whole = effects.load()
    sick = tuple(each._replace(apply=fails) if each.name == "work_orders" else each for each in whole)
    monkeypatch.setattr(effects, "load", lambda: sick)


def test_what_is_buried_and_replayed_is_told_under_its_id(yard: Yard) -> None:
    with capture_logs() as lines:
        name = yard.send(order("e1"), zoneless("e2", "WO-2"))
        again = yard.send(order("e1"))
        yard.connect("plant", ZONE)
        yard.replay()
    connection = {"deliveries": 1, "connection": "plant", "events": 1}
    assert _of(lines, name) == [
        ("deliveries_processed", {"deliveries": 1, "applied": 1}),
        ("deliveries_buried", {**connection, "error": "missing_time_zone", "attempt": 1}),
        ("deliveries_replayed", {"deliveries": 1, "applied": 1}),
    ]
    assert _of(lines, again) == [("deliveries_processed", {"deliveries": 1, "duplicate": 1})]


def test_what_is_tried_again_until_it_is_buried_is_told_each_time_and_traced_in_one_trace(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = InMemorySpanExporter()
    with monkeypatch.context() as sick, capture_logs() as lines:
        _broken(sick)
        with using(OtelSpans("test", "1", SimpleSpanProcessor(exporter))):
            name = yard.send(order("e1"))
            for _ in range(MAX_ATTEMPTS):
                yard.now += timedelta(hours=2)
                yard.work()
    told = _of(lines, name)
    assert [event for event, _ in told] == ["deliveries_retried"] * (MAX_ATTEMPTS - 1) + ["deliveries_buried"]
    assert [fields["attempt"] for _, fields in told] == list(range(1, MAX_ATTEMPTS + 1))
    assert {fields["error"] for _, fields in told} == {"unclassified"}
    assert "only-in-the-body" not in str(lines)
    spans = [span for span in exporter.get_finished_spans() if span.parent is not None]
    assert {(span.parent.trace_id, span.parent.span_id) for span in spans if span.parent} == {ids_of(name)}
    assert [(span.attributes or {})["maintenworks.attempt"] for span in spans] == list(range(1, MAX_ATTEMPTS + 1))
    assert all("only-in-the-body" not in span.to_json() for span in spans)


def test_a_paused_connections_delivery_is_put_off_and_that_is_no_failure(yard: Yard) -> None:
    yard.connect("plant", "paused = true")
    with capture_logs() as lines:
        name = yard.send(order("e1"))
    assert _of(lines, name) == [("deliveries_put_off", {"deliveries": 1, "connection": "plant", "events": 1})]


def test_a_corrected_copy_is_traced_with_a_link_to_what_it_corrects(yard: Yard) -> None:
    name = yard.send(zoneless("e1"))
    original = delivery(yard.database, name)
    assert original is not None
    mended = orjson.dumps(order("e1"))
    copy = acts.edit(yard.database, yard.letter(), original, mended, operator=ANNA, now=yard.now).delivery_id
    exporter = InMemorySpanExporter()
    with using(OtelSpans("test", "1", SimpleSpanProcessor(exporter))), capture_logs():
        yard.work()
    (span,) = [each for each in exporter.get_finished_spans() if each.parent is not None]
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id) == ids_of(copy)
    assert ids_of(name) in [(link.context.trace_id, link.context.span_id) for link in span.links]


def test_the_scheduler_tells_what_it_rings_for(yard: Yard) -> None:
    name = yard.send(zoneless("e1"))
    yard.connect("plant", ZONE)
    rung: list[object] = []
    due = DueRows(yard.database, rung.append, lambda: yard.now)
    exporter = InMemorySpanExporter()
    with using(OtelSpans("test", "1", SimpleSpanProcessor(exporter))), capture_logs() as lines:
        due.ring([(name, 0), (name, 1)])
    assert (rung, _of(lines, name)) == ([[(name, 0), (name, 1)]], [("retries_rung", {"deliveries": 1})])
    (sent,) = exporter.get_finished_spans()
    assert (sent.name, [link.context.trace_id for link in sent.links]) == ("send again", [ids_of(name).trace])


def test_a_message_is_named_by_its_first_deliveries() -> None:
    rows = [(f"d{number}", index) for number in range(40) for index in range(2)]
    assert Envelope("again", "1-0", rows).some_ids == [f"d{number}" for number in range(10)]
