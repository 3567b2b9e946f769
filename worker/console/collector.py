"""What the page for Prometheus reads at the moment it is asked: queues and database, in the console alone.

Were each worker to show these, the same queue would be counted as often as there are workers.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import structlog
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from handlers.errors import MaintenworksError
from worker.queue import LaneState
from worker.telemetry import COLLECTOR_DURATION, COLLECTOR_ERRORS

RETRYING_LANE = "again"
"""A retry waits in the database and goes through this lane when it is due."""

QUEUES, RETRIES, LETTERS = "queues", "retries", "dead_letters"
"""Its readings: each may fail alone."""

log = structlog.get_logger()


class StateCollector(Collector):
    """The state of queues and database as gauges; a part that cannot be read is counted and harms no other.

    Args:
        lanes: what each queue holds (`worker.queue.queue_state`).
        retrying: how many events wait to be tried again.
        open_letters: error code → how many dead letters are open.
    """

    def __init__(
        self,
        lanes: Callable[[], Sequence[LaneState]],
        retrying: Callable[[], int],
        open_letters: Callable[[], Mapping[str, int]],
    ) -> None:
        self._lanes = lanes
        self._retrying = retrying
        self._open_letters = open_letters
        # Two scrapers at once must not become two readings at once.
        self._lock = threading.Lock()
        for name in (QUEUES, RETRIES, LETTERS):
            COLLECTOR_ERRORS.labels(name)

    def collect(self) -> Iterator[Metric]:
        """The families, as of now; one without a reading has no samples."""
        messages = gauge("queue_messages", "Messages by state; retrying ones wait in the database.", "queue", "state")
        age = gauge("queue_oldest_age_seconds", "Age of a queue's oldest message; 0 where empty.", "queue")
        letters = gauge("dead_letters_open", "Open dead letters.", "error")

        def read_lanes() -> None:
            for lane in self._lanes():
                messages.add_metric([lane.lane, "ready"], lane.ready)
                messages.add_metric([lane.lane, "in_flight"], lane.in_flight)
                age.add_metric([lane.lane], 0 if lane.oldest_age is None else lane.oldest_age.total_seconds())

        def read_retries() -> None:
            messages.add_metric([RETRYING_LANE, "retrying"], self._retrying())

        def read_letters() -> None:
            for code, count in sorted(self._open_letters().items()):
                letters.add_metric([code], count)

        with self._lock:
            for name, read in ((QUEUES, read_lanes), (RETRIES, read_retries), (LETTERS, read_letters)):
                measured(name, read)
        yield from (messages, age, letters)


def measured(name: str, read: Callable[[], None]) -> None:
    """Takes one reading; one that fails is counted, and the page goes without it.

    Args:
        name: label of its duration and its errors.
        read: takes it.
    """
    try:
        with COLLECTOR_DURATION.labels(name).time():
            read()
    except MaintenworksError as error:
        COLLECTOR_ERRORS.labels(name).inc()
        log.warning("reading_failed", collector=name, reason=str(error))


def gauge(name: str, documentation: str, *labels: str) -> GaugeMetricFamily:
    """An empty family of ours."""
    return GaugeMetricFamily(f"maintenworks_{name}", documentation, labels=labels)
