"""What reaches us through a socket and is no proper, timely request."""

import random
import socket
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from receiver import app
from receiver.group_commit import GroupCommit
from receiver.protocol import BoundedProtocol, Limits
from tests.receiver.harness import (
    ANSWER_SECONDS,
    Running,
    head,
    received,
    receiver,
    status_of,
    write_connections,
)
from tests.receiver.test_webhooks import counts
from tests.servers import BrokerServer

BODY = b'{"id": 1}'
LENGTH = f"Content-Length: {len(BODY)}"
WHOLE = head("acme", BODY, LENGTH) + BODY
LAST = head("acme", BODY, LENGTH, "Connection: close") + BODY


def statuses(answer: bytes) -> list[int]:
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def one_refusal(answer: bytes, status: int, slug: str) -> None:
    """The connection carried this one answer, a problem, and was closed after it."""
    top, _, body = answer.partition(b"\r\n\r\n")
    assert statuses(answer) == [status]
    assert b"\r\nconnection: close" in top
    assert b"\r\ncontent-type: application/problem+json" in top
    assert b'"type":"%s"' % slug.encode() in body


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"POST /webhooks/acme HTTP/9.9\r\n\r\n",
        b"POST /web hooks HTTP/1.1\r\n\r\n",
        b"POST /webhooks/\xc3\xa9 HTTP/1.1\r\n\r\n",
        b"POST http://host HTTP/1.1\r\n\r\n",
        b"CONNECT host:443 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /webhooks/acme HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnothing\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nBad Header: x\r\n\r\n",
        b"POST /webhooks/acme HTTP/1.1\r\nX: a\x00b\r\n\r\n",
    ],
)
def test_what_is_not_http_is_400(running: Running, garbage: bytes) -> None:
    with counts("unknown", "bad_request"):
        one_refusal(running.raw(garbage), 400, "bad_request")


@pytest.mark.parametrize("sent", [b"POST /webhooks/acme HT", WHOLE[:-1], WHOLE.partition(b"\r\n\r\n")[0]])
def test_an_unfinished_request_is_400(running: Running, sent: bytes) -> None:
    one_refusal(running.raw(sent, end=True), 400, "bad_request")


def test_who_says_nothing_and_leaves_gets_nothing(running: Running) -> None:
    assert running.raw(b"", end=True) == b""


def test_who_closed_only_their_own_direction_gets_the_answer(running: Running) -> None:
    assert statuses(running.raw(WHOLE, end=True)) == [200]
    assert statuses(running.raw(WHOLE + WHOLE, end=True)) == [200, 200]
    assert statuses(running.raw(WHOLE + b"}", end=True)) == [200, 400]
    assert statuses(running.raw(WHOLE + WHOLE + WHOLE[:-1], end=True)) == [200, 200, 400]
    assert statuses(running.raw(LAST + b"note", end=True)) == [200]


def test_a_hundred_header_fields_pass_and_one_more_is_431(running: Running) -> None:
    three = ["Connection: close", LENGTH]
    fields = [f"X-{n}: y" for n in range(100 - 2 - len(three))]
    assert statuses(running.raw(head("acme", BODY, *three, *fields), BODY)) == [200]
    with counts("unknown", "headers_too_large"):
        one_refusal(running.raw(head("acme", BODY, *three, *fields, "X-Last: y")), 431, "headers_too_large")


def test_headers_of_64_kib_pass_and_larger_ones_are_431_whole_or_by_parts(running: Running) -> None:
    under = head("acme", BODY, LENGTH, "Connection: close", f"X: {'y' * 65000}")
    assert statuses(running.raw(under, BODY)) == [200]
    over = head("acme", BODY, LENGTH, "Connection: close", f"X: {'y' * 66000}")
    one_refusal(running.raw(over), 431, "headers_too_large")
    one_refusal(running.raw(over[:30000], over[30000:60000], over[60000:]), 431, "headers_too_large")
    one_refusal(running.raw(b"POST /" + b"x" * 70000), 431, "headers_too_large")
    endless = b"POST /webhooks/acme HTTP/1.1\r\nX: " + b"y" * 70000
    one_refusal(running.raw(endless), 431, "headers_too_large")


def test_many_trailers_are_431_and_a_trailer_is_no_header(running: Running) -> None:
    unsigned = head("acme", BODY, "Transfer-Encoding: chunked", "Connection: close", signature="x")
    signature = head("acme", BODY).partition(b"X-Webhook-Signature: ")[2].partition(b"\r\n")[0]
    trailer = b"9\r\n%s\r\n0\r\nX-Webhook-Signature: %s\r\n\r\n" % (BODY, signature)
    assert statuses(running.raw(unsigned, trailer)) == [401]
    signed = head("acme", BODY, "Transfer-Encoding: chunked", "Connection: close")
    many = b"".join(b"X-%d: y\r\n" % n for n in range(101))
    one_refusal(running.raw(signed, b"9\r\n%s\r\n0\r\n" % BODY, many, b"\r\n"), 431, "headers_too_large")


@pytest.mark.parametrize("begun", [b"0\r\nX: ", b"0\r\n", b"9;"])
def test_a_trailer_or_an_extension_without_end_is_431(running: Running, begun: bytes) -> None:
    """The parser joins all that it has of a field at every read: 60 MB of one, unsigned, held everybody up for 30 s."""
    signed = head("acme", BODY, "Transfer-Encoding: chunked", "Connection: close")
    endless = [b"y" * 40_000] * 12  # more than one read takes
    one_refusal(running.raw(signed, b"9\r\n%s\r\n" % BODY, begun, *endless), 431, "headers_too_large")


