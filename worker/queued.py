"""Finding what is still in the broker: accepted, and not processed yet."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import redis

from handlers.events import Delivery
from worker.queue import decode
from worker.streams_server import GROUP, HEAVY, LIVE, RETURNED, connect, stream, translated

ENTRIES_AT_ONCE = 4
"""A full one is 8 MiB."""
CLOCKS = timedelta(minutes=10)
"""How far the broker's clock may be from a receiver's, generously."""
MOST_FOUND = 10


class Queued(NamedTuple):
    """A delivery that waits, or is being worked on.

    Attributes:
        delivery: it.
        lane: where.
        entry: its message's id there.
        in_flight: in some worker's hands.
        times_delivered: how often its message was, each time after a worker's lease had run out; 0 while it waits.
    """

    delivery: Delivery
    lane: str
    entry: str
    in_flight: bool
    times_delivered: int


def queued(url: str, name: str, connection: str | None = None) -> Iterator[Queued]:
    """What waits under an id, oldest first and `MOST_FOUND` at most.

    A delivery's id says when it came, so that only entries of about then are read; for any other id, an event's, all of
    the backlog is: those are found whose body has it as a JSON string.

    Args:
        url: the broker's.
        name: a delivery's id, or an event's.
        connection: only of that one.

    Raises:
        TransientError: the broker does not answer.
    """
    moment = _moment(name)
    needle = name.encode() if moment is not None else b'"%s"' % name.encode(errors="replace")
    found = 0
    with translated(), connect(url) as client:
        for lane in (LIVE, HEAVY):
            for entry, raw, whose in _waiting(client, lane, moment):
                if found == MOST_FOUND:
                    return
                if needle not in raw:
                    continue
                one = decode(raw, whose)
                meant = isinstance(one, Delivery) and (one.delivery_id == name if moment else needle in one.body)
                if isinstance(one, Delivery) and meant and connection in {None, one.connection_id}:
                    found += 1
                    yield Queued(one, lane, entry, *_held(client, lane, entry))


def _moment(name: str) -> int | None:
    """When an id was made, in milliseconds since the epoch; None for what is no UUIDv7 as we write them."""
    try:
        read = uuid.UUID(name)
    except ValueError:
        return None
    return read.int >> 80 if read.version == 7 and str(read) == name else None  # noqa: PLR2004  # RFC 9562, 5.7


def _waiting(client: redis.Redis, lane: str, moment: int | None) -> Iterator[tuple[str, bytes, str]]:
    """Entry, wire form and connection of each delivery in a lane, of about a moment if one is given."""
    margin = int(CLOCKS.total_seconds() * 1000)
    start, end = ("-", "+") if moment is None else (str(max(0, moment - margin)), str(moment + margin))
    while True:
        page: Any = client.xrange(stream(lane), start, end, count=ENTRIES_AT_ONCE)
        for entry, fields in page:
            for field, raw in fields.items():
                yield entry.decode(), raw, field.partition(b":")[2].decode(errors="replace")
        if len(page) < ENTRIES_AT_ONCE:
            return
        start = f"({page[-1][0].decode()}"


def _held(client: redis.Redis, lane: str, entry: str) -> tuple[bool, int]:
    try:
        pending: Any = client.xpending_range(stream(lane), GROUP, entry, entry, 1)
    except redis.ResponseError:  # no worker has ever been there
        return False, 0
    if not pending or pending[0]["consumer"] == RETURNED.encode():
        return False, 0
    return True, pending[0]["times_delivered"]
