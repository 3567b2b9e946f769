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
    "maintenworks_connection_up": ("gauge", ("connection",)),
    "maintenworks_sync_last_success_timestamp_seconds": ("gauge", ("connection",)),
}


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
from worker import telemetry
telemetry.WEBHOOKS_RECEIVED.labels("acme", "accepted").inc(2)
telemetry.EVENT_END_TO_END.observe(59)
telemetry.CONNECTION_UP.labels("acme").set({up})
telemetry.SYNC_LAST_SUCCESS.labels("acme").set({stamp})
"""


def _run(code: str, folder: Path) -> str:
    environment = {**os.environ, telemetry.MULTIPROCESS_DIR: str(folder)}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout


def test_processes_that_share_a_folder_are_one_page_with_their_sum(tmp_path: Path) -> None:
    _run(PROCESS.format(up=1, stamp=2000), tmp_path)
    _run(PROCESS.format(up=0, stamp=1000), tmp_path)
    page = _run("from worker import telemetry; print(telemetry.metrics_page(None)[1].decode())", tmp_path)
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in parse_classic(page)
        for sample in family.samples
    }
    acme = (("connection", "acme"),)
    assert samples["maintenworks_webhooks_received_total", (*acme, ("outcome", "accepted"))] == 4
    assert samples["maintenworks_event_end_to_end_seconds_bucket", (("le", "30.0"),)] == 0
    assert samples["maintenworks_event_end_to_end_seconds_bucket", (("le", "60.0"),)] == 2
    assert samples["maintenworks_connection_up", acme] == 0
    assert samples["maintenworks_sync_last_success_timestamp_seconds", acme] == 2000
    assert sum(name == "maintenworks_build_info" for name, _ in samples) == 1


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
