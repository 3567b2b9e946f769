"""The rows of the contract's table, one by one, against the real application, server and broker."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from handlers.events import Delivery
from handlers.signatures import scheme, sign
from receiver.request import kept_headers
from tests.receiver.harness import SECRET, Answer, Running, head, makini, receiver, status_of, write_connections
from tests.servers import BrokerServer
from worker.queue import LANES, decode, revoke
from worker.streams_server import stream
from worker.telemetry import REGISTRY

BODY = b'{"type": "work_order.created", "\xff\xfe": 1}'


@pytest.fixture(autouse=True)
def emptied(valkey: BrokerServer) -> None:
    """The receiver is shared, the broker is empty for each test: nothing is still revoked."""
    del valkey


def kept(valkey: BrokerServer) -> list[Delivery]:
    """Every delivery in the broker, in order."""
    found = []
    with valkey.client() as client:
        for lane in LANES:
            entries: Any = client.xrange(stream(lane))
            found += [decode(raw) for _, fields in entries for raw in fields.values()]
    assert all(isinstance(each, Delivery) for each in found)
    return [each for each in found if isinstance(each, Delivery)]


def counted(connection: str, outcome: str) -> float:
    labels = {"connection": connection, "outcome": outcome}
    return REGISTRY.get_sample_value("maintenworks_webhooks_received_total", labels) or 0.0


@contextmanager
def counts(connection: str, outcome: str) -> Iterator[None]:
    """Exactly one request is counted so."""
    before = counted(connection, outcome)
    yield
    assert counted(connection, outcome) == before + 1


def unauthorized(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """All that a sender can see of a 401."""
    assert answer.problem["type"] == "unauthorized"
    return answer.status, answer.body, {name: value for name, value in answer.headers.items() if name != "date"}


def test_a_verified_delivery_is_in_the_broker_byte_for_byte_when_200_comes(
    running: Running, valkey: BrokerServer
) -> None:
    before = time.time()
    with counts("acme", "accepted"):
        answer = running.post("acme", BODY, content_type="application/json", user_agent="x" * 600, cookie="a=b")
    (delivery,) = kept(valkey)
    assert answer.status == 200
    assert json.loads(answer.body) == {"delivery_id": delivery.delivery_id}
    assert answer.headers["content-type"] == "application/json"
    assert (delivery.connection_id, delivery.body, delivery.verdict) == ("acme", BODY, "verified")
    assert before <= delivery.received_at.timestamp() <= time.time()
    assert delivery.headers == {"content-type": "application/json", "user-agent": "x" * 512}


@pytest.mark.parametrize("body", [b"", b"not JSON", b"17", b"\x1f\x8b\x08 no gzip", b'{"type": "nothing.known"}'])
def test_a_verified_body_is_kept_whatever_it_is(running: Running, valkey: BrokerServer, body: bytes) -> None:
    assert running.post("acme", body).status == 200
    assert [delivery.body for delivery in kept(valkey)] == [body]


def test_a_repeat_is_200_and_kept_again_for_the_worker_to_tell(running: Running, valkey: BrokerServer) -> None:
    answers = [running.post("acme", BODY) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    first, second = kept(valkey)
    assert first.delivery_id < second.delivery_id
    assert first.body == second.body


def test_a_paused_connection_accepts(running: Running, valkey: BrokerServer) -> None:
    assert running.post("paused").status == 200
    assert len(kept(valkey)) == 1


def test_the_secret_that_verified_is_named_by_its_position(running: Running, valkey: BrokerServer) -> None:
    old = makini(BODY, "the old secret, still valid")
    assert running.post("rotated", BODY, x_webhook_signature=old).status == 200
    assert running.post("rotated", BODY).status == 200
    assert [delivery.secret_position for delivery in kept(valkey)] == [1, 0]
    labels = {"connection": "rotated", "position": "1"}
    assert (REGISTRY.get_sample_value("maintenworks_signature_secret_used_total", labels) or 0) >= 1


def test_the_query_is_ignored_and_an_encoded_name_is_the_same_name(running: Running, valkey: BrokerServer) -> None:
    signature = makini(BODY)
    for path in ("/webhooks/acme?x=1", "/webhooks/%61cm%65"):
        assert running.request("POST", path, BODY, x_webhook_signature=signature).status == 200
    assert {delivery.connection_id for delivery in kept(valkey)} == {"acme"}


def test_headers_worth_keeping_are_kept_and_no_signature_is(running: Running, valkey: BrokerServer) -> None:
    signed = sign(scheme("standard-webhooks"), SECRET.encode(), BODY, now=time.time(), message_id="msg_1")
    given = {"CE-Type": "a", "Idempotency-Key": "k", "Authorization": "Bearer x", "X-Other": "y"}
    answer = running.request("POST", "/webhooks/standard", BODY, **signed, **given)
    assert answer.status == 200
    (delivery,) = kept(valkey)
    assert delivery.headers == {"webhook-id": "msg_1", "ce-type": "a", "idempotency-key": "k"}


def test_a_header_that_carries_a_token_is_never_kept_whatever_its_name() -> None:
    headers = {"x-request-id": "the token", "user-agent": "u"}
    assert kept_headers(headers, frozenset({"x-request-id"})) == {"user-agent": "u"}


@pytest.mark.parametrize(
    ("name", "signature", "counted_as"),
    [
        ("acme", "", ("acme", "no_signature")),
        ("acme", "g" * 64, ("acme", "malformed_signature")),
        ("acme", "0" * 64, ("acme", "wrong_signature")),
        ("revoked", makini(BODY), ("revoked", "revoked")),
        ("nobody", makini(BODY), ("unknown", "unknown_connection")),
        ("a%2Fb", makini(BODY), ("unknown", "unknown_connection")),
        ("%C3%A9", makini(BODY), ("unknown", "unknown_connection")),
        ("%FF%00", makini(BODY), ("unknown", "unknown_connection")),
        ("x" * 5000, makini(BODY), ("unknown", "unknown_connection")),
        ("..", makini(BODY), ("unknown", "unknown_connection")),
    ],
)
def test_every_reason_for_401_looks_the_same_and_is_counted_apart(
    running: Running, valkey: BrokerServer, name: str, signature: str, counted_as: tuple[str, str]
) -> None:
    with counts(*counted_as):
        answer = running.post(name, BODY, x_webhook_signature=signature)
    assert answer.headers["www-authenticate"] == 'Signature realm="webhooks"'
    assert unauthorized(answer) == unauthorized(running.post("somebody"))
    assert kept(valkey) == []


def test_a_stale_timestamp_is_401(running: Running, valkey: BrokerServer) -> None:
    signed = sign(scheme("stripe"), SECRET.encode(), BODY, now=time.time() - 301)
    with counts("stripe", "stale_timestamp"):
        assert running.request("POST", "/webhooks/stripe", BODY, **signed).status == 401
    assert kept(valkey) == []


def test_a_connection_revoked_in_the_broker_alone_is_401(running: Running, valkey: BrokerServer) -> None:
    revoke(valkey.url, "acme")
    with counts("acme", "revoked"):
        answer = running.post("acme", BODY)
    assert unauthorized(answer) == unauthorized(running.post("somebody"))
    assert kept(valkey) == []


@pytest.mark.parametrize("first", ["0" * 64, ""])
def test_signature_headers_that_repeat_are_read_as_one_list(running: Running, first: str) -> None:
    fields = (f"X-Webhook-Signature: {makini(BODY)}", f"Content-Length: {len(BODY)}", "Connection: close")
    asked = head("acme", BODY, *fields, signature=first)
    assert status_of(running.raw(asked, BODY)) == 200


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_413(running: Running, valkey: BrokerServer) -> None:
    limit = 1024 * 1024
    assert running.post("acme", bytes(limit)).status == 200
    with counts("acme", "body_too_large"):
        answer = running.post("acme", bytes(limit + 1))
    assert answer.status == 413
    assert answer.problem["type"] == "body_too_large"
    assert answer.headers["connection"] == "close"
    assert len(kept(valkey)) == 1


def test_a_declared_length_over_the_limit_is_refused_before_the_body_comes(running: Running) -> None:
    asked = head("acme", b"", "Content-Length: 99999999", "Expect: 100-continue")
    assert running.raw(asked).startswith(b"HTTP/1.1 413 ")


def test_a_chunked_body_is_refused_one_byte_over_the_limit(running: Running, valkey: BrokerServer) -> None:
    limit = 1024 * 1024
    asked = head("acme", bytes(limit), "Transfer-Encoding: chunked", "Connection: close")
    chunks = [b"%x\r\n%s\r\n" % (limit // 16, bytes(limit // 16))] * 16
    assert status_of(running.raw(asked, *chunks, b"0\r\n\r\n")) == 200
    assert len(kept(valkey)) == 1
    answer = running.raw(asked, *chunks, b"1\r\nx\r\n")
    assert status_of(answer) == 413
    assert answer.count(b"HTTP/1.1") == 1
    assert len(kept(valkey)) == 1


def test_size_is_checked_before_the_signature(running: Running) -> None:
    assert running.post("nobody", bytes(1024 * 1024 + 1), x_webhook_signature="").status == 413


def test_the_rate_is_checked_after_the_signature_and_says_when_to_come_back(
    running: Running, valkey: BrokerServer
) -> None:
    for _ in range(5):
        assert running.post("limited", x_webhook_signature="0" * 64).status == 401
    accepted = 0
    while (refused := running.post("limited")).status == 200:  # more than one, where each takes a second
        accepted += 1
    assert (accepted >= 1, refused.status) == (True, 429)
    assert refused.problem["type"] == "rate_limited"
    assert refused.headers["retry-after"] == "1"
    assert len(kept(valkey)) == accepted


def test_an_unresolved_secret_is_503_for_that_name_alone(running: Running) -> None:
    answer = running.post("unresolved")
    assert (answer.status, answer.problem["type"]) == (503, "secret_unresolved")
    assert int(answer.headers["retry-after"]) > 0
    assert running.post("acme").status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_another_method_is_405_and_says_which_is_allowed(running: Running, method: str) -> None:
    answer = running.request(method, "/webhooks/acme")
    assert answer.status == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        assert answer.problem["type"] == "method_not_allowed"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/webhooks",
        "/webhooks/",
        "/webhooks/acme/",
        "/webhooks/a/b",
        "//webhooks/acme",
        "/Webhooks/acme",
        "/%77ebhooks/acme",
        "/webhooks/../livez",
        "/livez/",
        "/metrics",
        "/docs",
    ],
)
def test_another_path_is_404_whatever_the_method_and_never_a_redirect(running: Running, path: str) -> None:
    for method in ("POST", "GET"):
        answer = running.request(method, path)
        assert answer.status == 404
        assert answer.problem["type"] == "not_found"


def test_over_the_mark_one_connection_is_429_before_all_are_503(valkey: BrokerServer, tmp_path: Path) -> None:
    names = [f"c{n}" for n in range(6)]
    write_connections(tmp_path / "connections.toml", **{name: {} for name in names})
    quarter = bytes(256 * 1024)
    with receiver(tmp_path, valkey.url, backlog_limit_bytes=1024 * 1024) as found:
        assert found.post("c0", quarter).status == 200
        share = found.post("c0", quarter)
        assert (share.status, share.problem["type"]) == (429, "over_share")
        assert int(share.headers["retry-after"]) > 0
        for name in names[1:3]:
            assert found.post(name, quarter).status == 200
        mark = found.post("c5", quarter)
        assert (mark.status, mark.problem["type"]) == (503, "backlog_full")
        assert int(mark.headers["retry-after"]) > 0
    assert len(kept(valkey)) == 3


def test_too_little_disk_is_503(valkey: BrokerServer, tmp_path: Path) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with receiver(tmp_path, valkey.url, min_free_bytes=1 << 60) as found:
        answer = found.post("acme")
        assert (answer.status, answer.problem["type"]) == (503, "disk_full")
        assert found.post("nobody").status == 401
        assert found.request("GET", "/readyz").status == 503
    assert kept(valkey) == []
