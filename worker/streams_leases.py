"""What this process holds of the broker's entries, and the thread that keeps those leases alive."""

import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import redis

from worker.outages import Outage
from worker.scripts import RENEW
from worker.streams_server import ANSWER_SECONDS, GROUP, MAX_BATCH, MAX_BATCH_BYTES, connect, stream

LEASE = timedelta(seconds=12)
"""How long an entry stays ours without a word from us, in the server's time: long enough for lost renewals and for a
renewal that gets no time for 10 s (a load of 10 on 2 cores, with threads that hardly let go of the interpreter, came to
9 s), short enough that work of the killed is done by others within 20 s. Who loses one while alive doubles nothing, is
told at the next renewal, and is no death: what ends workers is counted where it runs alone, by a lease of its own."""

RENEWALS_PER_LEASE = 8
ANXIOUS_RENEWALS_PER_LEASE = 24
"""After a renewal that failed: the server may be back at any moment, and leases ran on meanwhile."""

ANSWERS_PER_LEASE = 4
LEAST_ANSWER_SECONDS = 1.0
"""An answer that is lost costs a part of the lease; one that a slow disk keeps waiting is no less good."""

SOME_IDS = 20
"""Of a message's deliveries, in a log line: the entry's id names all of them."""

LATELY = 50
"""Of so many entries the fullest tells how full the next may be: until one has been seen, full ones are expected."""


@dataclass(slots=True, eq=False)
class Envelope:
    """One entry of a lane in this process's hands, as the actor gets it.

    Attributes:
        lane: `live`, `heavy`, `again` or `fetch`.
        entry_id: the entry's id in its stream, `<milliseconds>-<number>`.
        items: what the fields decoded to, in order. Never printed.
        sizes: bytes of backlog by connection, to be given back at the end.
        times_delivered: 1 the first time; 2 when it was taken over once (run it again whole), 3 when twice (isolate
            what is in it): every time a lease ran out. Neither a reconnection nor a shutdown counts.
        committed: set by the actor once the store has it; only then does an ack end the entry.
        given_back: set by the actor when it stops holding the entry because the process shuts down.
        lease_lost: set by the renewal when the entry is no longer ours: somebody else does its work now.
    """

    lane: str
    entry_id: str
    items: Sequence[object] = field(repr=False)
    sizes: Mapping[bytes, int] = field(default_factory=dict, repr=False)
    times_delivered: int = 1
    committed: bool = False
    given_back: bool = False
    lease_lost: bool = False

    @property
    def some_ids(self) -> list[str]:
        """Ids of the first deliveries in it, for whoever logs of it; what could not be decoded has none."""
        return delivery_ids(self.items[:SOME_IDS])

    @property
    def fullness(self) -> float:
        """What part of a full batch it is, by deliveries or by bytes, whichever is more."""
        return max(len(self.items) / MAX_BATCH, sum(self.sizes.values()) / MAX_BATCH_BYTES)

    @property
    def enqueued_at(self) -> datetime:
        """When the broker took it, by the server's clock (UTC, milliseconds)."""
        return datetime.fromtimestamp(int(self.entry_id.split("-", 1)[0]) / 1000, tz=UTC)


def delivery_ids(items: Sequence[object]) -> list[str]:
    """The deliveries that a lane's items are, or are rows of, each once and in order."""
    named = (item[0] if isinstance(item, tuple) else getattr(item, "delivery_id", None) for item in items)
    return list(dict.fromkeys(each for each in named if each))


