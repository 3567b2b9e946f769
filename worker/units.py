"""What one batch is made of: each event of each delivery with what its source read, ready for the database."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

import msgspec

from handlers.connections import Connection
from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery, Event, Unmapped
from handlers.sources import Source, inflated
from handlers.store.deliveries import body_digest
from handlers.store.retries import RowId
from worker import telemetry
from worker.queue import Undecodable

UNKNOWN_CONNECTION = "unknown"
UNDECODABLE = "undecodable"
"""Verdict of what the queue held and this version could not read: its body is the queue's message, not a request's."""
PAUSE = timedelta(seconds=30)
"""How often a paused connection's deliveries are looked at again."""


class PutOff(msgspec.Struct, frozen=True):
    """What is worked on later: a failure is an attempt, anything else is not.

    Attributes:
        index: the event's place in its delivery; `WHOLE_BODY` for all of it.
        error: what failed; None where nothing did.
        wait: until when; None leaves it to the policy of retries.
        alone: it may be what ends workers, so nothing runs beside it.
    """

    index: int
    error: Exception | None = None
    wait: timedelta | None = None
    alone: bool = False


class Unit(msgspec.Struct, frozen=True):
    """One event on its way through a batch, or what stands for it.

    Attributes:
        delivery: what it came in.
        item: the event; or why there is none; None for a delivery that holds no events.
        map_fingerprint: of the map that read it.
        row: the retry row it was taken from, where it was tried before.
    """

    delivery: Delivery
    item: Event | Unmapped | PutOff | None
    map_fingerprint: str = ""
    row: RowId | None = None

    @property
    def index(self) -> int:
        """Its place in the delivery."""
        return WHOLE_BODY if self.item is None else self.item.index

    @property
    def digest(self) -> str:
        """SHA-256 of the event's own bytes, or of the body where there is no event."""
        return self.item.digest if isinstance(self.item, Event | Unmapped) else body_digest(self.delivery.body)


class Connections(Protocol):
    """What of the registry is asked here."""

    def get(self, connection_id: str, /) -> Connection | None:
        """The connection of that id; None where nobody registered it."""

    def refresh(self) -> bool:
        """Reads the registry again; says whether it changed."""


class Reader:
    """Reads deliveries by their connection's source.

    Args:
        connections: the registry.
        sources: every source by name.
        max_body_bytes: greatest size of a body once it is inflated.
    """

    def __init__(self, connections: Connections, sources: Mapping[str, Source], *, max_body_bytes: int) -> None:
        self._connections = connections
        self._sources = sources
        self._max_body_bytes = max_body_bytes
        self._fingerprints: dict[str, tuple[Connection, str]] = {}

    def units(self, delivery: Delivery | Undecodable, now: datetime, row: RowId | None = None) -> Iterator[Unit]:
        """The units of a delivery; a delivery without events is one empty unit, so that it is archived."""
        if isinstance(delivery, Undecodable):
            yield _undecodable(delivery, now)
            return
        connection = self._connections.get(delivery.connection_id)
        if connection is None:
            # Each role reads the registry in its own second: the receiver may have known a new connection before us.
            self._connections.refresh()
            connection = self._connections.get(delivery.connection_id)
        if connection is None:
            error = PermanentError("unknown_connection", "no connection of that id is registered; add it, then replay")
            yield Unit(delivery, Unmapped(WHOLE_BODY, body_digest(delivery.body), error), row=row)
        elif connection.paused:
            yield Unit(delivery, PutOff(WHOLE_BODY, wait=PAUSE), row=row)
        else:
            yield from self._read(delivery, connection, row)

    def _read(self, delivery: Delivery, connection: Connection, row: RowId | None) -> Iterator[Unit]:
        fingerprint = self._fingerprint(connection)
        try:
            body = inflated(delivery, self._max_body_bytes)
            source = self._sources[connection.source]
            items = [body] if isinstance(body, Unmapped) else source.read(body, connection.options)
        except Exception as error:  # noqa: BLE001  # a source's bug must cost neither the batch nor the delivery
            yield Unit(delivery, PutOff(WHOLE_BODY, error), fingerprint, row)
            return
        if not items:
            yield Unit(delivery, None, fingerprint, row)
        for item in items:
            yield Unit(delivery, item, fingerprint, row)

    def _fingerprint(self, connection: Connection) -> str:
        """What read the event: our version, the source and the connection's options, as twelve digits."""
        known = self._fingerprints.get(connection.id)
        if known is not None and known[0] is connection:
            return known[1]
        read_by = (telemetry.version(), connection.source, connection.options)
        fingerprint = sha256(msgspec.msgpack.encode(read_by)).hexdigest()[:12]
        self._fingerprints[connection.id] = (connection, fingerprint)
        return fingerprint


def _undecodable(queued: Undecodable, now: datetime) -> Unit:
    """A message that this version cannot read is archived under an id made of its bytes, so that a repeat is one."""
    digest = body_digest(queued.raw)
    delivery = Delivery(
        delivery_id=f"undecodable-{digest[:32]}",
        connection_id=queued.connection_id or UNKNOWN_CONNECTION,
        received_at=now,
        body=queued.raw,
        verdict=UNDECODABLE,
    )
    error = PermanentError(
        "undecodable_message", f"the queue's message cannot be read by this version: {queued.reason}"
    )
    return Unit(delivery, Unmapped(WHOLE_BODY, digest, error))
