import dataclasses
import datetime as dt
import io
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dramatiq
import pytest
import structlog
from pydantic import SecretStr

from handlers.events import Delivery
from tests.log_lines import read_line
from worker import logs
from worker.identity import service_name, version

SECRET = "whsec_do_not_print_me"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, logs._Forward)]
    root.setLevel(logging.WARNING)
    for name in logs._FLOORS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def _logged(stream: io.StringIO) -> list[dict[str, Any]]:
    return [read_line(line) for line in stream.getvalue().splitlines()]


def _fail(message: str, **_held: str) -> None:
    raise RuntimeError(message)


def test_a_line_is_one_json_object_in_the_names_of_ecs_and_ours_below_our_own() -> None:
    stream = io.StringIO()
    logs.configure_logging("info", "json", stream, role="worker")
    with structlog.contextvars.bound_contextvars(delivery_ids=["d-1"]):
        structlog.get_logger().info("message_held", error="database_unavailable", attempt=2)
    line = json.loads(stream.getvalue())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("@timestamp"))
    assert list(line.items())[:2] == [("log.level", "info"), ("message", "message_held")]
    assert line == {
        "log.level": "info",
        "message": "message_held",
        "ecs.version": "8.11.0",
        "service.name": "maintenworks-worker",
        "service.version": version(),
        "process.pid": os.getpid(),
        "maintenworks.role": "worker",
        "maintenworks.delivery_ids": ["d-1"],
        "error.type": "database_unavailable",
        "maintenworks.attempt": 2,
    }


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"OTEL_SERVICE_NAME": "plant"}, "plant"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment=x, service.name=works"}, "works"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=works", "OTEL_SERVICE_NAME": "plant"}, "plant"),
        ({}, "maintenworks-worker"),
    ],
)
def test_a_process_is_called_what_opentelemetry_calls_it(
    given: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert service_name("worker") == named


def test_a_line_about_many_deliveries_names_each_in_lines_that_no_log_driver_cuts() -> None:
    """Docker's cuts at 16 kB."""
    stream = io.StringIO()
    logs.configure_logging("info", "json", stream)
    ids = [f"0199a3c4-7d52-7a10-9c3e-{number:012x}" for number in range(500)]
    logs.about(structlog.get_logger().info, "deliveries_accepted", ids, connection="acme")
    lines = _logged(stream)
    assert [each for line in lines for each in line["delivery_ids"]] == ids
    assert {line["deliveries"] for line in lines} == {500}
    assert max(map(len, stream.getvalue().splitlines())) < 16_000
    logs.about(structlog.get_logger().info, "nobody", [])
    assert len(_logged(stream)) == len(lines)


def test_people_are_told_of_the_first_few() -> None:
    stream = io.StringIO()
    logs.configure_logging("info", "console", stream)
    logs.about(structlog.get_logger().info, "deliveries_accepted", [f"d-{number}" for number in range(20)])
    assert "'d-4', 'and 15 more']" in stream.getvalue()


def test_what_is_below_the_level_is_dropped_from_both_roads() -> None:
    stream = io.StringIO()
    logs.configure_logging("warning", "json", stream)
    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger().warning("loud")
    logging.getLogger("library").warning("loud")
    assert [line["event"] for line in _logged(stream)] == ["loud", "loud"]


def test_the_standard_library_goes_the_same_road_with_its_logger_and_its_traceback() -> None:
    stream = io.StringIO()
    logs.configure_logging("info", "json", stream)
    try:
        _fail("gone")
    except RuntimeError:
        logging.getLogger("some.library").exception("failed %d times", 3)
    (line,) = _logged(stream)
    assert (line["event"], line["level"], line["logger"]) == ("failed 3 times", "error", "some.library")
    assert line["exception"].endswith("RuntimeError: gone")


def test_a_line_that_cannot_be_put_together_is_named_without_its_arguments() -> None:
    stream = io.StringIO()
    logs.configure_logging("info", "json", stream)
    record = logging.LogRecord("library", logging.WARNING, __file__, 1, "%d", (SECRET,), None)
    logs._Forward().handle(record)
    (line,) = _logged(stream)
    assert (line["event"], line["logger"], line["error"]) == ("log_line_lost", "library", "TypeError")
    assert SECRET not in stream.getvalue()


def test_configuring_twice_prints_a_line_once() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.configure_logging("info", "json", first)
    logs.configure_logging("info", "json", second)
    logging.getLogger("library").warning("once")
    assert (first.getvalue(), len(_logged(second))) == ("", 1)


@dataclasses.dataclass
class _Holder:
    secret: str


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_nothing_secret_is_printed_even_where_somebody_logs_the_wrong_thing(log_format: Any) -> None:
    stream = io.StringIO()
    logs.configure_logging("debug", log_format, stream)
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
    logs.configure_logging("info", "json", stream)
    structlog.get_logger().info("odd", big=2**70, half="\ud800", path=Path("/a"), error=OSError("full"))
    (line,) = _logged(stream)
    assert (line["big"], line["half"], line["path"], line["error"]) == (2**70, "\ud800", "/a", "full")


def test_a_closed_stream_does_not_stop_the_work() -> None:
    stream = io.StringIO()
    logs.configure_logging("info", "json", stream)
    stream.close()
    structlog.get_logger().info("nobody_listens")


def test_the_console_obeys_nothing_that_came_from_outside() -> None:
    stream = io.StringIO()
    logs.configure_logging("info", "console", stream)
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
    logs.configure_logging("info", None, coloured)
    structlog.get_logger().info("seen")
    monkeypatch.setenv("NO_COLOR", "1")
    logs.configure_logging("info", None, plain)
    structlog.get_logger().info("seen")
    assert "\x1b[" in coloured.getvalue()
    assert "\x1b[" not in plain.getvalue()
    assert "seen" in plain.getvalue()
