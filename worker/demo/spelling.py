"""How the simulated systems spell events, and what they get wrong."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from worker.demo.told import BEGIN, Told

BUNDLE: Final = 8
"""Events in one delivery, at most, of a system that bundles."""


class Outgoing(NamedTuple):
    """One POST to be.

    Attributes:
        body: its bytes.
        message_id: of the delivery, the same each time that it is sent.
        digests: SHA-256 of each event's own bytes, by which `events` and `dead_letters` know it.
        forged: it is to be signed with a secret that is not the connection's.
    """

    body: bytes
    message_id: str
    digests: tuple[str, ...]
    forged: bool = False


def plain(told: Told, event_id: str) -> dict[str, Any]:
    """Our own format, with an id."""
    return {"id": event_id, "type": told.type, "occurred_at": _time(told.at), "data": told.data}


def nameless(told: Told, event_id: str) -> dict[str, Any]:
    """Our own format without an id: the delivery's header has one for all that are in it."""
    return {"type": told.type, "occurred_at": _time(told.at), "data": {**told.data, "note": event_id}}


def cloud_event(told: Told, event_id: str) -> dict[str, Any]:
    """CloudEvents 1.0, structured; the key is the subject."""
    data = {name: value for name, value in told.data.items() if name != "key"}
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "/demo",
        "type": f"com.example.{told.type}",
        "time": _time(told.at),
        "subject": told.data["key"],
        "data": data,
    }


class Spelling(NamedTuple):
    """How a system spells.

    Attributes:
        element: the JSON object of an event.
        bundles: whether it sends several in an array.
    """

    element: Callable[[Told, str], dict[str, Any]]
    bundles: bool = False


SPELLINGS: Final[Mapping[str, Spelling]] = MappingProxyType(
    {"plain": Spelling(plain), "bundled": Spelling(nameless, bundles=True), "cloud": Spelling(cloud_event)}
)


def spelled(spelling: Spelling, told: Sequence[Told], prefix: str) -> list[bytes]:
    """The bytes of each event."""
    return [orjson.dumps(spelling.element(each, f"{prefix}-{place}")) for place, each in enumerate(told)]


def unheard_of(spelling: Spelling, place: int, prefix: str) -> bytes:
    """An event of a type that nothing handles."""
    told = Told(BEGIN, "shift.handed_over", {"key": f"SHIFT-{place}"})
    return orjson.dumps(spelling.element(told, f"{prefix}-shift-{place}"))


def unreadable(spelling: Spelling, place: int, prefix: str) -> bytes:
    """An event that no one can map: it does not say when."""
    spelt = spelling.element(Told(BEGIN, "work_order.completed", {"key": f"WO-{place}"}), f"{prefix}-bad-{place}")
    return orjson.dumps({name: value for name, value in spelt.items() if name not in {"occurred_at", "time"}})


def broken(place: int) -> Outgoing:
    """A body that was cut off, and signed as it was."""
    body = b'{"type": "work_order.completed", "occurred_at": "2025-01-01T00:00:00Z", "data": {"key": "WO-%d' % place
    return Outgoing(body, f"broken-{place}", (sha256(body).hexdigest(),))


def forged(asset: str, place: int) -> Outgoing:
    """A stranger says that an asset is down; whoever believed it would get the figures wrong."""
    told = Told(BEGIN, "asset.status_changed", {"key": asset, "status": "down"})
    body = orjson.dumps(plain(told, f"forged-{place}"))
    return Outgoing(body, f"forged-{place}", (sha256(body).hexdigest(),), forged=True)


def deliveries(elements: Sequence[bytes], *, bundles: bool, prefix: str, dice: random.Random) -> Iterator[Outgoing]:
    """Puts events into bodies, in their order."""
    at = 0
    while at < len(elements):
        count = dice.randint(1, BUNDLE) if bundles else 1
        inside = elements[at : at + count]
        body = b"[" + b",".join(inside) + b"]" if bundles else inside[0]
        yield Outgoing(body, f"{prefix}-msg-{at}", tuple(sha256(each).hexdigest() for each in inside))
        at += count


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
