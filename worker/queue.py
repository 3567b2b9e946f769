"""The door to the broker: the wire form of a delivery, the receiver's producer, and what operators ask of the queue.

A delivery's wire form is one version byte, then MessagePack of `handlers.events.Delivery`; so its body, whatever its
bytes, arrives unharmed. `decode` never raises: what it cannot read it hands on as it came.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import NamedTuple, TypeVar

import dramatiq
import msgspec
import redis
from dramatiq.errors import BrokerConnectionError

from handlers.errors import TransientError
from handlers.events import Delivery
from worker.address import broker_url, kept_in, most_waiting
from worker.rejections import Rejection, rejections
from worker.scripts import STATE
from worker.streams_producer import WAIT, Producer, Refusal
from worker.streams_server import (
    AGAIN,
    GROUP,
    LANES,
    LIVE,
    MAX_BATCH,
    MAX_BATCH_BYTES,
    RETURNED,
    REVOKED,
    connect,
    stream,
    translated,
)

__all__ = [
    "BATCH_ACTOR",
    "LANES",
    "LIVE",
    "MAX_BATCH",
    "MAX_BATCH_BYTES",
    "ROWS_ACTOR",
    "WAIT",
    "LaneState",
    "Producer",
    "Refusal",
    "Rejection",
    "Undecodable",
    "admit",
    "broker_url",
    "decode",
    "decode_row",
    "encode",
    "encode_row",
    "kept_in",
    "most_waiting",
    "queue_state",
    "rejections",
    "revoke",
    "ring_rows",
]

WIRE_VERSION = b"\x01"
"""First byte of the wire form: a worker that is older than a receiver hands on what it cannot read, unharmed."""

_LONGEST_ID = 512
"""Characters; ours have 36, a connection's at most 64."""
_MOST_SECRETS = 1_000

BATCH_ACTOR = "process_batch"
ROWS_ACTOR = "process_rows"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Delivery)
_row_decoder = msgspec.msgpack.Decoder(tuple[str, int])


class Undecodable(msgspec.Struct, frozen=True, gc=False):
    """A queued delivery that this version cannot read; becomes a dead letter with its bytes.

    Attributes:
        connection_id: whose it is, as the broker's entry names it.
        raw: the wire form as it came.
        reason: why, in words; never a value of it.
    """

    connection_id: str
    raw: bytes
    reason: str


class LaneState(NamedTuple):
    """What a lane holds, in messages.

    Attributes:
        lane: `live`, `heavy`, `again` or `fetch`.
        ready: in no worker's hands.
        in_flight: in some worker's hands.
        oldest_age: of the oldest message, done or not, by the server's clock; None when it is empty.
    """

    lane: str
    ready: int
    in_flight: int
    oldest_age: timedelta | None


def encode(delivery: Delivery) -> bytes:
    """The wire form of a delivery."""
    return WIRE_VERSION + _encoder.encode(delivery)


def decode(raw: bytes, connection_id: str = "") -> Delivery | Undecodable:
    """Reads the wire form; whatever the bytes, it returns.

    Args:
        raw: what `encode` gave, or anything.
        connection_id: whose it is, for what cannot be read.
    """
    found = _read(_decoder, raw, connection_id)
    reason = _unsound(found) if isinstance(found, Delivery) else None
    return found if reason is None else Undecodable(connection_id, raw, reason)


def revoke(url: str, connection_id: str) -> None:
    """Has the broker refuse a connection's deliveries from now on.

    Raises:
        TransientError: the broker does not answer; nothing is revoked.
    """
    with _admin(url) as client:
        client.sadd(REVOKED, connection_id)


def admit(url: str, connection_id: str) -> None:
    """Takes a revocation back.

    Raises:
        TransientError: the broker does not answer.
    """
    with _admin(url) as client:
        client.srem(REVOKED, connection_id)


def queue_state(url: str) -> list[LaneState]:
    """What each lane holds.

    Raises:
        TransientError: the broker does not answer.
    """
    with _admin(url) as client:
        found = client.register_script(STATE)(keys=[stream(lane) for lane in LANES], args=[GROUP, RETURNED])
    return [
        LaneState(lane, entries - in_flight, in_flight, None if age < 0 else timedelta(milliseconds=age))
        for lane, (entries, in_flight, age) in zip(LANES, found, strict=True)
    ]


def ring_rows(broker: dramatiq.Broker, ids: Sequence[tuple[str, int]]) -> None:
    """Rings for retry rows on the lane `again`: the message is a doorbell, the rows are in the store.

    Args:
        broker: where `process_rows` is consumed.
        ids: delivery id and index of each row; they are one message, worked in one go.

    Raises:
        TransientError: the broker does not answer; whether it rang is unknown, and ringing again does no harm.
    """
    message: dramatiq.Message[None] = dramatiq.Message(
        queue_name=AGAIN, actor_name=ROWS_ACTOR, args=(ids,), kwargs={}, options={}
    )
    try:
        broker.enqueue(message)
    except BrokerConnectionError as error:
        raise TransientError("broker_unavailable", str(error)) from error


def encode_row(row: tuple[str, int]) -> bytes:
    """The wire form of a retry row's id."""
    return WIRE_VERSION + _encoder.encode(row)


def decode_row(raw: bytes, connection_id: str = "") -> tuple[str, int] | Undecodable:
    """Reads it; whatever the bytes, it returns. A ring that cannot be read is nothing to do: it is rung again."""
    return _read(_row_decoder, raw, connection_id)


def _unsound(delivery: Delivery) -> str | None:
    """Why no database would take a delivery that can be decoded; None where nothing is the matter."""
    if delivery.received_at.tzinfo is None:
        return "a time without a zone"
    if not 0 <= delivery.secret_position <= _MOST_SECRETS:
        return "a position of no secret"
    if len(delivery.delivery_id) > _LONGEST_ID or len(delivery.connection_id) > _LONGEST_ID:
        return "an id of great length"
    texts = (
        delivery.delivery_id,
        delivery.connection_id,
        delivery.verdict,
        *delivery.headers,
        *delivery.headers.values(),
    )
    return "U+0000 in a text" if any("\0" in text for text in texts) else None


_Item = TypeVar("_Item")


def _read(decoder: msgspec.msgpack.Decoder[_Item], raw: bytes, connection_id: str) -> _Item | Undecodable:
    if raw[:1] != WIRE_VERSION:
        return Undecodable(connection_id, raw, f"wire version {raw[0]}" if raw else "empty")
    try:
        return decoder.decode(memoryview(raw)[1:])
    except Exception as error:  # noqa: BLE001  # whatever it is that bytes from elsewhere provoke, they are kept
        return Undecodable(connection_id, raw, type(error).__name__)


@contextmanager
def _admin(url: str) -> Iterator[redis.Redis]:
    with translated(), connect(url) as client:
        yield client
