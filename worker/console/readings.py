"""What else the page for Prometheus reads when it is asked, each a few rows: connections, broker, what is kept for it.

Read from where it stands, it is right whichever process is asked, and after every restart.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from handlers.rules.times import parse_moment
from handlers.store.kept_gauges import Sample
from worker.broker_state import BrokerState
from worker.console.collector import gauge, measured
from worker.telemetry import COLLECTOR_ERRORS

ONLINE: Final = "online"
KEPT: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "asset_availability_ratio": (
        "Uptime / required time (24x7) of a site's assets in a window that ends now.",
        ("site", "window"),
    ),
    "assets": ("Assets of a site.", ("site",)),
    "assets_down": ("Assets that stand, planned stops among them.", ("site",)),
    "work_orders": ("Work orders by status.", ("status", "site")),
    "work_orders_overdue": ("Unfinished work orders past their due time.", ("site",)),
    "pm_overdue": ("Preventive maintenance that is overdue, its grace over.", ("site",)),
    "pm_compliance_ratio": ("Done in time / had to be done, in the last 30 days, by each plan's own grace.", ("site",)),
    "mtbf_seconds": ("Uptime / failures, in the last 30 days; nothing without failures.", ("site",)),
    "mttr_seconds": ("Unplanned down time / failures, in the last 30 days; nothing without failures.", ("site",)),
}
"""What the leader reckons (`worker.site_gauges`), by name: what it says, and its labels."""


class Reading(Collector):
    """One thing that is read; where it cannot be, that is counted, and the page goes without it.

    Args:
        name: label of its duration and its errors.
        read: gives families of gauges.
    """

    def __init__(self, name: str, read: Callable[[], Iterable[Metric]]) -> None:
        self._name = name
        self._read = read
        # Two scrapers at once must not become two readings at once.
        self._lock = threading.Lock()
        COLLECTOR_ERRORS.labels(name)

    def collect(self) -> Iterator[Metric]:
        """The families, as of now."""
        found: list[Metric] = []
        with self._lock:
            measured(self._name, lambda: found.extend(self._read()))
        yield from found


def broker(state: Callable[[], BrokerState], backlog_limit: Callable[[int], int]) -> Reading:
    """How the broker is.

    Args:
        state: asks it.
        backlog_limit: how many bytes may wait in it, given how many do.
    """

    def read() -> Iterable[Metric]:
        found = state()
        for name, documentation, value in (
            ("workers", "Worker processes that ask the broker for work.", found.workers),
            ("backlog_bytes", "Bytes of deliveries that wait in the broker.", found.backlog_bytes),
            ("backlog_limit_bytes", "From how many on senders get 503.", backlog_limit(found.backlog_bytes)),
            ("broker_memory_bytes", "Memory that the broker uses.", found.memory_bytes),
            ("broker_memory_limit_bytes", "How much it may use; 0 for no limit.", found.memory_limit_bytes),
            ("broker_logging", "1 while it logs each write, and the newest was written.", int(found.is_logging)),
        ):
            family = gauge(name, documentation)
            family.add_metric([], value)
            yield family

    return Reading("broker", read)


def connections(known: Callable[[], Iterable[str]], health: Callable[[], Mapping[str, Mapping[str, Any]]]) -> Reading:
    """What connections tell of themselves; one that never told anything has no sample.

    Args:
        known: ids of those that are registered.
        health: what their operational events came to (`handlers.store.read_health`).
    """

    def read() -> Iterable[Metric]:
        up = gauge("connection_up", "1 while the connection last said that it is online.", "connection")
        synced = gauge("sync_last_success_timestamp_seconds", "When a synchronisation last succeeded.", "connection")
        registered = set(known())
        for name, told in health().items():
            if name not in registered:
                continue
            if told["state"] is not None:
                up.add_metric([name], int(told["state"] == ONLINE))
            at = parse_moment(told["last_sync_at"])
            if at is not None:
                synced.add_metric([name], at.timestamp())
        return (up, synced)

    return Reading("connections", read)


def kept(read_kept: Callable[[], tuple[Mapping[str, Iterable[Sample]], datetime | None]]) -> Reading:
    """What the scheduler's leader reckoned."""

    def read() -> Iterable[Metric]:
        families, taken_at = read_kept()
        for name, (documentation, labels) in KEPT.items():
            family = gauge(name, documentation, *labels)
            for values, value in families.get(name, ()):
                family.add_metric(list(values), value)
            yield family
        taken = gauge("site_gauges_timestamp_seconds", "When what is said of sites was reckoned.")
        if taken_at is not None:
            taken.add_metric([], taken_at.timestamp())
        yield taken

    return Reading("sites", read)


def canary(last_seen: Callable[[], tuple[datetime, datetime] | None]) -> Reading:
    """How the canary does.

    Args:
        last_seen: of the newest one that came through, when it was sent and when it was committed; None before the
            first, and where nobody sends any.
    """

    def read() -> Iterable[Metric]:
        seen = gauge("canary_last_seen_timestamp_seconds", "When the newest canary that came through was sent.")
        took = gauge("canary_duration_seconds", "How long it was on its way.")
        found = last_seen()
        if found is not None:
            sent_at, committed_at = found
            seen.add_metric([], sent_at.timestamp())
            took.add_metric([], max(0.0, (committed_at - sent_at).total_seconds()))
        return (seen, took)

    return Reading("canary", read)
