"""The door to what a process says about itself: log lines, metrics, and two words with whoever started it.

`prometheus_client` decides at its first import whether values live in memory or in files that several processes
share, by `PROMETHEUS_MULTIPROC_DIR`. `up` sets it in its children's environment, and the console shows the sum; a
role that runs alone keeps its values in memory and shows its own page.
"""

import contextlib
import os
import platform
import socket
import threading
import time
from collections.abc import Iterator
from typing import Literal

from prometheus_client import GC_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from worker.identity import version
from worker.logs import about, configure_logging, printable
from worker.metrics_files import reading
from worker.signals import cut_short
from worker.tracing import spans, traced

# From here, since the receiver knows this door alone.
__all__ = ["about", "configure_logging", "cut_short", "printable", "spans", "traced", "version"]

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Where the processes of `up` keep their metrics; read by prometheus_client at its first import."""

READY_FD = "MAINTENWORKS_READY_FD"
"""The descriptor on which a child tells `up` that it is ready, and then that it lives."""

BEAT_SECONDS = 1.0
"""How often it says so: often enough to be heard between any two looks."""

LISTEN_FD = "MAINTENWORKS_LISTEN_FD"
"""The listening socket that `up` keeps for a child, so that a restarted one has the same port."""

REGISTRY = CollectorRegistry()
"""Ours alone: what a library registers with the global registry never reaches our page."""

_REQUEST_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# 20 ms is the median promised on a quiet system; 60 s is the freshness objective (an edge must stand on each).
_END_TO_END_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600)
_HANDLER_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)


def _counter(name: str, documentation: str, *labels: str) -> Counter:
    return Counter(f"maintenworks_{name}", documentation, labels, registry=REGISTRY)


def _gauge(name: str, documentation: str, *labels: str, mode: Literal["max", "livemostrecent", "livesum"]) -> Gauge:
    return Gauge(f"maintenworks_{name}", documentation, labels, registry=REGISTRY, multiprocess_mode=mode)


def _histogram(name: str, documentation: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    return Histogram(f"maintenworks_{name}", documentation, labels, registry=REGISTRY, buckets=buckets)


# Labels are few: a connection (or `unknown`), a type we know (or `other`), an outcome, a code; never an id.
WEBHOOKS_RECEIVED = _counter("webhooks_received", "Requests to a webhook endpoint.", "connection", "outcome")
WEBHOOK_DURATION = _histogram(
    "webhook_duration_seconds", "From a request's headers to its answer.", buckets=_REQUEST_SECONDS
)
ENQUEUE_BATCH_SIZE = _histogram("enqueue_batch_size", "Deliveries in one durable enqueue.", buckets=_BATCH_SIZES)
ENQUEUE_DURATION = _histogram("enqueue_duration_seconds", "One durable enqueue.", buckets=_REQUEST_SECONDS)
EVENTS_PROCESSED = _counter("events_processed", "Events by how they ended.", "connection", "type", "outcome")
EVENT_END_TO_END = _histogram(
    "event_end_to_end_seconds", "From accepting a delivery to committing its event.", buckets=_END_TO_END_SECONDS
)
HANDLER_DURATION = _histogram(
    "handler_duration_seconds", "An effect's work on one batch.", "handler", buckets=_HANDLER_SECONDS
)
TRANSACTION_DURATION = _histogram(
    "transaction_duration_seconds",
    "A worker's transaction, from its first statement to its commit.",
    buckets=_REQUEST_SECONDS,
)
TRANSACTION_EVENTS = _histogram("transaction_events", "Events in one of them.", buckets=(*_BATCH_SIZES, 1000))
QUEUE_WAIT = _histogram(
    "queue_wait_seconds",
    "From the broker's taking a message to a worker's beginning.",
    "queue",
    buckets=_END_TO_END_SECONDS,
)
BATCHES_HELD = _counter("batches_held", "Attempts at a batch that broker or database could not take.", "error")
WORKER_THREADS = _gauge("worker_threads", "Threads that work on batches.", mode="livesum")
WORKER_THREADS_BUSY = _gauge("worker_threads_busy", "Those that are at work.", mode="livesum")
DATABASE_CONNECTIONS = _gauge("database_connections", "Connections to the database that workers use.", mode="livesum")
DATABASE_CONNECTIONS_LIMIT = _gauge("database_connections_limit", "How many there may be.", mode="livesum")
RETRIES = _counter("retries", "Failed attempts that are tried again.", "error")
DEAD_LETTERS = _counter("dead_letters", "Events and bodies buried.", "error")
REPLAYS = _counter("replays", "Dead letters that an operator sent again, by how they ended.", "outcome")
SIGNATURE_SECRET_USED = _counter(
    "signature_secret_used", "Verified requests by which of the secrets verified them.", "connection", "position"
)
SECRET_UNRESOLVED = _gauge(
    "secret_unresolved",
    "1 while a secret of the address cannot be had, or only its last value.",
    "connection",
    mode="livemostrecent",
)
CANARIES_SENT = _counter("canaries_sent", "Events that we sent ourselves, by what the receiver answered.", "outcome")
CONFIGURATION_ERRORS = _counter("configuration_errors", "Edits of the configuration that could not be used.")
NOTIFICATIONS = _counter("notifications", "Attempts to tell people something, by how they ended.", "channel", "outcome")
SCHEDULE_LAST_SUCCESS = _gauge(
    "schedule_last_success_timestamp_seconds", "When a tick last did its work.", "schedule", mode="max"
)
SCHEDULE_PERIOD = _gauge("schedule_period_seconds", "How often a tick is due.", "schedule", mode="max")
SCHEDULE_DURATION = _histogram("schedule_duration_seconds", "One tick's work.", "schedule", buckets=_HANDLER_SECONDS)
SCHEDULE_ERRORS = _counter("schedule_errors", "Ticks that failed.", "schedule")
COLLECTOR_ERRORS = _counter("collector_errors", "Readings for the page that failed.", "collector")
COLLECTOR_DURATION = _histogram(
    "collector_duration_seconds", "One reading for the page.", "collector", buckets=_REQUEST_SECONDS
)


class _BuildInfo(Collector):
    """Constant, so it is read when asked for: a gauge of it would be written once for each process."""

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("maintenworks_build_info", "1, by version.", labels=["version", "python"])
        family.add_metric([version(), platform.python_version()], 1)
        yield family


BUILD_INFO = _BuildInfo()


class _Shared(Collector):
    """What all the processes keep in one folder, read while nothing is moved in it."""

    def collect(self) -> Iterator[Metric]:
        folder = os.environ[MULTIPROCESS_DIR]
        with reading(folder):
            found = list(MultiProcessCollector(None, folder).collect())  # type: ignore[no-untyped-call]  # untyped library
        yield from found


class _Together(Collector):
    """Several collectors as one page, without the `_created` series (one more a child, and nobody reads them)."""

    def __init__(self, *collectors: Collector) -> None:
        self._collectors = collectors

    def collect(self) -> Iterator[Metric]:
        for collector in self._collectors:
            for metric in collector.collect():
                metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
                yield metric


def is_multiprocess() -> bool:
    """Whether this process shares its metrics by files with others, one of which shows them all.

    A role that does opens no `METRICS_PORT` of its own.
    """
    return MULTIPROCESS_DIR in os.environ


def metrics_page(accept: str | None, *collectors: Collector) -> tuple[str, bytes]:
    """The metrics of this process, or of all that share a folder with it.

    Args:
        accept: the request's `Accept` header; decides between the classic text format (0.0.4, the default),
            its UTF-8 successor and OpenMetrics.
        collectors: what is read at this moment, such as the state of the queues.

    Returns:
        The content type and the page.
    """
    if is_multiprocess():
        own: tuple[Collector, ...] = (_Shared(),)
    else:
        own = (REGISTRY, PROCESS_COLLECTOR, GC_COLLECTOR)
    encode, content_type = choose_encoder(accept or "")
    return content_type, encode(_Together(BUILD_INFO, *own, *collectors))


def handed_socket() -> socket.socket | None:
    """The listening socket that the process which started us keeps for us; None for a role run alone."""
    descriptor = os.environ.pop(LISTEN_FD, None)
    return None if descriptor is None else socket.socket(fileno=int(descriptor))


def report_ready() -> None:
    """Tells the process which started us, if it asked, that our work can begin, and from then on that we live."""
    descriptor = os.environ.pop(READY_FD, None)
    if descriptor is not None:
        os.set_blocking(int(descriptor), False)
        threading.Thread(target=_beat, args=(int(descriptor),), name="beat", daemon=True).start()


def _beat(descriptor: int) -> None:
    """Until nobody listens any more; where somebody is slow to, a word more or less is nothing."""
    word = b"ready"
    with contextlib.suppress(BrokenPipeError):
        while True:
            with contextlib.suppress(BlockingIOError):
                os.write(descriptor, word)
            word = b"."
            time.sleep(BEAT_SECONDS)
    os.close(descriptor)
