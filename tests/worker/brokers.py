"""What the broker's tests share: deliveries, a producer in one call, a worker with a dispatcher that records."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from dramatiq.worker import Worker

from handlers.errors import TransientError
from handlers.events import Delivery
from worker.actors import RowId, declare
from worker.broker import LANES, make_broker
from worker.queue import Producer, Refusal, Undecodable, encode
from worker.streams import StreamsBroker
from worker.streams_consumer import StreamMessage, StreamsConsumer
from worker.streams_leases import Envelope

LEASE = timedelta(seconds=1)
MARK = 1024 * 1024 * 1024
PATIENCE_SECONDS = 90.0
"""After this a test gives up; nothing takes nearly as long."""


def until(condition: Callable[[], bool], what: str) -> None:
    """Waits for something to come true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.01)


def delivery(number: int = 0, *, connection: str = "acme", body: bytes = b"{}") -> Delivery:
    """A delivery whose id says its number."""
    return Delivery(f"d-{number}", connection, datetime(2026, 3, 1, 8, tzinfo=UTC), body, {"user-agent": "upstream"})


def enqueue(url: str, *deliveries: Delivery, mark: int = MARK, heavy_bytes: int = MARK) -> list[Refusal | None]:
    """Enqueues one batch."""
    return enqueue_raw(url, *((each.connection_id, encode(each)) for each in deliveries), mark=mark, heavy=heavy_bytes)


def enqueue_raw(url: str, *batch: tuple[str, bytes], mark: int = MARK, heavy: int = MARK) -> list[Refusal | None]:
    """Enqueues one batch of whatever bytes."""

    async def run() -> list[Refusal | None]:
        producer = Producer(url, backlog_limit_bytes=mark, heavy_bytes=heavy)
        await producer.open()
        try:
            return await producer.enqueue(batch)
        finally:
            await producer.close()

    return asyncio.run(run())


@contextmanager
def process_with_broker(url: str, lease: timedelta = LEASE) -> Iterator[StreamsBroker]:
    """A broker as one worker process has it, without a worker: the test drives the consumers, two of `live` at once."""
    broker = StreamsBroker(url, lanes={**LANES, "live": LANES["live"]._replace(entries=2)}, middleware=[], lease=lease)
    try:
        yield broker
    finally:
        broker.close()


@contextmanager
def consuming(broker: StreamsBroker, lane: str = "live") -> Iterator[StreamsConsumer]:
    """A consumer that waits at most 50 ms for an entry."""
    consumer = broker.consume(lane, timeout=50)
    try:
        yield consumer
    finally:
        consumer.close()


def take(consumer: StreamsConsumer) -> StreamMessage:
    """The next message, which must come."""
    taken: list[StreamMessage] = []

    def came() -> bool:
        message = next(consumer)
        if message is not None:
            taken.append(message)
        return message is not None

    until(came, "a message")
    return taken[0]


class Recorder:
    """A dispatcher that notes what it is given, and first does what the test says."""

    def __init__(self, first: Callable[[Envelope], None] = lambda _: None) -> None:
        self._first = first
        self._lock = threading.Lock()
        self.tried = 0
        self.batches: list[list[Delivery | Undecodable]] = []
        self.envelopes: list[Envelope] = []
        self.rows: list[list[RowId]] = []
        self.rings: list[int] = []

    def process(self, deliveries: Sequence[Delivery | Undecodable], envelope: Envelope) -> None:
        """Notes a batch, unless the test's part raises."""
        with self._lock:
            self.tried += 1
        self._first(envelope)
        with self._lock:
            self.batches.append(list(deliveries))
            self.envelopes.append(envelope)

    def process_rows(self, ids: Sequence[RowId], times_delivered: int) -> None:
        """Notes retry rows, and how often their ring was delivered."""
        self.rows.append(list(ids))
        self.rings.append(times_delivered)

    @property
    def numbers(self) -> list[str]:
        """Ids of all deliveries committed, sorted."""
        return sorted(each.delivery_id for batch in self.batches for each in batch if isinstance(each, Delivery))


class Store:
    """A store that is away until the test brings it back."""

    def __init__(self) -> None:
        self.back = threading.Event()

    def __call__(self, envelope: Envelope) -> None:
        """Raises while it is away."""
        del envelope
        if not self.back.is_set():
            raise TransientError("database_unavailable", "away")


@contextmanager
def working(url: str, dispatcher: Recorder, *, threads: int = 2, lease: timedelta = LEASE) -> Iterator[StreamsBroker]:
    """A running worker, as in a process of its own."""
    broker = make_broker(url, lease=lease)
    declare(broker, dispatcher)
    worker = Worker(broker, worker_threads=threads, worker_timeout=50)
    worker.start()
    try:
        yield broker
    finally:
        worker.stop(timeout=int(1000 * PATIENCE_SECONDS))
        broker.close()
