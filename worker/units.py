"""What one batch is made of: each event of each delivery with what its source read, ready for the database."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from handlers.connections import Connection, Endpoint
from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery, Event, Reading, Unmapped
from handlers.sources import Source, fingerprint, inflated
from handlers.store.deliveries import body_digest
from handlers.store.retries import RowId
from worker import shared
from worker.queue import Undecodable
from worker.registered import Connections, members, named

UNKNOWN_CONNECTION = "unknown"
UNDECODABLE = "undecodable"
"""Verdict of what the queue held and this version could not read: its body is the queue's message, not a request's."""
PAUSE = timedelta(seconds=30)
"""How often a paused connection's deliveries are looked at again; once it is resumed they are at once."""


class PutOff(msgspec.Struct, frozen=True):
    """What is worked on later: a failure is an attempt, anything else is not.

    Attributes:
        index: the event's place in its delivery; `WHOLE_BODY` for all of it.
        error: what failed; None where nothing did.
        wait: until when; None leaves it to the policy of retries.
        alone: it may be what ends workers, so nothing runs beside it.
        digest: SHA-256 of the event's own bytes, if it stands for one; None for the body's.
    """

    index: int
    error: Exception | None = None
    wait: timedelta | None = None
    alone: bool = False
    digest: str | None = None


