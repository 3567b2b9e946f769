import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_classic

from worker import telemetry
from worker.metrics_files import forget_process

CONTRACT_METRICS = {
    "maintenworks_webhooks_received": ("counter", ("connection", "outcome")),
    "maintenworks_webhook_duration_seconds": ("histogram", ()),
    "maintenworks_enqueue_batch_size": ("histogram", ()),
    "maintenworks_events_processed": ("counter", ("connection", "type", "outcome")),
    "maintenworks_event_end_to_end_seconds": ("histogram", ()),
    "maintenworks_handler_duration_seconds": ("histogram", ("handler",)),
    "maintenworks_retries": ("counter", ("error",)),
    "maintenworks_dead_letters": ("counter", ("error",)),
    "maintenworks_replays": ("counter", ("outcome",)),
    "maintenworks_signature_secret_used": ("counter", ("connection", "position")),
}
"""Those that processes count; the gauges are read by the console (`test_readings.py`)."""


def test_the_contracts_metrics_are_there_by_name_type_and_labels() -> None:
    defined = {
        metric._name: (metric._type, metric._labelnames)
        for metric in vars(telemetry).values()
        if isinstance(metric, Counter | Gauge | Histogram)
    }
    assert {name: defined.get(name) for name in CONTRACT_METRICS} == CONTRACT_METRICS


def test_a_bucket_ends_on_the_sixty_seconds_of_the_objective() -> None:
    assert {0.02, 60} <= set(telemetry.EVENT_END_TO_END._kwargs["buckets"])


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;version=0.0.4;q=0.2,*/*;q=0.1", "text/plain; version=0.0.4; charset=utf-8"),
    ],
)
def test_an_old_scraper_gets_the_classic_format(accept: str | None, content_type: str) -> None:
    telemetry.RETRIES.labels("database_unavailable").inc()
    given, page = telemetry.metrics_page(accept)
    families = {family.name: family for family in parse_classic(page.decode())}
    assert given == content_type
    assert families["maintenworks_retries"].type == "counter"
    assert families["maintenworks_build_info"].samples[0].labels["version"] == telemetry.version()
    assert "process_resident_memory_bytes" in families


def test_a_scraper_that_asks_gets_openmetrics_without_created_series() -> None:
    telemetry.RETRIES.labels("database_unavailable").inc()
    given, page = telemetry.metrics_page("application/openmetrics-text;version=1.0.0,text/plain;q=0.1")
    families = {family.name: family for family in parse_openmetrics(page.decode())}  # type: ignore[no-untyped-call]  # untyped library
    assert given.startswith("application/openmetrics-text; version=1.0.0")
    assert "maintenworks_retries" in families
    assert b"_created" not in page


PROCESS = """
import os
from worker import telemetry
telemetry.WEBHOOKS_RECEIVED.labels("acme", "accepted").inc(2)
telemetry.EVENT_END_TO_END.observe(59)
telemetry.WORKER_THREADS.set({threads})
telemetry.SCHEDULE_LAST_SUCCESS.labels("due_rows").set({stamp})
telemetry.SECRET_UNRESOLVED.labels("acme").set(1)
print(os.getpid())
"""
SHOW = "from worker import telemetry; print(telemetry.metrics_page(None)[1].decode())"


def _run(code: str, folder: Path) -> str:
    environment = {**os.environ, telemetry.MULTIPROCESS_DIR: str(folder)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=120).stdout


def _shown(folder: Path) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse_classic(_run(SHOW, folder))
        for sample in family.samples
    }


def test_processes_that_share_a_folder_are_one_page_and_of_a_dead_one_only_what_it_counted_stays(
    tmp_path: Path,
) -> None:
    acme = (("connection", "acme"),)
    gone = _run(PROCESS.format(threads=8, stamp=2000), tmp_path)
    _run(PROCESS.format(threads=4, stamp=1000), tmp_path)
    both = _shown(tmp_path)
    assert both["maintenworks_webhooks_received_total", (*acme, ("outcome", "accepted"))] == 4
    assert both["maintenworks_event_end_to_end_seconds_bucket", (("le", "30.0"),)] == 0
    assert both["maintenworks_event_end_to_end_seconds_bucket", (("le", "60.0"),)] == 2
    assert both["maintenworks_schedule_last_success_timestamp_seconds", (("schedule", "due_rows"),)] == 2000
    assert both["maintenworks_worker_threads", ()] == 12
    assert sum(name == "maintenworks_build_info" for name, _ in both) == 1

    forget_process(int(gone), str(tmp_path))
    left = _shown(tmp_path)
    assert {key for key in both if both[key] != left.get(key)} == {("maintenworks_worker_threads", ())}
    assert left["maintenworks_worker_threads", ()] == 4


def test_readiness_is_told_once_and_life_ever_after_until_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "BEAT_SECONDS", 0.01)
    reading, writing = os.pipe()
    monkeypatch.setenv(telemetry.READY_FD, str(writing))
    telemetry.report_ready()
    telemetry.report_ready()
    assert [os.read(reading, 5), os.read(reading, 1), os.read(reading, 1)] == [b"ready", b".", b"."]
    [beat] = [thread for thread in threading.enumerate() if thread.name == "beat"]
    os.close(reading)
    beat.join(10)
    assert not beat.is_alive()


def test_a_role_takes_the_socket_that_is_kept_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as kept:
        monkeypatch.setenv(telemetry.LISTEN_FD, str(os.dup(kept.fileno())))
        with telemetry.handed_socket() or pytest.fail("no socket") as handed:
            assert handed.getsockname() == kept.getsockname()
    assert telemetry.handed_socket() is None
