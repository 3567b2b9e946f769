"""Random damage to signed requests: accepted only where the signed bytes and a signature are what they were."""

import base64
import random
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from handlers.events import Delivery
from handlers.signatures import scheme, sign
from tests.fuzz.mutations import BYTEWISE
from tests.receiver.harness import SECRET, Running, status_of
from tests.servers import BrokerServer
from tests.sizes import size
from worker.queue import decode
from worker.streams_server import stream

BODY = b'{"id": "evt-7", "type": "work_order.completed", "data": {"key": "W-1", "note": "\xc3\xbc"}}'
REFUSALS = {400, 401, 404, 405, 408, 413, 431}
NAMES = {"acme": "makini", "octocat": "github", "stripe": "stripe", "standard": "standard-webhooks"}
METHODS = [b"GET", b"PUT", b"HEAD", b"OPTIONS", b"DELETE", b"PATCH", b"TRACE", b"CONNECT", b"BREW", b""]


class Request(NamedTuple):
    """A signed request, whole.

    Attributes:
        name: of its connection.
        raw: as it is sent.
        signed: what must still stand in it, decoded, for its signature to be the same: the digest, and the id and
            time that were signed with the body.
    """

    name: str
    raw: bytes
    signed: tuple[bytes, ...]


def signed_request(name: str, now: float) -> Request:
    """A request to the connection of that name (`NAMES`), signed at `now` (Unix seconds)."""
    headers = sign(scheme(NAMES[name]), SECRET.encode(), BODY, now=now, message_id="msg_2KWPBgLlAfxdpx2AI54pPJ85f4W")
    lines = [
        f"POST /webhooks/{name} HTTP/1.1",
        "Host: localhost",
        "User-Agent: upstream/1.0",
        "Content-Type: application/json",
        *(f"{field}: {value}" for field, value in headers.items()),
        f"Content-Length: {len(BODY)}",
        "Connection: close",
    ]
    raw = "\r\n".join(lines).encode() + b"\r\n\r\n" + BODY
    values = " ".join(value for field, value in headers.items() if "signature" in field or "hmac" in field)
    digests = [bytes.fromhex(each) for each in re.findall(r"[0-9a-f]{64}", values)]
    digests += [base64.b64decode(each) for each in re.findall(r"[A-Za-z0-9+/]{43}=", values)]
    assert len(digests) == 1
    rest = [headers[field].encode() for field in ("webhook-id", "webhook-timestamp") if field in headers]
    rest += [each.encode() for each in re.findall(r"t=\d+", values)]
    return Request(name, raw, (*digests, *rest))


def _stands(part: bytes, raw: bytes) -> bool:
    """Whether a signed part is in the request, whatever the letters that spell a digest."""
    if part in raw:
        return True
    spelt = [bytes.fromhex(each.decode()) for each in re.findall(rb"(?=([0-9a-fA-F]{64}))", raw)]
    spelt += [base64.b64decode(each + b"=") for each in re.findall(rb"(?=([A-Za-z0-9+/]{43}))", raw)]
    return part in spelt


def _swap_lines(raw: bytearray, _: int, chance: random.Random) -> None:
    head, gap, body = bytes(raw).partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    chance.shuffle(fields)
    raw[:] = b"\r\n".join([first, *fields]) + gap + body


def _change_method(raw: bytearray, _: int, chance: random.Random) -> None:
    raw[:4] = chance.choice(METHODS)


def _change_path(raw: bytearray, _: int, chance: random.Random) -> None:
    name = chance.choice([*NAMES, "nobody", "", "a/b", "%00", "x" * 3000]).encode()
    raw[5 : max(5, raw.find(b" HTTP"))] = (
        chance.choice([b"/webhooks/", b"/", b"/livez/", b"//webhooks/", b"webhooks/"]) + name
    )


MUTATIONS: list[Callable[[bytearray, int, random.Random], None]] = [
    *(BYTEWISE * 4),
    _swap_lines,
    _change_method,
    _change_path,
]


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """A request, damaged in one to three places."""
    found = bytearray(raw)
    for _ in range(chance.choice([1, 1, 1, 1, 2, 3])):
        parts = (0, raw.index(b"\r\n"), raw.index(b"\r\n\r\n"), len(raw))
        part = chance.randrange(3)  # the first line, the header fields and the body equally often
        at = min(chance.randrange(parts[part], parts[part + 1]), len(found) - 1)
        chance.choice(MUTATIONS)(found, at, chance)
    return bytes(found)


def test_only_an_unharmed_signature_over_unharmed_bytes_is_accepted(running: Running, valkey: BrokerServer) -> None:
    chance = random.Random(size(2, 20))
    seen: dict[int, int] = {}
    for _ in range(size(1_000, 10_000)):
        request = signed_request(chance.choice(list(NAMES)), time.time())
        raw = mutated(request.raw, chance)
        answer = running.raw(raw, end=True)
        assert answer, raw
        status = status_of(answer)
        seen[status] = seen.get(status, 0) + 1
        if status != 200:
            assert status in REFUSALS, raw
            continue
        delivery = _newest(valkey)
        assert delivery.body == BODY, raw
        assert NAMES[delivery.connection_id] == NAMES[request.name], raw
        assert all(_stands(part, raw) for part in request.signed), raw
    assert set(seen) >= {200, 400, 401, 404, 405}
    assert seen[200] < seen[401] + seen[400]


def _newest(valkey: BrokerServer) -> Delivery:
    with valkey.client() as client:
        entries: Any = client.xrevrange(stream("live"), count=1)
        client.flushall()
    ((_, fields),) = entries
    (raw,) = fields.values()
    delivery = decode(raw)
    assert isinstance(delivery, Delivery)
    return delivery
