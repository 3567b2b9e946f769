"""The broker's server as both ends talk to it: keys, lanes, connections, and what its errors mean."""

import contextlib
from collections.abc import Iterator
from typing import Any

import dramatiq.errors
import redis
import redis.backoff
import redis.retry

from handlers.errors import TransientError

PREFIX = "maintenworks:"
BACKLOG = f"{PREFIX}backlog"
"""Hash: bytes held by connection, in the lanes of deliveries."""
BACKLOG_BYTES = f"{PREFIX}backlog_bytes"
"""Their sum."""
REVOKED = f"{PREFIX}revoked"
"""Set: ids of connections whose deliveries the enqueue refuses."""

LIVE = "live"
HEAVY = "heavy"
AGAIN = "again"
FETCH = "fetch"
LANES = (LIVE, HEAVY, AGAIN, FETCH)

MAX_BATCH = 500
MAX_BATCH_BYTES = 8 * 1024 * 1024
"""What one enqueue carries at most: more holds the server's one thread for too long."""

GROUP = "workers"
RETURNED = "returned"
"""The consumer under whose name entries given back at a shutdown wait; nobody runs under it."""

ANSWER_SECONDS = 5.0
"""How long the server may take for one command before the connection counts as dead."""


def stream(lane: str) -> str:
    """The key of a lane's stream."""
    return f"{PREFIX}lane:{lane}"


def options(url: str, *, seconds: float = ANSWER_SECONDS) -> dict[str, Any]:
    """Arguments for a client that retries nothing by itself: who retries is decided where the work is known.

    RESP2 because both redis-py 7 and 8 then give streams in the same shape.
    """
    chosen: dict[str, Any] = {
        "protocol": 2,
        "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        "socket_timeout": seconds,
        "socket_connect_timeout": ANSWER_SECONDS,
    }
    if not url.startswith("unix:"):
        chosen["socket_keepalive"] = True
    return chosen


def connect(url: str, *, seconds: float = ANSWER_SECONDS, single: bool = False) -> redis.Redis:
    """A client with replies as bytes.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        seconds: how long a reply may take, blocking included.
        single: one connection for good, for one thread; it breaks rather than silently connecting anew.
    """
    return redis.Redis.from_url(url, single_connection_client=single, **options(url, seconds=seconds))


@contextlib.contextmanager
def closing_on_error() -> Iterator[None]:
    """Turns whatever the client raises into what Dramatiq's worker knows how to wait out.

    Raises:
        dramatiq.errors.ConnectionClosed: in place of every `RedisError`, so that the worker connects again and
            repeats; any other error would end the message or the consumer.
    """
    try:
        yield
    except (redis.RedisError, OSError) as error:
        text = f"{type(error).__name__}: {error}"
        raise dramatiq.errors.ConnectionClosed(text) from error  # type: ignore[no-untyped-call]  # dramatiq's, untyped


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turns whatever the client raises into our own failure, for those who are not Dramatiq.

    Raises:
        TransientError: with the code of `code_of`.
    """
    try:
        yield
    except (redis.RedisError, OSError) as error:  # a TimeoutError is an OSError
        raise TransientError(code_of(error), f"{type(error).__name__}: {error}") from error


CLASSES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "broker_slow"),
    (redis.TimeoutError, "broker_slow"),
    (redis.OutOfMemoryError, "broker_full"),
    (redis.ReadOnlyError, "broker_read_only"),
    (redis.BusyLoadingError, "broker_loading"),
    (redis.AuthenticationError, "broker_refused"),
    (redis.exceptions.NoPermissionError, "broker_refused"),
)
"""What the client knows by class → the code of our `TransientError`."""

WORDS = {
    "MISCONF": "broker_not_durable",
    "NOREPLICAS": "broker_not_durable",
    "unauthenticated": "broker_refused",
    "-OOM": "broker_full",
    "-READONLY": "broker_read_only",
}
"""What it does not; with a dash as Redis 6.2 wraps what a command raised inside a script:
`ERR Error running script (call to f_…): @user_script:1: -OOM command not allowed`."""


def code_of(error: BaseException) -> str:
    """What an error of the client means for one who wanted to write.

    Returns:
        A slug: `broker_slow`, `broker_full`, `broker_not_durable`, `broker_read_only`, `broker_loading`,
        `broker_refused` or `broker_unavailable`.
    """
    for each in (error, error.__context__):  # on a unix socket a refused handshake is wrapped once more
        for kind, code in CLASSES:
            if isinstance(each, kind):
                return code
    return next((code for word, code in WORDS.items() if word in str(error)), "broker_unavailable")
