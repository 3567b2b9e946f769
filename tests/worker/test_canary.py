"""What the scheduler sends to its own receiver; the whole road is in `tests/journeys/test_metrics.py`."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from handlers.connections import Registry
from handlers.errors import TransientError
from handlers.rules.times import kept_instant
from handlers.store import canaries, schema
from handlers.store.rowset import Transaction
from tests.receiver.harness import receiver
from tests.servers import BrokerServer
from tests.worker.cli.plant import NOW, Plant, event
from worker.canary import KEPT, OUTCOMES, Canary, names
from worker.queue import queue_state
from worker.telemetry import REGISTRY

BEATS = """
[connections.beat]
source = "canary"
secrets = [{{ ref = "file:{home}/secret" }}]
[connections.beat-2]
source = "canary"
scheme = "makini"
secrets = [{{ ref = "file:{home}/secret" }}]
[connections.resting]
source = "canary"
paused = true
secrets = [{{ ref = "file:{home}/secret" }}]
[connections.plant]
source = "unified"
secrets = [{{ ref = "file:{home}/secret" }}]
"""


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    (tmp_path / "secret").write_text("whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
    made = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", connections=BEATS.format(home=tmp_path))
    yield made
    made.database.close()


def _registry(plant: Plant) -> Registry:
    return Registry(plant.home / "connections.toml", plant.home)


def _canary(plant: Plant, url: str, registry: Registry | None = None) -> Canary:
    return Canary(plant.database, registry or _registry(plant), url, lambda: datetime.now(UTC))


def _sent() -> dict[str, float]:
    name = "maintenworks_canaries_sent_total"
    return {outcome: REGISTRY.get_sample_value(name, {"outcome": outcome}) or 0 for outcome in OUTCOMES}


def _rise(before: dict[str, float]) -> dict[str, float]:
    return {outcome: value - before[outcome] for outcome, value in _sent().items() if value != before[outcome]}


def _told(key: str, at: datetime) -> dict[str, str]:
    return {"id": key, "sent_at": kept_instant(at)}


def _left(plant: Plant) -> tuple[set[str], int]:
    with plant.database.read() as session:
        kept = {row.event_id for row in session.execute(sa.select(schema.events.c.event_id))}
        return kept, len(session.execute(sa.select(schema.deliveries.c.delivery_id)).all())


def test_each_connection_of_the_source_gets_one_signed_by_its_own_scheme(plant: Plant, valkey: BrokerServer) -> None:
    before = _sent()
    with receiver(plant.home, valkey.url) as running:
        assert _canary(plant, f"http://127.0.0.1:{running.port}/").send() == 2
    assert _rise(before) == {"accepted": 2}
    assert sum(lane.ready for lane in queue_state(valkey.url)) == 2


def test_one_that_is_refused_is_a_failure_that_names_it_and_the_others_are_sent(
    plant: Plant, valkey: BrokerServer
) -> None:
    before = _sent()
    registry = _registry(plant)
    (plant.home / "connections.toml").write_text(BEATS.format(home=plant.home).replace("beat]", "other]"))
    with receiver(plant.home, valkey.url) as running, pytest.raises(TransientError, match="beat: answered 401"):
        _canary(plant, f"http://127.0.0.1:{running.port}", registry).send()
    assert _rise(before) == {"accepted": 1, "refused": 1}


def test_where_nobody_answers_it_is_asked_once(plant: Plant) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    before = _sent()
    with pytest.raises(TransientError, match=r"^beat: "):
        _canary(plant, f"http://127.0.0.1:{port}").send()
    assert _rise(before) == {"unreachable": 1}


def test_the_newest_is_seen_and_what_else_came_over_the_connection_is_none(plant: Plant) -> None:
    registry = _registry(plant)
    assert canaries.last_seen(plant.database, names(registry)) is None
    minute = timedelta(minutes=1)
    plant.send(_told("a", NOW - 2 * minute), _told("b", NOW - minute), {"what": "else"}, to="beat")
    plant.send(_told("c", NOW), to="resting")
    assert canaries.last_seen(plant.database, names(registry)) == (NOW - minute, NOW)


def test_old_ones_go_and_nothing_else_does(plant: Plant) -> None:
    """Not what else the delivery held, nor what the connection sent before it was of this source."""
    old = NOW - KEPT - timedelta(minutes=1)
    plant.send(_told("old", old), _told("old", old), _told("new", NOW), to="beat")
    plant.send([_told("beside", old), {"what": "else"}], to="beat")
    plant.send(event("asset.created", "A", kept_instant(old), "kept"))
    with plant.database.write() as session:
        session.execute(sa.update(schema.events).where(schema.events.c.event_id == "kept").values(connection_id="beat"))
    events, deliveries = _left(plant)

    with plant.database.write() as session:
        assert canaries.forget(Transaction(session), "beat", NOW - KEPT) == 2

    left, kept = _left(plant)
    assert events - left == {"old", "beside"}
    assert deliveries - kept == 2, "the first and its repeat"
