"""The actors: what a message holds goes to the dispatcher; and they hold on while the store is away."""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import dramatiq
import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event, wait_random_exponential

from handlers.errors import TransientError
from handlers.events import Delivery
from worker.codes import SERVICES, labelled
from worker.queue import BATCH_ACTOR, ROWS_ACTOR, Undecodable
from worker.streams import StreamsBroker
from worker.streams_leases import Envelope
from worker.streams_server import AGAIN, HEAVY, LIVE
from worker.telemetry import BATCHES_HELD

FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0
"""Between attempts at a store that is away: doubling, with full jitter; work goes on within seconds of its return."""

RowId: TypeAlias = tuple[str, int]
"""A row of `retries`: delivery id and event index."""

_log = structlog.stdlib.get_logger(__name__)


class Dispatcher(Protocol):
    """What does the work of a message."""

    def process(self, deliveries: Sequence[Delivery | Undecodable], envelope: Envelope, /) -> None:
        """Commits all that a batch of deliveries comes to.

        Args:
            deliveries: the batch.
            envelope: of its message: how often it was delivered, and whether it is still ours.

        Raises:
            TransientError: the store is away; the same batch is tried again.
        """

    def process_rows(self, ids: Sequence[RowId], times_delivered: int, /) -> None:
        """Works on retry rows.

        Args:
            ids: the rows.
            times_delivered: how often the message that rings for them was.

        Raises:
            TransientError: the store is away; the same rows are tried again.
        """


class Actors(NamedTuple):
    """What `declare` declared."""

    process_batch: "dramatiq.Actor[[Envelope], None]"
    process_rows: "dramatiq.Actor[[Envelope], None]"


def declare(broker: StreamsBroker, dispatcher: Dispatcher) -> Actors:
    """Declares the actors on the broker; whoever starts a worker on it then works on every lane that has one."""

    def process_batch(envelope: Envelope) -> None:
        deliveries = [item for item in envelope.items if isinstance(item, Delivery | Undecodable)]
        _hold(lambda: dispatcher.process(deliveries, envelope), envelope, broker.stopping)

    def process_rows(envelope: Envelope) -> None:
        ids = [(item[0], item[1]) for item in envelope.items if isinstance(item, tuple)]
        _hold(lambda: dispatcher.process_rows(ids, envelope.times_delivered), envelope, broker.stopping)

    batch = dramatiq.actor(broker=broker, actor_name=BATCH_ACTOR, queue_name=LIVE)(process_batch)
    rows = dramatiq.actor(broker=broker, actor_name=ROWS_ACTOR, queue_name=AGAIN)(process_rows)
    broker.declare_queue(HEAVY)  # read as messages of `process_batch`
    return Actors(batch, rows)


def _hold(work: Callable[[], None], envelope: Envelope, stopping: threading.Event) -> None:
    """Does the work however often the store is away meanwhile; the lease is renewed and no attempt is counted.

    Ends without having committed when the process shuts down (the message is given back) or when the message has
    become somebody else's.
    """

    def waits(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        code = error.code if isinstance(error, TransientError) else None
        BATCHES_HELD.labels(labelled(str(code), SERVICES)).inc()
        _log.warning("message_held", error=code, attempt=state.attempt_number)

    def gives_up(state: RetryCallState) -> None:
        del state
        envelope.given_back = not envelope.lease_lost

    def done() -> None:
        work()
        envelope.committed = True

    Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=lambda _: stopping.is_set() or envelope.lease_lost,
        wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=LONGEST_WAIT_SECONDS),
        sleep=sleep_using_event(stopping),
        before_sleep=waits,
        retry_error_callback=gives_up,
    )(done)