class Holdings:
    """The entries this process holds, lane by lane; shared by consumers, worker threads and the renewal.

    An entry *let go* was neither committed nor given back: its renewal stops, and it is left alone until its lease
    has run out and somebody, perhaps we, takes it over, counted.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: dict[str, dict[str, Envelope]] = {}
        self._let_go: dict[str, set[str]] = {}
        self._lately: dict[str, deque[float]] = {}

    def hold(self, envelope: Envelope) -> None:
        """Takes an entry into our hands."""
        with self._changed:
            self._held.setdefault(envelope.lane, {})[envelope.entry_id] = envelope
            self._let_go.get(envelope.lane, set()).discard(envelope.entry_id)
            self._lately.setdefault(envelope.lane, deque(maxlen=LATELY)).append(envelope.fullness)

    def drop(self, envelope: Envelope) -> None:
        """It is out of our hands: ended, or given back."""
        with self._changed:
            self._held.get(envelope.lane, {}).pop(envelope.entry_id, None)
            self._changed.notify_all()

    def let_go(self, envelope: Envelope) -> None:
        """Stops renewing it and keeps away from it until its lease has run out."""
        with self._changed:
            self._let_go.setdefault(envelope.lane, set()).add(envelope.entry_id)
        self.drop(envelope)

    def held(self, lane: str) -> list[Envelope]:
        """What we hold of a lane now."""
        with self._changed:
            return list(self._held.get(lane, {}).values())

    def known(self, lane: str) -> set[str]:
        """Ids of entries held or let go: what a consumer that starts must not read again."""
        with self._changed:
            return {*self._held.get(lane, {}), *self._let_go.get(lane, set())}

    def lanes(self) -> list[str]:
        """Lanes of which we hold anything."""
        with self._changed:
            return [lane for lane, held in self._held.items() if held]

    def room(self, lane: str, prefetch: int, entries: int, seconds: float) -> int:
        """Waits until less of a lane is held than may be.

        Args:
            lane: which.
            prefetch: what may be held, in full batches.
            entries: in how many entries at most.
            seconds: how long to wait.

        Returns:
            How many more entries may be taken if each is as full as the fullest of late; 0 when `seconds` have passed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._room(lane, prefetch, entries) > 0, timeout=seconds)
            return self._room(lane, prefetch, entries)

    def _room(self, lane: str, prefetch: int, entries: int) -> int:
        held = self._held.get(lane, {})
        batches = sum(envelope.fullness for envelope in held.values())
        if batches >= prefetch or len(held) >= entries:
            return 0
        fullest = max(self._lately.get(lane, ()), default=1.0)
        fitting = int((prefetch - batches) / fullest) if fullest else entries
        # One more is always taken, or a lane would stand still over the part of a batch that is left.
        return min(entries - len(held), max(1, fitting))


class Renewal(threading.Thread):
    """Renews the leases of everything held, on a connection of its own, however busy the worker is."""

    def __init__(self, url: str, consumer: str, holdings: Holdings, lease: timedelta) -> None:
        super().__init__(name="lease-renewal", daemon=True)
        seconds = max(LEAST_ANSWER_SECONDS, lease.total_seconds() / ANSWERS_PER_LEASE)
        self._client = connect(url, seconds=min(seconds, ANSWER_SECONDS))
        self._renew: Callable[..., Collection[bytes]] = self._client.register_script(RENEW)
        self._consumer = consumer
        self._holdings = holdings
        self._seconds = lease.total_seconds()
        self._closed = threading.Event()

    def run(self) -> None:
        """Renews until closed."""
        pause = self._seconds / RENEWALS_PER_LEASE
        outage = Outage("lease_renewal_failed", "lease_renewal_resumed")
        while not self._closed.wait(pause):
            try:
                self.renew()
                outage.ended()
                pause = self._seconds / RENEWALS_PER_LEASE
            except (redis.RedisError, OSError) as error:
                outage.failed(error)
                pause = self._seconds / ANXIOUS_RENEWALS_PER_LEASE
        self._client.close()

    def renew(self) -> None:
        """Renews once, and marks what is ours no longer, unless we ended it ourselves meanwhile."""
        for lane in self._holdings.lanes():
            held = {envelope.entry_id: envelope for envelope in self._holdings.held(lane)}
            for lost in self._renew(keys=[stream(lane)], args=[GROUP, self._consumer, *held]):
                envelope = held[lost.decode()]
                envelope.lease_lost = not envelope.committed

    def close(self) -> None:
        """Ends the thread."""
        self._closed.set()
        if self.is_alive():
            self.join()
