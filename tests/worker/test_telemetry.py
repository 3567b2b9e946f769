import dataclasses
import datetime as dt
import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import structlog
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_classic
from pydantic import SecretStr

from handlers.events import Delivery
from worker import telemetry

SECRET = "whsec_do_not_print_me"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, telemetry._Forward)]
    root.setLevel(logging.WARNING)
    for name in telemetry._FLOORS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def _logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _fail(message: str, **_held: str) -> None:
    raise RuntimeError(message)


def test_a_line_is_one_json_object_with_time_level_event_role_and_the_bound_delivery_id() -> None:
    stream = io.StringIO()
    telemetry.configure_logging("info", "json", stream, role="worker")
    with structlog.contextvars.bound_contextvars(delivery_id="d-1"):
        structlog.get_logger().info("delivery_accepted", connection="acme")
    (line,) = _logged(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "event": "delivery_accepted",
        "level": "info",
        "role": "worker",
        "delivery_id": "d-1",
        "connection": "acme",
    }


def test_what_is_below_the_level_is_dropped_from_both_roads() -> None:
    stream = io.StringIO()
    telemetry.configure_logging("warning", "json", stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger().warning("loud")
    logging.getLogger("library").warning("loud")
    assert [line["event"] for line in _logged(stream)] == ["loud", "loud"]


def test_the_standard_library_goes_the_same_road_with_its_logger_and_its_traceback() -> None:
    stream = io.StringIO()
    telemetry.configure_logging("info", "json", stream)
    try:
        _fail("gone")
    except RuntimeError:
        logging.getLogger("some.library").exception("failed %d times", 3)
    (line,) = _logged(stream)
    assert (line["event"], line["level"], line["logger"]) == ("failed 3 times", "error", "some.library")
    assert line["exception"].endswith("RuntimeError: gone")


def test_a_line_that_cannot_be_put_together_is_named_without_its_arguments() -> None:
    stream = io.StringIO()
    telemetry.configure_logging("info", "json", stream)
    record = logging.LogRecord("library", logging.WARNING, __file__, 1, "%d", (SECRET,), None)
    telemetry._Forward().handle(record)
    (line,) = _logged(stream)
    assert (line["event"], line["logger"], line["error"]) == ("log_line_lost", "library", "TypeError")
    assert SECRET not in stream.getvalue()


def test_configuring_twice_prints_a_line_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    telemetry.configure_logging("info", "json", first)
    telemetry.configure_logging("info", "json", second)
    logging.getLogger("library").warning("once")
    assert (first.getvalue(), len(_logged(second))) == ("", 1)


@dataclasses.dataclass
class _Holder:
    secret: str


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_nothing_secret_is_printed_even_where_somebody_logs_the_wrong_thing(log_format: Any) -> None:
    stream = io.StringIO()
    telemetry.configure_logging("debug", log_format, stream)
    delivery = Delivery("d-1", "acme", dt.datetime.now(dt.UTC), SECRET.encode())
    log = structlog.get_logger()
    log.info("wrong", body=SECRET.encode(), delivery=delivery, setting=SecretStr(SECRET), holder=_Holder(SECRET))
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name="live", actor_name="a", args=(SECRET,), kwargs={}, options={}
    )
    logging.getLogger("dramatiq.worker").error("Failed to process message %s.", message)
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT %s", SECRET)
    logging.getLogger("httpx").info("POST /?token=%s", SECRET)
    logging.getLogger("dramatiq.worker").debug("Received %s", SECRET)
    try:
        _fail("here", held=SECRET)
    except RuntimeError:
        log.exception("wrong_again")
    assert len(stream.getvalue().splitlines()) >= 3
    assert message.message_id in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_a_value_that_json_cannot_hold_does_not_stop_the_work() -> None:
    stream = io.StringIO()
    telemetry.configure_logging("info", "json", stream)
    structlog.get_logger().info("odd", big=2**70, half="\ud800", path=Path("/a"), error=OSError("full"))
    (line,) = _logged(stream)
    assert (line["big"], line["half"], line["path"], line["error"]) == (2**70, "\ud800", "/a", "full")


def test_a_closed_stream_does_not_stop_the_work() -> None:
    stream = io.StringIO()
    telemetry.configure_logging("info", "json", stream)
    stream.close()
    structlog.get_logger().info("nobody_listens")


def test_the_console_obeys_nothing_that_came_from_outside() -> None:
    stream = io.StringIO()
    telemetry.configure_logging("info", "console", stream)
    structlog.get_logger().info("seen", value="\x1b]0;owned\x07", other="[bold]")
    logging.getLogger("uvicorn.error").warning("bad %s", "\x1b[31m")
    assert "\x1b" not in stream.getvalue()
    assert "[bold]" in stream.getvalue()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_colours_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured, plain = _Terminal(), _Terminal()
    telemetry.configure_logging("info", None, coloured)
    structlog.get_logger().info("seen")
    monkeypatch.setenv("NO_COLOR", "1")
    telemetry.configure_logging("info", None, plain)
    structlog.get_logger().info("seen")
    assert "\x1b[" in coloured.getvalue()
    assert "\x1b[" not in plain.getvalue()
    assert "seen" in plain.getvalue()


CONTRACT_METRICS = {
    "maintenworks_webhooks_received": ("counter", ("connection", "outcome")),
    "maintenworks_webhook_duration_seconds": ("histogram", ()),
    "maintenworks_enqueue_batch_size": ("histogram", ()),
    "maintenworks_events_processed": ("counter", ("connection", "type", "outcome")),
    "maintenworks_event_end_to_end_seconds": ("histogram", ()),
    "maintenworks_handler_duration_seconds": ("histogram", ("handler",)),
    "maintenworks_retries": ("counter", ("error",)),
    "maintenworks_dead_letters": ("counter", ("error",)),
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


def test_readiness_is_told_once_and_to_nobody_where_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setenv(telemetry.READY_FD, str(writing))
    telemetry.report_ready()
    telemetry.report_ready()
    assert os.read(reading, 100) == b"ready"
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_a_role_takes_the_socket_that_is_kept_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as kept:
        monkeypatch.setenv(telemetry.LISTEN_FD, str(os.dup(kept.fileno())))
        with telemetry.handed_socket() or pytest.fail("no socket") as handed:
            assert handed.getsockname() == kept.getsockname()
    assert telemetry.handed_socket() is None
