"""Log lines: one stream, one form, and nothing in them that must not be there.

Redaction is by not logging: nobody hands a body, a signature or a secret to a logger. As a second line, a value that
is no plain one (bytes, a delivery, a setting) is printed as its type alone, and a foreign library's queue message as
its id. Events are constants in the past tense with fields: `log.info("delivery_accepted", connection=…)`.
"""

import json
import logging
import os
import sys
import threading
from typing import Any, Literal, TextIO

import orjson
import structlog


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


# Libraries that print what must not be printed, or too much of it, below these levels.
_FLOORS = {
    "sqlalchemy": logging.WARNING,  # statements with their parameters, among them bodies
    "httpx": logging.WARNING,  # addresses, which may carry a token
    "httpcore": logging.WARNING,
    "uvicorn.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "dramatiq": logging.INFO,  # every message twice
    "alembic": logging.WARNING,  # which database it is, at each look at the schema's version
}


def _for_people(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """What the JSON line would say, no more, and nothing in it that a terminal obeys."""
    plain: dict[str, Any] = json.loads(_to_json(dict(fields)))
    return {**plain, **{name: printable(plain[name]) for name in ("event", "exception") if name in plain}}


def configure_logging(
    level: Literal["debug", "info", "warning", "error"] = "info",
    log_format: Literal["json", "console"] | None = None,
    stream: TextIO | None = None,
    *,
    role: str | None = None,
) -> None:
    """Sends every log line of this process, the standard library's too, to one stream.

    A line carries `timestamp` (RFC 3339, UTC), `level`, `event`, what is bound by
    `structlog.contextvars.bound_contextvars` (the delivery's id), then its own fields.

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
        render = [structlog.processors.JSONRenderer(serializer=_to_json)]
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
