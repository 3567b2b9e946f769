"""What is written down of refused requests, and how much of it, whatever strangers do."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from structlog.testing import capture_logs

from handlers.errors import TransientError
from receiver.rejections import NOTED_OF_ALL, NOTED_OF_ONE, Rejections, names_of
from tests.receiver.harness import Running, head, receiver, write_connections
from tests.servers import BrokerServer
from tests.worker.brokers import until
from worker.queue import Producer, Rejection, rejections
from worker.rejections import KEPT

BODY = b'{"note": "only-in-the-body"}'
NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def rejection(number: int = 0) -> Rejection:
    return Rejection(NOW + timedelta(seconds=number), "wrong_signature", 401, 2, ("host", "x-webhook-signature"))


class Kept:
    """Stands in the broker's place, for what is about time and failure."""

    def __init__(self) -> None:
        self.calls: list[dict[str, list[Rejection]]] = []
        self.failing: Exception | None = None
        self.called = asyncio.Event()

    async def __call__(self, found: Mapping[str, Sequence[Rejection]]) -> None:
        self.called.set()
        if self.failing is not None:
            raise self.failing
        self.calls.append({name: list(each) for name, each in found.items()})


def test_a_refusal_is_listed_with_time_reason_status_size_and_the_names_of_its_headers(
    running: Running, valkey: BrokerServer
) -> None:
    before = datetime.now(UTC)
    assert running.post("acme", BODY, x_webhook_signature="ab" * 32, authorization="Bearer t0k").status == 401
    until(lambda: bool(rejections(valkey.url, "acme")), "the refusal")
    (found,) = rejections(valkey.url, "acme")
    assert before <= found.time <= datetime.now(UTC)
    assert (found.reason, found.status, found.size) == ("wrong_signature", 401, len(BODY))
    assert set(found.header_names) >= {"host", "content-length", "x-webhook-signature", "authorization"}
    with valkey.client() as client:
        written = repr(client.lrange("maintenworks:rejections:acme", 0, -1))
    assert "x-webhook-signature" in written
    assert not [mark for mark in ("only-in-the-body", "ab" * 32, "t0k") if mark in written]


def test_every_kind_of_refusal_is_listed_under_its_own_connection(running: Running, valkey: BrokerServer) -> None:
    declared = head("acme", b"", "Content-Length: 9000000000")
    chunk = b"%x\r\n%b\r\n" % (600_000, bytes(600_000))
    chunked = head("acme", b"", "Transfer-Encoding: chunked") + chunk + chunk
    for request in (declared, chunked):
        assert b" 413 " in running.raw(request)
    for name in ("revoked", "nobody", "no%2Fbody", "unresolved"):
        running.post(name, BODY)
    until(lambda: len(rejections(valkey.url, "unknown")) == 2, "the refusals of strangers")
    until(lambda: len(rejections(valkey.url, "unresolved")) == 1, "the refusal without a secret")

    assert [(each.reason, each.size) for each in rejections(valkey.url, "acme")] == [
        ("body_too_large", None),
        ("body_too_large", 9_000_000_000),
    ]
    assert [(each.reason, each.status) for each in rejections(valkey.url, "revoked")] == [("revoked", 401)]
    assert [(each.reason, each.status) for each in rejections(valkey.url, "unresolved")] == [("secret_unresolved", 503)]
    with valkey.client() as client:
        lists = set(client.keys("maintenworks:rejections:*"))
    names = ("acme", "revoked", "unknown", "unresolved")
    assert lists == {f"maintenworks:rejections:{name}".encode() for name in names}


def test_the_last_hundred_are_kept_the_newest_first(valkey: BrokerServer) -> None:
    async def keep() -> None:
        producer = Producer(valkey.url, backlog_limit_bytes=1)
        await producer.open()
        for start in range(0, 150, 50):
            await producer.keep_rejections({"acme": [rejection(number) for number in range(start, start + 50)]})
        await producer.close()

    asyncio.run(keep())
    assert list(rejections(valkey.url, "acme")) == [rejection(number) for number in range(149, 149 - KEPT, -1)]


def test_of_a_flood_a_few_are_written_in_the_log_and_the_broker_and_the_others_are_counted() -> None:
    kept = Kept()

    async def flood() -> list[bool]:
        noted = Rejections(kept)
        shown = [noted.note("unknown", rejection(number)) for number in range(1000)]
        shown.append(noted.note("acme", rejection()))
        await noted.write()
        shown.append(noted.note("unknown", rejection()))
        return shown

    with capture_logs() as lines:
        shown = asyncio.run(flood())

    assert sum(shown[:1000]) == NOTED_OF_ONE
    assert shown[1000:] == [True, True]
    assert {name: len(each) for name, each in kept.calls[0].items()} == {"unknown": NOTED_OF_ONE, "acme": 1}
    told = [(line["event"], line["connection"], line["count"]) for line in lines]
    assert told == [("refusals_passed_over", "unknown", 1000 - NOTED_OF_ONE)]


def test_many_connections_together_write_no_more_than_their_share_either() -> None:
    noted = Rejections(Kept())
    shown = [noted.note(f"c{number % 100}", rejection()) for number in range(1000)]
    assert sum(shown) == NOTED_OF_ALL


def test_what_cannot_be_written_is_dropped_and_nothing_piles_up() -> None:
    kept = Kept()
    kept.failing = TransientError("broker_unavailable", "gone")
    room = True

    async def journey() -> None:
        nonlocal room
        noted = Rejections(kept, may_write=lambda: room)
        noted.note("acme", rejection(1))
        await noted.write()
        kept.failing = None
        room = False
        noted.note("acme", rejection(2))
        await noted.write()
        room = True
        noted.note("acme", rejection(3))
        await noted.write()
        await noted.write()

    asyncio.run(journey())
    assert kept.calls == [{"acme": [rejection(3)]}]


def test_an_error_of_any_kind_ends_neither_the_writing_nor_the_receiver() -> None:
    kept = Kept()
    kept.failing = RuntimeError("a bug")

    async def journey() -> None:
        noted = Rejections(kept, period_seconds=0.01)
        async with noted.running():
            noted.note("acme", rejection(1))
            await kept.called.wait()
            kept.failing = None
            noted.note("acme", rejection(2))

    with capture_logs() as lines:
        asyncio.run(journey())
    assert kept.calls == [{"acme": [rejection(2)]}]
    assert [line["event"] for line in lines] == ["rejections_not_written"]


def test_a_receiver_that_ends_writes_down_its_last_refusals(tmp_path: Path, valkey: BrokerServer) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with receiver(tmp_path, valkey.url) as found:
        assert found.post("acme", BODY, x_webhook_signature="0" * 64).status == 401
    assert [each.reason for each in rejections(valkey.url, "acme")] == ["wrong_signature"]


def test_of_a_disk_that_is_full_nothing_is_taken_for_refusals(tmp_path: Path, valkey: BrokerServer) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with receiver(tmp_path, valkey.url, min_free_bytes=1 << 60) as found:
        assert found.post("acme", BODY).status == 503
    assert rejections(valkey.url, "acme") == []


def test_names_of_headers_are_bounded_in_number_and_length() -> None:
    assert names_of(["x" * 1000]) == ("x" * 64,)
    assert len(names_of([f"x-{number}" for number in range(100)])) == 50
