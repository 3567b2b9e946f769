"""The consuming end of a lane, as Dramatiq's worker drives it.

One consumer thread iterates it; worker threads call `ack` and `nack`, each on connections of the pool. After any
error the worker closes it, waits and makes a new one for the same lane: what must outlive it is in `Holdings`.
"""

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, TypeAlias

import dramatiq
import structlog
from dramatiq.errors import BrokerConnectionError

from worker.scripts import LEAVE, OPEN, RECLAIM, TAKE_OVER
from worker.streams_leases import Envelope, Holdings
from worker.streams_server import ANSWER_SECONDS, GROUP, RETURNED, closing_on_error, connect, stream

MOST_OWN = 1000
"""Entries of our own read again at a start: far more than a prefetch, so none is left."""

LOOKS_PER_LEASE = 5
MOST_SECONDS_BETWEEN_LOOKS = 1.0
"""How often a consumer looks for what others gave back or lost; a look that finds nothing writes nothing."""

GONE_LEASES = 50
"""A consumer with nothing pending that has not been heard of for so many leases (10 minutes) is forgotten."""

Fields: TypeAlias = Iterable[tuple[bytes, bytes]]

_log = structlog.stdlib.get_logger(__name__)


class Lane(NamedTuple):
    """How the entries of a lane are read.

    Attributes:
        actor_name: which actor runs them.
        prefetch: how much is in this process's hands at most, those being worked on included, in full batches.
        entries: in how many entries that may come; a lane of small batches is read many at a time.
        decode: field value and connection id (what follows the colon in the field's name) → item; never raises.
        encode: the reverse, for lanes that `Broker.enqueue` writes; None where only the producer does.
        counted: whether its bytes are backlog of their connections.
    """

    actor_name: str
    prefetch: int
    entries: int
    decode: Callable[[bytes, str], object]
    encode: Callable[[Any], bytes] | None = None
    counted: bool = False


class StreamMessage(dramatiq.MessageProxy):
    """Dramatiq's view of an envelope; its one argument is the envelope, which prints none of its items."""

    def __init__(self, envelope: Envelope, actor_name: str) -> None:
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=envelope.lane,
            actor_name=actor_name,
            args=(envelope,),
            kwargs={},
            options={},
            message_id=envelope.entry_id,
            message_timestamp=int(envelope.enqueued_at.timestamp() * 1000),
        )
        super().__init__(message)
        self.envelope = envelope


class StreamsConsumer(dramatiq.Consumer):
    """Entries of one lane: our own of before first, then what was given back or lost by others, then new ones."""

    def __init__(
        self,
        url: str,
        name: str,
        lane: str,
        about: Lane,
        *,
        holdings: Holdings,
        settle: Callable[[Envelope], None],
        give_back: Callable[[Sequence[Envelope]], None],
        on_failure: Callable[[BrokerConnectionError], None],
        lease: timedelta,
        block: timedelta,
    ) -> None:
        self._name = name
        self._lane = lane
        self._about = about
        self._holdings = holdings
        self._settle = settle
        self._give_back = give_back
        self._on_failure = on_failure
        self._lease_ms = int(lease.total_seconds() * 1000)
        self._block_ms = int(block.total_seconds() * 1000)
        self._cache: deque[Envelope] = deque()
        self._look_seconds = min(MOST_SECONDS_BETWEEN_LOOKS, lease.total_seconds() / LOOKS_PER_LEASE)
        self._next_look = time.monotonic()
        # After an outage every lease looks run out, and their holders need a moment to renew them.
        self._no_takeover_before = time.monotonic() + lease.total_seconds()
        with closing_on_error():
            self._client = connect(url, seconds=block.total_seconds() + ANSWER_SECONDS, single=True)
            self._script(OPEN, self._lease_ms * GONE_LEASES, name, RETURNED)
            self._keep(self._script(RECLAIM, name, name, MOST_OWN, *holdings.known(lane)))

    def __next__(self) -> StreamMessage | None:
        """The next entry; None when none came within the worker's time-out."""
        if not self._cache:
            room = self._holdings.room(self._lane, self._about.prefetch, self._about.entries, self._block_ms / 1000)
            if room:
                self._try_to_fill(room)
        return StreamMessage(self._cache.popleft(), self._about.actor_name) if self._cache else None

    def ack(self, message: dramatiq.MessageProxy) -> None:
        """Ends an entry that was committed; any other is given back where the actor said so, else let go."""
        envelope = _envelope(message)
        if envelope.committed:
            self._settle(envelope)
        elif envelope.given_back:
            self._give_back([envelope])
        else:
            told = {"lane": self._lane, "entry": envelope.entry_id, "lease_lost": envelope.lease_lost}
            _log.warning("message_let_go", **told, delivery_ids=envelope.some_ids)
            self._holdings.let_go(envelope)

    def nack(self, message: dramatiq.MessageProxy) -> None:
        """The same as `ack`: what became of the work decides, not what Dramatiq thinks of it."""
        self.ack(message)

    def requeue(self, messages: Iterable[dramatiq.MessageProxy]) -> None:
        """Gives back what the worker's queue still held at shutdown, uncounted."""
        self._give_back([_envelope(message) for message in messages])

    def close(self) -> None:
        """Gives back what was not handed out yet, and leaves the group if nothing of ours is pending in it."""
        cached, self._cache = list(self._cache), deque()
        with contextlib.suppress(BrokerConnectionError):
            self._give_back(cached)
        with contextlib.suppress(BrokerConnectionError), closing_on_error():
            self._script(LEAVE, self._name)
        self._client.close()

    def _try_to_fill(self, room: int) -> None:
        try:
            with closing_on_error():
                self._fill(room)
        except BrokerConnectionError as error:
            self._on_failure(error)
            raise

    def _fill(self, room: int) -> None:
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + self._look_seconds
            self._keep(self._script(RECLAIM, self._name, RETURNED, room))
            room -= len(self._cache)
            if room and now >= self._no_takeover_before:
                held = [envelope.entry_id for envelope in self._holdings.held(self._lane)]
                self._keep(self._script(TAKE_OVER, self._name, self._lease_ms, room, *held))
        if not self._cache:
            self._read(room)

    def _read(self, room: int) -> None:
        key = stream(self._lane)
        found: Any = self._client.xreadgroup(GROUP, self._name, {key: ">"}, count=room, block=self._block_ms)
        for _, entries in found or ():
            for entry_id, fields in entries:
                self._hold(entry_id, 1, fields.items())

    def _keep(self, taken: Iterable[tuple[bytes, int, Sequence[bytes]]]) -> None:
        for entry_id, times_delivered, flat in taken:
            self._hold(entry_id, times_delivered, zip(flat[::2], flat[1::2], strict=True))

    def _hold(self, entry_id: bytes, times_delivered: int, fields: Fields) -> None:
        items: list[object] = []
        sizes: dict[bytes, int] = {}
        for name, value in fields:
            _, _, connection = name.partition(b":")
            items.append(self._about.decode(value, connection.decode(errors="replace")))
            if self._about.counted:
                sizes[connection] = sizes.get(connection, 0) + len(value)
        envelope = Envelope(self._lane, entry_id.decode(), items, sizes, times_delivered)
        self._holdings.hold(envelope)
        self._cache.append(envelope)

    def _script(self, text: str, *arguments: str | int) -> Any:
        return self._client.register_script(text)(keys=[stream(self._lane)], args=[GROUP, *arguments])


def _envelope(message: dramatiq.MessageProxy) -> Envelope:
    assert isinstance(message, StreamMessage), "only a consumer's own messages come back to it"
    return message.envelope
