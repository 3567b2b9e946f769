"""Which broker, and its middleware in order, a reason a line."""

import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import dramatiq
import structlog
from dramatiq.worker import Worker

from worker.message_span import MessageSpan
from worker.queue import BATCH_ACTOR, ROWS_ACTOR, decode, decode_row, encode_row
from worker.signals import cut_short
from worker.streams import StreamsBroker
from worker.streams_consumer import Lane, StreamMessage
from worker.streams_leases import LEASE
from worker.streams_server import AGAIN, HEAVY, LIVE
from worker.telemetry import QUEUE_WAIT, WORKER_THREADS, WORKER_THREADS_BUSY

LANES = {
    # Two, so that the next batch is there when one ends; more would only wait here instead of where others can take it.
    # Small batches are taken up to as many as there are threads: they are committed together (`worker.joint`).
    LIVE: Lane(BATCH_ACTOR, prefetch=2, entries=24, decode=decode, counted=True),
    # One: a connection with a long backlog takes its turn, it does not fill the worker's queue.
    HEAVY: Lane(BATCH_ACTOR, prefetch=1, entries=24, decode=decode, counted=True),
    AGAIN: Lane(ROWS_ACTOR, prefetch=1, entries=1, decode=decode_row, encode=encode_row),
}

SHUTDOWN = timedelta(seconds=25)
"""How long a batch under way may take to end at shutdown; below the 30 s that supervisors commonly leave."""

RECONNECT_SECONDS = 1.0
"""Between a consumer's attempts at a broker that is away. Dramatiq's own 3 s come on top of the lease that passes after
each reconnection before anything is taken over; work of the killed is to be taken up within 20 s in all."""


class LetGoAtShutdown(dramatiq.Middleware):
    """Tells whoever holds a message, waiting for the store to come back, that the process is about to end."""

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: Worker) -> None:
        """Runs before the worker waits for its threads."""
        del worker
        assert isinstance(broker, StreamsBroker)
        broker.stopping.set()


class MessageContext(dramatiq.Middleware):
    """Puts lane, entry and deliveries on every log line while a message is worked on, and counts the thread as busy.

    How long it waited is by two clocks, the broker's and ours.
    """

    def __init__(self) -> None:
        self._waits = {lane: QUEUE_WAIT.labels(lane) for lane in LANES}

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        """Runs in the thread that works on it."""
        del broker
        WORKER_THREADS_BUSY.inc()
        self._waits[message.queue_name].observe(max(0.0, time.time() - message.message_timestamp / 1000))
        assert isinstance(message, StreamMessage)
        some = message.envelope.some_ids
        structlog.contextvars.bind_contextvars(lane=message.queue_name, entry=message.message_id, delivery_ids=some)

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        """Runs in the same thread, however it ended."""
        del broker, message, result, exception
        WORKER_THREADS_BUSY.dec()
        structlog.contextvars.unbind_contextvars("lane", "entry", "delivery_ids")


def make_broker(url: str, *, lease: timedelta = LEASE, middleware: Sequence[dramatiq.Middleware] = ()) -> StreamsBroker:
    """The broker with everything that a worker's messages pass through.

    Dramatiq's own middleware stays out: TimeLimit and Retries bypass one another, AgeLimit drops what must not be
    dropped, Callbacks and Pipelines follow options that our messages do not have, and its Prometheus miscounts.

    Args:
        url: `redis://`, `rediss://` or `unix://`.
        lease: how long a silent worker keeps a message.
        middleware: a role's own, innermost.
    """
    stack: list[dramatiq.Middleware] = [
        LetGoAtShutdown(),  # first to hear of a shutdown, so that nobody waits for a store that is away
        MessageContext(),  # around everything that may log
        MessageSpan(),  # inside, so that the span ends before the thread counts as idle
        *middleware,
    ]
    return StreamsBroker(url, lanes=LANES, middleware=stack, lease=lease)


def run_worker(
    broker: StreamsBroker,
    *,
    threads: int,
    shutdown: timedelta = SHUTDOWN,
    on_stop: Callable[[], None] = lambda: None,
) -> None:
    """Works until SIGTERM or SIGINT, then ends what is under way and gives the rest back. For the main thread.

    A second signal ends the process at once.

    Args:
        broker: with its actors declared.
        threads: messages worked on at once.
        shutdown: how long that ending may take; what is not done by then is taken over by others later.
        on_stop: called when the signal has come.
    """
    stopping = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the threads start, which inherit it: the signal then waits for this thread to ask for it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    dramatiq.worker.CONSUMER_RESTART_DELAY_SECS = RECONNECT_SECONDS  # its variable is read when it is imported
    worker = Worker(broker, worker_threads=threads)
    try:
        worker.start()
        WORKER_THREADS.set(threads)
        signal.sigwait(stopping)
        on_stop()
        threading.Thread(target=lambda: cut_short(signal.sigwait(stopping)), name="second-signal", daemon=True).start()
        worker.stop(timeout=int(shutdown.total_seconds() * 1000))
    finally:
        broker.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
