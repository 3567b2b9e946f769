"""Log lines: one stream, one form, and nothing in them that must not be there.

A JSON line has the field names of the Elastic Common Schema, flat, dots in the names (its logging libraries write them
so): `@timestamp`, `log.level`, `message` (the constant that says what happened), `service.name`, `trace.id`,
`error.type`; what is ours alone is below `maintenworks.`. A line about deliveries lists them in
`maintenworks.delivery_ids`, so that what happened to one is one search by its id.

Redaction is by not logging: nobody hands a body, a signature or a secret to a logger. As a second line, a value that
is no plain one (bytes, a delivery, a setting) is printed as its type alone, and a foreign library's queue message as
its id. Events are constants in the past tense with fields: `log.info("delivery_refused", connection=…)`.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TextIO

import orjson
import structlog

from worker.identity import service_name, version
from worker.tracing import ids_of, spans

ECS_VERSION: Final = "8.11.0"
"""Of the Elastic Common Schema whose names these are (elastic.co/guide/en/ecs, read 2026-11-24)."""
IDS_A_LINE = 200
"""Delivery ids in one line: 8 kB of them. Docker cuts a line at 16 kB, journald at 48 kB."""
IDS_FOR_PEOPLE = 5
"""On a terminal."""


def printable(text: str) -> str:
    """The text without anything that a terminal obeys: control characters are spelt out, line ends and tabs stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


class _Sink:
    """Writes whole lines to a stream and never fails: a full disk or a closed pipe must not stop the work."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def msg(self, line: str) -> None:
        with self._lock:
            try:
                self._stream.write(line + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                return

    debug = info = warning = error = critical = msg


class _Forward(logging.Handler):
    """Hands what libraries say through the standard library to structlog, so that there is one road and one form."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        try:
            log.log(record.levelno, _message(record), logger=record.name, exc_info=record.exc_info or None)
        except Exception as error:  # noqa: BLE001  # logging must not raise, and its own report prints the arguments
            log.error("log_line_lost", logger=record.name, error=type(error).__name__)  # noqa: TRY400  # the arguments again


def _message(record: logging.LogRecord) -> str:
    """The record's text; a queue message among its arguments would print its own, which are bodies."""
    if not isinstance(record.args, tuple):
        return record.getMessage()
    return str(record.msg) % tuple(getattr(each, "message_id", each) for each in record.args)


def _unknown_value(value: object) -> str:
    """What stands for a value that JSON has no form for: its text where that is harmless, else its type alone."""
    if isinstance(value, os.PathLike | Exception):
        return str(value)
    return f"<{type(value).__name__}>"


def _to_json(fields: dict[str, Any], **_: object) -> str:
    try:
        return orjson.dumps(fields, default=_unknown_value, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    except TypeError:  # an integer past 64 bits, half a surrogate pair, a key that is no string
        return json.dumps({str(name): value for name, value in fields.items()}, default=_unknown_value)


ECS: Final = {
    "timestamp": "@timestamp",
    "level": "log.level",
    "event": "message",
    "logger": "log.logger",
    "error": "error.type",
    "exception": "error.stack_trace",
    "traceback": "error.stack_trace",
    "trace_id": "trace.id",
    "span_id": "span.id",
}
"""Our fields that the schema has a name for."""


def about(tell: Callable[..., object], event: str, delivery_ids: Sequence[str], **fields: object) -> None:
    """Tells something of deliveries, each named; of many in several lines, each with how many there were in all.

    Args:
        tell: a logger's method.
        event: what happened to them.
        delivery_ids: to which.
        fields: what else there is to say.
    """
    for begin in range(0, len(delivery_ids), IDS_A_LINE):
        some = list(delivery_ids[begin : begin + IDS_A_LINE])
        tell(event, deliveries=len(delivery_ids), **fields, delivery_ids=some)


# Libraries that print what must not be printed, or too much of it, below these levels.
_FLOORS = {
    "sqlalchemy": logging.WARNING,  # statements with their parameters, among them bodies
    "httpx": logging.WARNING,  # addresses, which may carry a token
    "httpcore": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "dramatiq": logging.INFO,  # every message twice
    "opentelemetry.exporter": logging.ERROR,  # each try; what is given up in the end is an error
    "urllib3": logging.WARNING,  # every request of that
    "requests": logging.WARNING,
    "alembic": logging.WARNING,  # which database it is, at each look at the schema's version
}


def _with_trace(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Where this process traces: the span that the line was written in, else the trace of the delivery it names."""
    tracing = spans()
    if tracing is None:
        return fields
    ids = tracing.current()
    named = fields.get("delivery_ids")
    if ids is not None:
        return {**fields, "trace_id": ids.trace_text, "span_id": ids.span_text}
    if isinstance(named, list) and len(named) == 1:
        return {**fields, "trace_id": ids_of(named[0]).trace_text}
    return fields


def _for_people(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What the JSON line would say, no more, and nothing in it that a terminal obeys."""
    plain: dict[str, Any] = json.loads(_to_json(dict(fields)))
    named = plain.get("delivery_ids")
    if isinstance(named, list) and len(named) > IDS_FOR_PEOPLE:
        plain["delivery_ids"] = [*named[:IDS_FOR_PEOPLE], f"and {len(named) - IDS_FOR_PEOPLE} more"]
    return {**plain, **{name: printable(plain[name]) for name in ("event", "exception") if name in plain}}


def configure_logging(
    level: Literal["debug", "info", "warning", "error"] = "info",
    log_format: Literal["json", "console"] | None = None,
    stream: TextIO | None = None,
    *,
    role: str | None = None,
) -> None:
    """Sends every log line of this process, the standard library's too, to one stream.

    A line carries the time (RFC 3339, UTC), its level, what happened, who says it, what is bound by
    `structlog.contextvars.bound_contextvars` (a message's entry and its first deliveries), then its own fields.

    Args:
        level: what is below it is dropped.
        log_format: one JSON object a line, or coloured text; None decides by whether the stream is a terminal.
        stream: standard error unless given.
        role: stands on every line, since the roles of `up` share a stream.
    """
    stream = sys.stderr if stream is None else stream
    terminal = stream.isatty()
    if (log_format or ("console" if terminal else "json")) == "console":
        colors = terminal and not os.environ.get("NO_COLOR")
        # Its other formatters print local variables, and those are bodies and secrets.
        plain = structlog.dev.plain_traceback
        render: list[structlog.typing.Processor] = [
            _for_people,
            structlog.dev.ConsoleRenderer(colors=colors, repr_native_str=True, exception_formatter=plain),
        ]
    else:
        said_by: dict[str, object] = {"ecs.version": ECS_VERSION, "service.name": service_name(role)}
        said_by |= {"service.version": version(), "process.pid": os.getpid()}

        def in_ecs(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
            head = {ECS[name]: fields.pop(name) for name in ("timestamp", "level", "event")}
            return {**head, **said_by, **{ECS.get(name, f"maintenworks.{name}"): fields[name] for name in fields}}

        render = [in_ecs, structlog.processors.JSONRenderer(serializer=_to_json)]
    sink = _Sink(stream)

    def in_order(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
        head = {name: fields.pop(name) for name in ("timestamp", "level", "event")}
        return {**head, **fields} if role is None else {**head, "role": role, **fields}

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _with_trace,
            in_order,
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: sink,
        cache_logger_on_first_use=False,
    )
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, _Forward)] + [_Forward()]
    root.setLevel(threshold)
    for name, floor in _FLOORS.items():
        logging.getLogger(name).setLevel(max(floor, threshold))
