"""One delivery from the edge to the commit, buried and replayed: one trace, and one search of the log by its id."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from handlers.store.schema import dead_letters
from tests.journeys.collector import Collected, Collector, collector
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import Role, eventually
from tests.journeys.sender import Sender
from tests.log_lines import read_line
from tests.worker.cli.plant import event
from worker.spans import EDGE
from worker.tracing import ids_of

MARK = "only-in-the-body"
OUTSIDE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ZONE = 'time_zone = "Europe/Berlin"'


@pytest.fixture(scope="module")
def collected() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.fixture(scope="module")
def running(collected: Collector) -> Iterator[tuple[Installation, Role, Sender]]:
    """An `up` that traces, at the usual level of the log."""
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": collected.address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with installation(**given) as fresh:
        sender = fresh.connect("plant")
        with fresh.up() as up:
            yield fresh, up, sender


def _trace(collected: Collector, delivery_id: str, *, spans: int) -> list[Collected]:
    """A delivery's spans, once there are so many."""
    wanted = ids_of(delivery_id).trace_text
    eventually(lambda: len(collected.trace(wanted)) >= spans)
    return collected.trace(wanted)


def _found(up: Role, delivery_id: str) -> list[dict[str, Any]]:
    """The lines that a search of the log finds."""
    return [read_line(line) for line in up.log.read_text().splitlines() if delivery_id in line]


def test_a_webhook_is_one_trace_from_the_edge_to_the_commit_linked_to_what_came_in(
    running: tuple[Installation, Role, Sender], collected: Collector
) -> None:
    here, up, plant = running
    delivery_id = plant.post(
        event("asset.created", "PUMP-1", "08:00", "traced-1", name=MARK), fields={"traceparent": OUTSIDE}
    ).json["delivery_id"]
    here.settle(plant)

    edge, commit = sorted(_trace(collected, delivery_id, spans=2), key=lambda span: span.parent)
    assert (edge.service, edge.name, edge.parent) == ("maintenworks-receiver", EDGE, "")
    assert edge.links == (("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"),)
    assert (commit.service, commit.name, commit.parent) == ("maintenworks-worker", "process live", edge.span)
    assert commit.attributes["messaging.message.id"] == delivery_id
    assert commit.attributes["maintenworks.events.applied"] == 1
    ours = (edge.trace, edge.span)
    eventually(lambda: {"send live", "process live"} <= {each.name for each in collected.spans if ours in each.links})
    lines = _found(up, delivery_id)
    assert {line["trace_id"] for line in lines if line["service.name"] == "maintenworks-receiver"} == {edge.trace}
    assert not any(MARK.encode() in body or plant.signatures[-1].encode() in body for body in collected.bodies)


def test_what_happened_to_one_delivery_is_one_search_by_its_id(
    running: tuple[Installation, Role, Sender], collected: Collector
) -> None:
    here, up, plant = running
    delivery_id = plant.post(event("asset.created", "PUMP-2", "2026-03-01T08:00:00", "traced-2")).json["delivery_id"]
    here.settle(plant)
    file = here.home / "connections.toml"
    file.write_text(file.read_text().replace("[connections.plant]\n", f"[connections.plant]\n{ZONE}\n"))

    is_open = sa.select(dead_letters.c.code).where(dead_letters.c.state == "open")

    def replayed() -> bool:
        """The worker may not have seen the zone yet when the letter is sent; then it is buried again."""
        if here.ask(is_open):
            here.run("dead-letters", "replay", "--connection", "plant", "--reason", "zone set", "--yes")
        return any(line["event"] == "deliveries_replayed" for line in _found(up, delivery_id))

    eventually(replayed, every=0.5)
    lines = _found(up, delivery_id)
    steps = list(dict.fromkeys(line["event"] for line in lines))
    assert steps == ["deliveries_accepted", "deliveries_buried", "retries_rung", "deliveries_replayed"]
    assert {line["role"] for line in lines} == {"receiver", "worker", "scheduler"}
    assert next(line["error"] for line in lines if line["event"] == "deliveries_buried") == "missing_time_zone"
    told = _trace(collected, delivery_id, spans=3)
    assert {span.name for span in told} == {EDGE, "process live", "process again"}
