"""What an event that could not be read says of itself, as far as that can be told: for filters, never for state."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from handlers.events import WHOLE_BODY, Delivery, Unmapped
from handlers.model.types import ACTIONS
from handlers.sources import inflated

INFLATED_LIMIT = 16 * 1024 * 1024
"""Bytes; of a greater body nobody needs to know."""
ARRAY = "["
KEPT_BODIES = 2
"""Bodies whose types are remembered: the letters of one delivery come one after the other."""


class _Claim(msgspec.Struct, gc=False):
    type: Any = None


_WHENEVER = datetime.min.replace(tzinfo=UTC)
_ONE = msgspec.json.Decoder(_Claim)
_MANY = msgspec.json.Decoder(list[msgspec.Raw])


def claimed_type(delivery: Delivery, index: int) -> str | None:
    """The type that an event states, named as ours where it is one of ours; None where there is none.

    Args:
        delivery: what it came in.
        index: its place there; `WHOLE_BODY` for a body that is one event, or whose events could not be told apart.
    """
    types = _types(delivery.body)
    place = 0 if index == WHOLE_BODY and len(types) == 1 else index
    return types[place] if 0 <= place < len(types) else None


@lru_cache(maxsize=KEPT_BODIES)
def _types(raw: bytes) -> tuple[str | None, ...]:
    read = inflated(Delivery("", "", _WHENEVER, raw), INFLATED_LIMIT)
    if isinstance(read, Unmapped):
        return ()
    body = read.body
    try:
        if body.lstrip()[:1] != ARRAY.encode():
            return (_type(body),)
        return tuple(_type(bytes(each)) for each in _MANY.decode(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()


def _type(raw: bytes) -> str | None:
    try:
        stated = _ONE.decode(raw).type
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(stated, str):
        return None
    ours = ".".join(stated.rsplit(".", maxsplit=2)[-2:])  # CloudEvents put a prefix before it
    return ours if ours in ACTIONS else stated
