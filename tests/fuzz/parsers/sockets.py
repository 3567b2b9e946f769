"""Whole HTTP requests as raw bytes, on real sockets of a real receiver with a real broker behind it."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.mutations import EVERYTHING, damaged
from tests.fuzz.parser import Ends, Feed, Parser
from tests.fuzz.parsers.sources import hostile_body
from tests.receiver.harness import ImpatientProtocol, makini, receiver, write_connections
from tests.receiver.test_mutations import NAMES, REFUSALS, mutated, signed_request
from tests.servers import valkey_server

SIGNED_AT = 1_772_352_000
"""When the stamped ones were signed: long ago, so that a run can be repeated bit by bit."""
ACCEPTED = 200
FLUSHED_EVERY = 2_000
"""Requests after which the broker is emptied: what was accepted is not what is looked for here."""

_ANSWERS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [^\r\n]*\r\n")


class Wire(NamedTuple):
    """What is written, by parts, before our direction is closed."""

    parts: tuple[bytes, ...]


def _request(chance: random.Random) -> Wire:
    way = chance.random()
    if way < 0.5:
        raw = mutated(signed_request(chance.choice(list(NAMES)), SIGNED_AT).raw, chance)
    elif way < 0.8:
        raw = _bodied(chance)
    else:
        raw = damaged(signed_request("acme", SIGNED_AT).raw * chance.choice([1, 2, 5]), chance, EVERYTHING)
    at = chance.randrange(len(raw) + 1)
    return Wire((raw,) if chance.random() < 0.7 else (raw[:at], raw[at:]))


def _bodied(chance: random.Random) -> bytes:
    """A well signed request with any body, by length or in chunks; of the head some lines are damaged."""
    body = hostile_body(chance)
    lines = [b"POST /webhooks/acme HTTP/1.1", b"Host: x", b"X-Webhook-Signature: " + makini(body).encode()]
    if chance.random() < 0.5:
        framed = body
        lines.append(b"Content-Length: %d" % len(body))
    else:
        at = chance.randrange(len(body) + 1)
        framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:at], body[at:]) if part) + b"0\r\n\r\n"
        lines.append(b"Transfer-Encoding: chunked")
    if chance.random() < 0.4:
        place = chance.randrange(len(lines))
        lines[place] = damaged(lines[place], chance)
    return b"\r\n".join(lines) + b"\r\n\r\n" + framed


@contextmanager
def _receiver(folder: Path) -> Iterator[Feed]:
    write_connections(folder / "connections.toml", **{name: {"scheme": scheme} for name, scheme in NAMES.items()})
    count = 0
    with valkey_server() as broker, receiver(folder, broker.url, protocol=ImpatientProtocol, min_free_bytes=0) as to:

        def feed(wire: Wire) -> Ends:
            nonlocal count
            count += 1
            if count % FLUSHED_EVERY == 0:
                with broker.client() as client:
                    client.flushall()
            try:
                told = to.raw(*wire.parts, end=True)
            except ConnectionResetError:
                # It wrote on after a request that it had said was its last, and has its answer.
                return {"reset": 1}
            answers = [int(status) for status in _ANSWERS.findall(told)]
            assert answers or not b"".join(wire.parts).strip(b"\r\n"), "no answer"
            unforeseen = [status for status in answers if status not in {ACCEPTED, *REFUSALS}]
            assert unforeseen == [], unforeseen
            return Counter(map(str, answers)) or {"nothing": 1}

        yield feed


PARSERS = (Parser("HTTP", 100, _request, _receiver),)
