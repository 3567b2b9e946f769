"""What stands in the broker: the wire form of deliveries, and of the ids that a ring carries."""

import random

from handlers.events import Delivery
from tests.fuzz.mutations import damaged
from tests.fuzz.parser import READ, REFUSED, Ends, Parser, pure
from tests.fuzz.parsers.sources import IDS, RECEIVED, bodies
from worker.queue import Undecodable, decode, decode_row, encode, encode_row


def message(chance: random.Random) -> bytes:
    """A queued delivery, damaged; its version byte seldom, or nothing behind that would ever be read."""
    raw = encode(Delivery("d-1", "acme", RECEIVED, chance.choice(bodies())[:300], chance.choice(IDS)))
    return raw[:1] + damaged(raw[1:], chance) if chance.random() < 0.9 else damaged(raw, chance)


def _row(chance: random.Random) -> bytes:
    return damaged(encode_row((chance.choice(["d-1", "", "é"]), chance.choice([-1, 0, 999, 2**63 - 1]))), chance)


def _feed_message(raw: bytes) -> Ends:
    found = decode(raw, "acme")
    if isinstance(found, Undecodable):
        assert found.raw == raw
        return REFUSED
    assert decode(encode(found)) == found
    return READ


def _feed_row(raw: bytes) -> Ends:
    return REFUSED if isinstance(decode_row(raw), Undecodable) else READ


PARSERS = (
    Parser("queue", 100, message, pure(_feed_message)),
    Parser("ring", 40, _row, pure(_feed_row)),
)