def test_a_long_body_of_many_chunks_is_no_trailer(running: Running) -> None:
    body = b"[" + b" " * 200_000 + b"]"
    signed = head("acme", body, "Transfer-Encoding: chunked", "Connection: close")
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:150_000], body[150_000:])]
    assert statuses(running.raw(signed, *chunks, b"0\r\n\r\n")) == [200]


@pytest.mark.parametrize("begun", [b"", b"\r\n", b"PO", b"POST /webhooks/acme HTTP/1.1\r\nHost: x\r\n"])
def test_slow_headers_are_408(impatient: Running, begun: bytes) -> None:
    with counts("unknown", "request_timeout"):
        one_refusal(impatient.raw(begun), 408, "request_timeout")


@pytest.mark.parametrize("begun", [b"", BODY[:3]])
def test_a_slow_body_is_408(impatient: Running, begun: bytes) -> None:
    with counts("unknown", "request_timeout"):
        one_refusal(impatient.raw(head("acme", BODY, LENGTH), begun), 408, "request_timeout")


def test_a_slow_chunked_body_is_408(impatient: Running) -> None:
    begun = head("acme", BODY, "Transfer-Encoding: chunked")
    one_refusal(impatient.raw(begun, b"3\r\nabc\r\n"), 408, "request_timeout")


def test_a_kept_connection_is_patient_between_requests_and_impatient_within_the_next(impatient: Running) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=ANSWER_SECONDS) as client:
        for _ in range(3):
            client.sendall(WHOLE)
            assert status_of(client.recv(65536)) == 200
        client.settimeout(2.0)  # twice the patience for headers
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(ANSWER_SECONDS)
        client.sendall(b"POST /webh")
        one_refusal(received(client), 408, "request_timeout")


def test_requests_in_one_write_are_answered_in_order(running: Running) -> None:
    assert statuses(running.raw(WHOLE + b"GET /livez HTTP/1.1\r\n\r\n" + WHOLE + LAST)) == [200] * 4


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([WHOLE + b"garbage\r\n\r\n"], [200, 400]),
        ([WHOLE + WHOLE + b"garbage\r\n\r\n"], [200, 200, 400]),
        ([WHOLE + head("acme", BODY, LENGTH)], [200, 408]),
        ([WHOLE + WHOLE + head("acme", BODY, LENGTH) + b"x"], [200, 200, 408]),
        ([WHOLE + b"POST /x HTTP/1.1\r\n"], [200, 408]),
        ([WHOLE + WHOLE + head("acme", BODY, "Transfer-Encoding: chunked") + b"x\r\n"], [200, 200, 400]),
    ],
)
def test_a_refusal_comes_after_the_answers_owed(
    impatient: Running, sent: Sequence[bytes], expected: Sequence[int]
) -> None:
    assert statuses(impatient.raw(*sent)) == expected


@pytest.mark.parametrize("body", [b"", BODY])
def test_a_wish_for_another_protocol_is_ignored_and_the_body_is_read(running: Running, body: bytes) -> None:
    wish = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAA")
    asked = head("acme", body, f"Content-Length: {len(body)}", *wish) + body
    assert statuses(running.raw(asked + asked + LAST)) == [200, 200, 200]
    assert statuses(running.raw(asked[:40], asked[40:-2], asked[-2:], LAST)) == [200, 200]


def test_who_is_refused_may_finish_sending_and_is_not_cut_off(running: Running) -> None:
    large = b"x" * (8 * 1024 * 1024)
    with socket.create_connection(("127.0.0.1", running.port), timeout=ANSWER_SECONDS) as client:
        client.sendall(head("acme", b"", f"Content-Length: {len(large)}"))
        one_refusal(received(client), 413, "body_too_large")
        client.sendall(large)  # would fail, had the other side closed on unread bytes


def test_a_body_that_stops_after_its_answer_ends_the_connection(impatient: Running) -> None:
    unread = b"PUT /webhooks/acme HTTP/1.1\r\nContent-Length: 50\r\n\r\nshort"
    assert statuses(impatient.raw(unread)) == [405]


def test_the_clock_of_a_body_does_not_run_while_we_are_not_reading(
    tmp_path: Path, own_valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a body that has to wait for the answer before it, then it has all its time once that is out."""
    monkeypatch.setattr(app, "GroupCommit", lambda enqueue, **_: GroupCommit(enqueue, wait_seconds=ANSWER_SECONDS))

    class Protocol(BoundedProtocol):
        limits = Limits(body_seconds=0.2)

    write_connections(tmp_path / "connections.toml", acme={})
    patient = timedelta(seconds=ANSWER_SECONDS)
    with (
        receiver(tmp_path, own_valkey.url, protocol=Protocol, wait=patient) as found,
        own_valkey.client() as client,
        socket.create_connection(("127.0.0.1", found.port), timeout=ANSWER_SECONDS) as sender,
    ):
        client.client_pause(int(1000 * ANSWER_SECONDS), all=False)
        sender.sendall(WHOLE + LAST[:-2])
        time.sleep(5 * Protocol.limits.body_seconds)  # so long a body may not take, if its clock runs
        Protocol.limits = Limits()
        client.client_unpause()
        assert status_of(sender.recv(65536)) == 200
        sender.sendall(LAST[-2:])
        assert statuses(received(sender)) == [200]


def test_a_client_that_goes_away_in_the_middle_harms_nobody(running: Running) -> None:
    for begun in (WHOLE[:20], WHOLE[:-2]):
        with socket.create_connection(("127.0.0.1", running.port)) as client:
            client.sendall(begun)
    assert running.post("acme").status == 200


def test_random_bytes_get_one_refusal(running: Running) -> None:
    chance = random.Random(7)
    for _ in range(50):
        answer = running.raw(b"!" + chance.randbytes(chance.randrange(1, 2000)), end=True)
        one_refusal(answer, 400, "bad_request")
