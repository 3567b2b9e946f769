"""Signature headers of every scheme: nothing raises, and nothing verifies that was not signed."""

import random
from typing import NamedTuple

from handlers.signatures import Scheme, explain, verify
from tests.fuzz.mutations import damaged
from tests.fuzz.parser import READ, REFUSED, Ends, Parser, pure
from tests.handlers.test_signatures import NOW, TEXT_SECRET, WAYS, odd_stamps, signed

BODY = b'{"id": "evt-7", "type": "work_order.completed", "data": {"key": "W-1"}}'
OTHER_SECRET = b"another of more than 16 bytes"
TIMES = [NOW, NOW, NOW + 299, NOW + 86_400, 0.0, -1.0, 1e18, float("inf"), float("nan")]


class Sent(NamedTuple):
    """What a stranger sends, and who judges it when."""

    scheme: Scheme
    secrets: list[bytes]
    headers: dict[str, str]
    body: bytes
    now: float


def _make(chance: random.Random) -> Sent:
    way = chance.choice(sorted(WAYS))
    scheme, secret, headers = signed(way, BODY)
    sent = {**headers, "user-agent": "x"}
    for name in [name for name in headers if chance.random() < 0.7]:
        how = chance.random()
        if how < 0.1:
            del sent[name]
        elif how < 0.25:
            sent[name] = chance.choice(odd_stamps)
        elif how < 0.4:
            sent[name] = chance.choice([", ", ",", " "]).join([sent[name]] * chance.choice([2, 3, 400]))
        else:
            sent[name] = damaged(sent[name].encode("latin-1"), chance).decode("latin-1")
    body = damaged(BODY, chance) if chance.random() < 0.2 else BODY
    secrets = chance.choice([[secret], [OTHER_SECRET, secret], [TEXT_SECRET], [b""], [b"whpk_x", b"whsec_!"], []])
    return Sent(scheme, secrets, sent, body, chance.choice(TIMES))


def _feed(sent: Sent) -> Ends:
    verdict = verify(*sent)
    explained = explain(*sent)
    assert explained.verdict == verdict
    assert not verdict.ok or sent.body == BODY
    told = repr(explained)
    assert not any(secret.decode() in told for secret in sent.secrets if len(secret) > 16)
    return READ if verdict.ok else REFUSED


PARSERS = (Parser("signatures", 120, _make, pure(_feed)),)
