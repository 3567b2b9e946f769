"""Our broker for Dramatiq: queues ("lanes") on Redis Streams, leases in the server's time, acks that are earned.

Dramatiq's worker runs it as it would its own `RedisBroker`. What differs, and why, is in the tests of this module;
the short of it: nothing is acked that was not committed, nothing waits in a worker's memory, a dead worker's entries
are taken over when their lease runs out, and a live worker's never are.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import dramatiq
import structlog
from dramatiq.errors import BrokerConnectionError, QueueNotFound
from tenacity import (
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_delay,
    stop_any,
    stop_when_event_set,
    wait_random_exponential,
)

from worker.outages import Outage, tell_instead_of_dramatiq
from worker.scripts import ACK, GIVE_BACK
from worker.streams_consumer import Lane, StreamsConsumer
from worker.streams_ended import consumer_name
from worker.streams_leases import LEASE, Envelope, Holdings, Renewal
from worker.streams_server import (
    BACKLOG,
    BACKLOG_BYTES,
    GROUP,
    HEAVY,
    LIVE,
    RETURNED,
    closing_on_error,
    connect,
    stream,
)

SETTLE_SECONDS = 5.0
"""How long an ack is tried again before Dramatiq's own pause of 5 s: a broker that restarts is back in 0.1 s."""

_log = structlog.stdlib.get_logger(__name__)


class StreamsBroker(dramatiq.Broker):
    """Lanes on Redis Streams.

    Attributes:
        stopping: set when the worker shuts down; whoever holds an entry for later lets go of it then.
        consumer_name: ours in every lane, unique for each process that ever ran.
    """

    def __init__(
        self,
        url: str,
        *,
        lanes: Mapping[str, Lane],
        middleware: Sequence[dramatiq.Middleware],
        lease: timedelta = LEASE,
    ) -> None:
        super().__init__(middleware=list(middleware))
        self.stopping = threading.Event()
        self.consumer_name = consumer_name()
        self._url = url
        self._lanes = dict(lanes)
        self._lease = lease
        self._client = connect(url)
        self._ack: Callable[..., int] = self._client.register_script(ACK)
        self._return: Callable[..., None] = self._client.register_script(GIVE_BACK)
        self._holdings = Holdings()
        self._renewal: Renewal | None = None
        self._starting = threading.Lock()
        self._outages: dict[str, Outage] = {}

    def declare_queue(self, queue_name: str) -> None:
        """Declares a lane; a worker started before or after consumes it.

        Raises:
            QueueNotFound: no lane of that name was given to this broker.
        """
        self._lane(queue_name)
        if queue_name not in self.queues:
            tell_instead_of_dramatiq(queue_name)
            self.emit_before("declare_queue", queue_name)
            self.queues[queue_name] = None
            self.emit_after("declare_queue", queue_name)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 30_000) -> StreamsConsumer:
        """Starts consuming a lane; the first call starts the renewal of leases.

        Args:
            queue_name: the lane.
            prefetch: ignored, the lane says; Dramatiq would ask for twice its threads in every one.
            timeout: how long one wait for an entry blocks, in milliseconds.

        Raises:
            ConnectionClosed: the server does not answer, or not as it should.
        """
        del prefetch
        lane = self._lane(queue_name)
        with self._starting:
            outage = self._outages.setdefault(queue_name, Outage("broker_away", "broker_back", lane=queue_name))
            if self._renewal is None:
                self._renewal = Renewal(self._url, self.consumer_name, self._holdings, self._lease)
                self._renewal.start()
        try:
            consumer = StreamsConsumer(
                self._url,
                self.consumer_name,
                queue_name,
                lane,
                holdings=self._holdings,
                settle=self._settle,
                give_back=self._give_back,
                on_failure=outage.failed,
                lease=self._lease,
                block=timedelta(milliseconds=timeout),
            )
        except BrokerConnectionError as error:
            outage.failed(error)
            raise
        outage.ended()
        return consumer

    def enqueue(self, message: "dramatiq.Message[Any]", *, delay: int | None = None) -> "dramatiq.Message[Any]":
        """Adds a message whose one argument is a list of items, one field each.

        Raises:
            ConnectionClosed: it may or may not have been added.
            ValueError: for a delayed message (what is due later is a row of the store), or a lane of deliveries.
        """
        encode = self._lane(message.queue_name).encode
        if delay is not None or encode is None:
            raise ValueError(f"{message.queue_name}: takes no delayed messages, and none but from its own producer")
        fields: dict[Any, Any] = {f"{number}:": encode(item) for number, item in enumerate(message.args[0])}
        if fields:
            self.emit_before("enqueue", message, delay)
            with closing_on_error():
                self._client.xadd(stream(message.queue_name), fields)
            self.emit_after("enqueue", message, delay)
        return message

    def close(self) -> None:
        """Ends the renewal and the connections; whatever is still held is taken over when its lease has run out."""
        if self._renewal is not None:
            self._renewal.close()
        self._client.close()

    def _lane(self, name: str) -> Lane:
        try:
            return self._lanes[name]
        except KeyError:
            raise QueueNotFound(name) from None  # type: ignore[no-untyped-call]  # dramatiq's, untyped

    def _settle(self, envelope: Envelope) -> None:
        """Ends a committed entry. Twice does no harm, so it is tried again; at shutdown it is left to be repeated."""
        sizes = [part for pair in envelope.sizes.items() for part in pair]
        keys = [stream(envelope.lane), stream(LIVE), stream(HEAVY), BACKLOG, BACKLOG_BYTES]
        again = Retrying(
            retry=retry_if_exception_type(BrokerConnectionError),
            stop=stop_any(stop_after_delay(SETTLE_SECONDS), stop_when_event_set(self.stopping)),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            sleep=sleep_using_event(self.stopping),
            reraise=True,
        )
        try:
            ended = again(self._run, self._ack, keys, [GROUP, self.consumer_name, envelope.entry_id, *sizes])
        except BrokerConnectionError:
            if not self.stopping.is_set():
                raise
            ended = 0
        if not ended:
            told = {"lane": envelope.lane, "entry": envelope.entry_id, "delivery_ids": envelope.some_ids}
            _log.warning("message_not_acked", **told)
        self._holdings.drop(envelope)

    def _give_back(self, envelopes: Sequence[Envelope]) -> None:
        """Lets any worker take entries at once, uncounted; where the server is away their leases run out instead."""
        for envelope in envelopes:
            self._holdings.drop(envelope)
        by_lane: dict[str, list[str]] = {}
        for envelope in envelopes:
            by_lane.setdefault(envelope.lane, []).append(envelope.entry_id)
        for lane, entry_ids in by_lane.items():
            self._run(self._return, [stream(lane)], [GROUP, self.consumer_name, RETURNED, *entry_ids])

    @staticmethod
    def _run(script: Callable[..., Any], keys: Sequence[str], arguments: Sequence[str | bytes | int]) -> Any:
        with closing_on_error():
            return script(keys=keys, args=arguments)