class Unit(msgspec.Struct, frozen=True):
    """One event on its way through a batch, or what stands for it.

    Attributes:
        delivery: what it came in.
        item: the event; or why there is none; None for a delivery that holds no events.
        map_fingerprint: of the map that read it.
        row: the retry row it was taken from, where it was tried before.
        member: whose it is, where the delivery came to an address that several connections share.
        waits_for: the id that nobody has registered there.
    """

    delivery: Delivery
    item: Event | Unmapped | PutOff | None
    map_fingerprint: str = ""
    row: RowId | None = None
    member: str | None = None
    waits_for: str | None = None

    @property
    def connection_id(self) -> str:
        """Whose it is; the endpoint, where nobody knows."""
        return self.member or self.delivery.connection_id

    @property
    def index(self) -> int:
        """Its place in the delivery."""
        return WHOLE_BODY if self.item is None else self.item.index

    @property
    def digest(self) -> str:
        """SHA-256 of the event's own bytes, or of the body where there is no event."""
        own = None if self.item is None else self.item.digest
        return body_digest(self.delivery.body) if own is None else own


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

    def look_again(self, connection_ids: Iterable[str]) -> None:
        """Reads the registry again if it says that one of these is paused: who rang may have seen it resumed."""
        asked = set(connection_ids)
        if any(each.paused and asked & {each.id, each.endpoint} for each in self._connections.all().values()):
            self._connections.refresh()

    def units(self, delivery: Delivery | Undecodable, now: datetime, row: RowId | None = None) -> Iterator[Unit]:
        """The units of a delivery; a delivery without events is one empty unit, so that it is archived."""
        if isinstance(delivery, Undecodable):
            yield _undecodable(delivery, now)
            return
        whose = named(self._connections, delivery.connection_id)
        if isinstance(whose, Endpoint):
            yield from self._shared(delivery, whose, row)
        elif whose is None:
            error = PermanentError("unknown_connection", "no connection of that id is registered; add it, then replay")
            yield Unit(delivery, Unmapped(WHOLE_BODY, body_digest(delivery.body), error), row=row)
        elif whose.paused:
            yield Unit(delivery, PutOff(WHOLE_BODY, wait=PAUSE), row=row)
        else:
            yield from self.read(delivery, whose, row)

    def read(self, delivery: Delivery, connection: Connection, row: RowId | None = None) -> Iterator[Unit]:
        """The units of a delivery by a connection as it is, paused or not; of a shared one those that are its own."""
        endpoint = self._connections.endpoint(delivery.connection_id)
        if endpoint is not None and endpoint.id == connection.endpoint:
            yield from self._own(delivery, endpoint, connection)
            return
        read_by = self.fingerprint(connection)
        try:
            body = inflated(delivery, self._max_body_bytes)
            items = [body] if isinstance(body, Unmapped) else self._items(body, connection)
        except Exception as error:  # noqa: BLE001  # a source's bug must cost neither the batch nor the delivery
            yield Unit(delivery, PutOff(WHOLE_BODY, error), read_by, row)
            return
        if not items:
            yield Unit(delivery, None, read_by, row)
        for item in items:
            yield Unit(delivery, item, read_by, row)

    def _shared(self, delivery: Delivery, endpoint: Endpoint, row: RowId | None) -> Iterator[Unit]:
        """The units of a delivery to an endpoint, each with whose it is; one that holds nothing is one empty unit."""
        try:
            body = inflated(delivery, self._max_body_bytes)
            found = [] if isinstance(body, Unmapped) else shared.shares(endpoint.pointer, body.body)
            if isinstance(body, Unmapped):
                units = [Unit(delivery, body)]
            elif found is None:
                error = shared.unreadable(endpoint, body, self._sources)
                units = [Unit(delivery, Unmapped(WHOLE_BODY, body_digest(delivery.body), error))]
            else:
                ids = {share.external_id for share in found if share.external_id is not None}
                known = members(self._connections, endpoint.id, ids)
                units = [
                    unit for share in found for unit in self._of(delivery, share, known.get(share.external_id or ""))
                ]
        except Exception as error:  # noqa: BLE001  # as above
            units = [Unit(delivery, PutOff(WHOLE_BODY, error))]
        for unit in units or [Unit(delivery, None)]:
            yield msgspec.structs.replace(unit, row=row)

    def _own(self, delivery: Delivery, endpoint: Endpoint, connection: Connection) -> Iterator[Unit]:
        body = inflated(delivery, self._max_body_bytes)
        found = None if isinstance(body, Unmapped) else shared.shares(endpoint.pointer, body.body)
        for share in found or []:
            if share.external_id == connection.external_id:
                yield from self._read_share(delivery, share, connection)

    def _of(self, delivery: Delivery, share: shared.Share, member: Connection | None) -> Iterator[Unit]:
        """The units of one share."""
        if share.external_id is None:
            yield from (Unit(delivery, item) for item in share.buried(shared.without_id))
        elif member is None:
            waits = share.external_id
            yield from (Unit(delivery, item, waits_for=waits) for item in share.buried(shared.unknown))
        elif member.revoked:
            yield from (Unit(delivery, item, member=member.id) for item in share.buried(shared.revoked))
        elif member.paused:
            for element, digest in zip(share.elements, share.digests, strict=True):
                yield Unit(delivery, PutOff(element, wait=PAUSE, digest=digest), member=member.id)
        else:
            yield from self._read_share(delivery, share, member)

    def _read_share(self, delivery: Delivery, share: shared.Share, member: Connection) -> Iterator[Unit]:
        read_by = self.fingerprint(member)
        part = msgspec.structs.replace(delivery, connection_id=member.id, body=share.body, places=share.places)
        try:
            items = self._items(part, member)
        except Exception as error:  # noqa: BLE001  # as above: it costs nobody else's share
            for element, digest in zip(share.elements, share.digests, strict=True):
                yield Unit(delivery, PutOff(element, error, digest=digest), read_by, member=member.id)
            return
        for item in items:
            for held in share.placed(item) if isinstance(item, Unmapped) else (item,):
                yield Unit(delivery, held, read_by, member=member.id)

    def _items(self, body: Delivery, connection: Connection) -> Reading:
        return self._sources[connection.source].read(body, connection.options)

    def fingerprint(self, connection: Connection) -> str:
        """Which map reads a connection's deliveries now (`handlers.sources.fingerprint`)."""
        known = self._fingerprints.get(connection.id)
        if known is not None and known[0] is connection:
            return known[1]
        found = fingerprint(self._sources[connection.source], connection.options)
        self._fingerprints[connection.id] = (connection, found)
        return found


def bodies_read(units: Iterable[Unit]) -> set[tuple[str, str]]:
    """Connection and digest of each whole body that tells its events now: a letter of the same bytes has had its time.

    Whatever else such a body holds comes to an end of its own, in this transaction or before its message is done with.
    """
    whole = (unit for unit in units if unit.row is None or unit.row[1] == WHOLE_BODY)
    read = {unit.delivery.delivery_id: unit.delivery for unit in whole if isinstance(unit.item, Event)}
    return {(each.connection_id, body_digest(each.body)) for each in read.values()}


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
