"""What the page reads when it is asked: of connections, broker and canary; of sites in `cli/test_site_gauges.py`."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from prometheus_client.metrics_core import Metric

from handlers.errors import TransientError
from handlers.store import read_health
from tests.servers import BrokerServer
from tests.worker.cli.plant import NOW, Plant, event
from worker.broker import make_broker
from worker.broker_state import BrokerState, broker_state
from worker.console import readings
from worker.streams_server import LIVE
from worker.telemetry import REGISTRY

FINE = BrokerState(workers=2, backlog_bytes=300, memory_bytes=1000, memory_limit_bytes=0, is_logging=True)


def _values(families: Iterable[Metric]) -> dict[str, dict[str, float]]:
    """By name without the prefix, then by the labels' values."""
    return {
        family.name.removeprefix("maintenworks_"): {
            " ".join(sample.labels.values()): sample.value for sample in family.samples
        }
        for family in families
    }


def test_a_connection_is_up_as_it_last_said_and_one_that_said_nothing_or_is_gone_has_no_sample(tmp_path: Path) -> None:
    plant = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}")
    plant.send(event("connection.online", "c", "08:00"), event("sync.completed", "c", "09:00"))
    plant.send(event("connection.online", "c", "08:00"), event("connection.offline", "c", "10:00"), to="second")
    plant.send(event("connection.online", "c", "08:00"), to="trial")
    registered = ["plant", "second", "silent"]
    reading = readings.connections(lambda: registered, lambda: read_health.health_of(plant.database))
    assert _values(reading.collect()) == {
        "connection_up": {"plant": 1, "second": 0},
        "sync_last_success_timestamp_seconds": {"plant": datetime.fromisoformat("2026-03-01T09:00:00Z").timestamp()},
    }
    plant.database.close()


def test_what_cannot_be_read_is_counted_and_missing() -> None:
    def away() -> BrokerState:
        raise TransientError("broker_unavailable", "no")

    labels = {"collector": "broker"}
    reading = readings.broker(away, lambda _: 0)
    before = REGISTRY.get_sample_value("maintenworks_collector_errors_total", labels)
    assert before is not None, "zero from the start"
    assert list(reading.collect()) == []
    assert REGISTRY.get_sample_value("maintenworks_collector_errors_total", labels) == before + 1


def test_the_broker_says_how_it_is_and_who_works_from_it(server: BrokerServer) -> None:
    assert broker_state(server.url).workers == 0, "nobody ever did"
    broker = make_broker(server.url)
    consumer = broker.consume(LIVE, timeout=50)
    next(consumer)
    found = broker_state(server.url)
    assert (found.workers, found.backlog_bytes, found.is_logging) == (1, 0, True)
    assert found.memory_bytes > found.memory_limit_bytes == 0
    consumer.close()
    broker.close()
    assert broker_state(server.url).workers == 0


def test_the_broker_is_six_gauges() -> None:
    found = _values(readings.broker(lambda: FINE, lambda waiting: waiting * 2).collect())
    assert found == {
        "workers": {"": 2},
        "backlog_bytes": {"": 300},
        "backlog_limit_bytes": {"": 600},
        "broker_memory_bytes": {"": 1000},
        "broker_memory_limit_bytes": {"": 0},
        "broker_logging": {"": 1},
    }
    silent = FINE._replace(is_logging=False)
    assert _values(readings.broker(lambda: silent, lambda _: 0).collect())["broker_logging"] == {"": 0}


def test_a_canary_is_seen_when_it_was_sent_and_took_no_time_less_than_none() -> None:
    sent, ended = NOW, NOW - timedelta(seconds=1)
    found = _values(readings.canary(lambda: (sent, ended)).collect())
    assert found == {
        "canary_last_seen_timestamp_seconds": {"": sent.timestamp()},
        "canary_duration_seconds": {"": 0},
    }
    assert _values(readings.canary(lambda: None).collect()) == {
        "canary_last_seen_timestamp_seconds": {},
        "canary_duration_seconds": {},
    }
