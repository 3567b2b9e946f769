"""The door to the broker: the wire form, the producer's verdicts and failures, and what operators ask."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from handlers.errors import TransientError
from handlers.events import Delivery
from tests.servers import BrokerServer, valkey_server
from tests.worker.brokers import consuming, delivery, enqueue, enqueue_raw, process_with_broker, take, until
from worker import queue
from worker.queue import MAX_BATCH, LaneState, Producer, Refusal, Undecodable, admit, decode, encode, revoke
from worker.streams_server import BACKLOG, BACKLOG_BYTES, code_of, stream

MIB = 1024 * 1024
NOWHERE = "unix:///nowhere/at-all"

Answer = TypeVar("Answer")


def ask(url: str, question: Callable[[Producer], Awaitable[Answer]], **options: Any) -> Answer:
    """What a producer of its own answers."""

    async def run() -> Answer:
        producer = Producer(url, **{"backlog_limit_bytes": MIB, **options})
        await producer.open()
        try:
            return await question(producer)
        finally:
            await producer.close()

    return asyncio.run(run())


def fields(client: redis.Redis, lane: str) -> list[dict[bytes, bytes]]:
    """What the entries of a lane hold."""
    found: Any = client.xrange(stream(lane))
    return [held for _, held in found]


def taken_and_committed(url: str, lane: str = "live") -> None:
    """Has a worker end the next message of a lane."""
    with process_with_broker(url) as broker, consuming(broker, lane) as consumer:
        message = take(consumer)
        message.envelope.committed = True
        consumer.ack(message)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=512)


@given(body=st.binary(), connection=texts, headers=st.dictionaries(texts, texts))
def test_a_delivery_comes_back_as_it_went(body: bytes, connection: str, headers: dict[str, str]) -> None:
    sent = Delivery("d-1", connection, delivery().received_at, body, headers, "edited by ann", 3)

    assert decode(encode(sent)) == sent


@given(raw=st.binary(), first=st.sampled_from([b"", b"\x01"]))
def test_reading_never_raises_and_keeps_what_it_cannot_read(raw: bytes, first: bytes) -> None:
    found = decode(first + raw, "acme")

    assert isinstance(found, Delivery) or (found.raw, found.connection_id) == (first + raw, "acme")


@given(raw=st.binary())
def test_a_row_ring_never_raises_either(raw: bytes) -> None:
    assert isinstance(queue.decode_row(b"\x01" + raw), tuple | Undecodable)


def test_a_form_of_the_future_is_told_by_its_first_byte() -> None:
    future = b"\x02" + encode(delivery())[1:]

    assert decode(future) == Undecodable("", future, "wire version 2")


def test_a_truncated_form_says_why_and_quotes_nothing() -> None:
    whole = encode(delivery(body=b"very private"))

    found = decode(whole[:-5])

    assert isinstance(found, Undecodable)
    assert found.reason == "DecodeError"


def test_a_batch_is_durable_when_the_producer_says_so(server: BrokerServer) -> None:
    assert enqueue(server.url, delivery(1), delivery(2, connection="other")) == [None, None]

    with server.client() as client:
        assert fields(client, "live") == [
            {b"0:acme": encode(delivery(1)), b"1:other": encode(delivery(2, connection="other"))}
        ]
        assert client.xlen(stream("heavy")) == 0


def test_a_producer_outlives_a_server_that_forgot_its_script(server: BrokerServer) -> None:
    async def twice(producer: Producer) -> list[list[Refusal | None]]:
        first = await producer.enqueue([("acme", b"1")])
        with server.client() as client:
            client.script_flush()
        return [first, await producer.enqueue([("acme", b"2")])]

    assert ask(server.url, twice) == [[None], [None]]


def test_an_empty_batch_is_nothing(server: BrokerServer) -> None:
    assert enqueue(server.url) == []

    with server.client() as client:
        assert client.exists(stream("live"), BACKLOG_BYTES) == 0


def test_a_batch_has_a_greatest_size() -> None:
    with pytest.raises(ValueError, match="501"):
        enqueue_raw(NOWHERE, *[("acme", b"")] * (MAX_BATCH + 1))


def test_a_full_batch_is_one_message(server: BrokerServer) -> None:
    batch = [delivery(number) for number in range(MAX_BATCH)]
    assert enqueue(server.url, *batch) == [None] * MAX_BATCH

    with process_with_broker(server.url) as broker, consuming(broker) as consumer:
        assert list(take(consumer).envelope.items) == batch


def test_a_revoked_connection_is_left_out_and_its_siblings_are_kept(server: BrokerServer) -> None:
    revoke(server.url, "acme")

    assert enqueue(server.url, delivery(1), delivery(2, connection="other"), delivery(3)) == [
        Refusal.REVOKED,
        None,
        Refusal.REVOKED,
    ]
    with server.client() as client:
        assert fields(client, "live") == [{b"1:other": encode(delivery(2, connection="other"))}]
        assert client.hkeys(BACKLOG) == [b"other"]

    admit(server.url, "acme")
    assert enqueue(server.url, delivery(1)) == [None]


def test_a_batch_of_revoked_connections_only_is_no_message(server: BrokerServer) -> None:
    revoke(server.url, "acme")

    assert enqueue(server.url, delivery(1)) == [Refusal.REVOKED]
    with server.client() as client:
        assert client.exists(stream("live")) == 0


def test_a_connection_over_a_quarter_of_the_mark_is_refused_first(server: BrokerServer) -> None:
    """Given a mark of 1000 bytes, when one connection holds 251, then it is told so, and others go on."""
    assert enqueue_raw(server.url, ("acme", b"x" * 250), mark=1000) == [None]
    assert enqueue_raw(server.url, ("acme", b"x"), ("acme", b"x"), ("other", b"x"), mark=1000) == [
        None,
        Refusal.OVER_SHARE,
        None,
    ]


def test_over_the_mark_nobody_gets_in_until_something_is_done(server: BrokerServer) -> None:
    """Given 1000 bytes are the mark, when 960 are held by many, then 40 more are kept, and not one on top."""
    assert enqueue_raw(server.url, *((f"c{number}", b"x" * 240) for number in range(4)), mark=1000) == [None] * 4
    assert enqueue_raw(server.url, ("new", b"x" * 41), ("new", b"x" * 40), ("new", b"x"), mark=1000) == [
        Refusal.OVER_MARK,
        None,
        Refusal.OVER_MARK,
    ]

    taken_and_committed(server.url)

    assert ask(server.url, Producer.backlog) == 40
    assert enqueue_raw(server.url, ("new", b"x" * 200), mark=1000) == [None]


def test_one_delivery_gets_in_however_low_the_mark(server: BrokerServer) -> None:
    """Else a body larger than the mark could never be posted."""
    assert enqueue_raw(server.url, ("acme", b"x" * 2000), mark=1000) == [None]


def test_the_backlog_is_the_sum_of_what_each_connection_holds(server: BrokerServer) -> None:
    enqueue_raw(server.url, ("acme", b"123"), ("other", b""), ("acme", b"4567"))

    assert ask(server.url, Producer.backlog) == 7
    with server.client() as client:
        assert client.hgetall(BACKLOG) == {b"acme": b"7", b"other": b"0"}


def test_a_connection_with_a_long_backlog_goes_another_way(server: BrokerServer) -> None:
    """Given a connection holds over the limit, when it sends more, then that is `heavy`, and others stay `live`."""
    enqueue_raw(server.url, ("acme", b"x" * 11), heavy=10)
    enqueue_raw(server.url, ("acme", b"later"), ("other", b"quick"), heavy=10)

    with server.client() as client:
        assert fields(client, "live") == [{b"0:acme": b"x" * 11}, {b"1:other": b"quick"}]
        assert fields(client, "heavy") == [{b"0:acme": b"later"}]

    taken_and_committed(server.url)
    taken_and_committed(server.url, "heavy")
    enqueue_raw(server.url, ("acme", b"back"), heavy=10)
    with server.client() as client:
        assert fields(client, "live") == [{b"1:other": b"quick"}, {b"0:acme": b"back"}]


def test_a_quarter_of_a_mebibyte_makes_a_backlog_long(server: BrokerServer) -> None:
    async def send(producer: Producer) -> None:
        for payload in (b"x" * (MIB // 4), b"y", b"z"):
            await producer.enqueue([("acme", payload)])

    ask(server.url, send, backlog_limit_bytes=1024 * MIB)

    with server.client() as client:
        assert (client.xlen(stream("live")), client.xlen(stream("heavy"))) == (2, 1)


def test_a_server_that_does_not_answer_is_waited_for_so_long_and_no_longer() -> None:
    """Given a frozen server, when a batch was given up, then later answers are not taken for one another's."""

    async def across_a_freeze(producer: Producer) -> list[Refusal | None]:
        await insisting(producer)
        os.kill(server.pid, signal.SIGSTOP)
        with pytest.raises(TransientError) as caught:
            await producer.enqueue([("acme", b"2"), ("acme", b"3")])
        os.kill(server.pid, signal.SIGCONT)
        assert caught.value.code == "broker_slow"
        return await insisting(producer)

    async def insisting(producer: Producer) -> list[Refusal | None]:
        while True:  # on a busy machine a server that goes on may be slow as well
            try:
                return await producer.enqueue([("acme", b"1")])
            except TransientError as error:
                if error.code != "broker_slow":
                    raise

    with valkey_server() as server:
        assert ask(server.url, across_a_freeze, wait=timedelta(seconds=0.3)) == [None]


def test_the_wait_is_shorter_than_any_senders() -> None:
    assert timedelta(seconds=2.5) == queue.WAIT


def test_a_server_that_is_away_is_a_transient_error() -> None:
    for question in (lambda producer: producer.enqueue([("acme", b"1")]), Producer.backlog, Producer.check):
        with pytest.raises(TransientError) as caught:
            ask(NOWHERE, question)
        assert caught.value.code == "broker_unavailable"


def test_a_producer_outlives_a_restart_of_its_server() -> None:
    async def across_a_restart(producer: Producer) -> list[Refusal | None]:
        await producer.enqueue([("acme", b"1")])
        server.kill()
        with pytest.raises(TransientError):
            await producer.enqueue([("acme", b"2")])
        server.start()
        await producer.check()
        return await producer.enqueue([("acme", b"3")])

    with valkey_server() as server:
        assert ask(server.url, across_a_restart) == [None]
        with server.client() as client:
            assert fields(client, "live") == [{b"0:acme": b"1"}, {b"0:acme": b"3"}]


def test_a_server_out_of_memory_says_so_and_keeps_nothing(server: BrokerServer) -> None:
    with server.client() as client:
        client.config_set("maxmemory", 1)
        try:
            assert _code(server.url) == "broker_full"
            assert client.exists(stream("live"), BACKLOG, BACKLOG_BYTES) == 0
        finally:
            client.config_set("maxmemory", 0)


def test_a_server_that_cannot_write_its_disk_says_so() -> None:
    """Given a snapshot failed (its name is taken by a folder), then the server refuses writes with MISCONF."""
    with valkey_server("--dbfilename", "taken") as server, server.client() as client:
        (server.folder / "taken").mkdir()
        client.config_set("save", "3600 1")
        client.bgsave()
        until(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", "a failed snapshot")

        assert _code(server.url) == "broker_not_durable"
        client.config_set("save", "")  # else it would not end before that snapshot succeeds


def test_a_replica_takes_no_writes(server: BrokerServer) -> None:
    with server.client() as client:
        client.replicaof("127.0.0.1", "1")
        try:
            assert _code(server.url) == "broker_read_only"
        finally:
            client.replicaof("NO", "ONE")


def test_a_server_that_wants_a_password_says_so(server: BrokerServer) -> None:
    with server.client() as client:
        client.config_set("requirepass", "geheim")
        try:
            assert _code(server.url) == "broker_refused"
            assert _code(server.url.replace("unix://", "unix://user:wrong@")) == "broker_refused"
            assert enqueue(server.url.replace("unix://", "unix://:geheim@"), delivery(1)) == [None]
        finally:
            client.config_set("requirepass", "")


def _code(url: str) -> str:
    with pytest.raises(TransientError) as caught:
        enqueue(url, delivery(1))
    with pytest.raises(TransientError) as checked:
        ask(url, Producer.check)
    assert checked.value.code == caught.value.code
    return caught.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (redis.BusyLoadingError("loading the dataset in memory"), "broker_loading"),
        (redis.ResponseError("NOREPLICAS Not enough good replicas to write."), "broker_not_durable"),
        (redis.ResponseError("ERR Error running script (call to f_1): @user_script:1: -OOM command"), "broker_full"),
        (redis.TimeoutError("Timeout reading from socket"), "broker_slow"),
        (TimeoutError(), "broker_slow"),
        (redis.ConnectionError("Connection closed by server."), "broker_unavailable"),
        (ConnectionResetError(), "broker_unavailable"),
        (redis.ResponseError("WRONGTYPE Operation against a key"), "broker_unavailable"),
    ],
)
def test_every_other_error_has_its_code_too(error: Exception, code: str) -> None:
    assert code_of(error) == code


def test_a_batch_counts_as_durable_only_with_as_many_replicas_as_asked_for() -> None:
    """Given one replica is demanded, when there is none, then the batch is refused, and kept once there is one."""

    def one(producer: Producer) -> Awaitable[list[Refusal | None]]:
        return producer.enqueue([("acme", b"1")])

    with valkey_server("--repl-diskless-sync-delay", "0", tcp=True) as primary:
        with pytest.raises(TransientError) as caught:
            ask(primary.url, one, replicas=1, wait=timedelta(seconds=1))
        assert caught.value.code == "broker_not_durable"

        port = primary.url.removesuffix("/0").rsplit(":", 1)[1]
        with valkey_server("--replicaof", f"127.0.0.1 {port}") as replica:
            assert ask(primary.url, one, replicas=1, wait=timedelta(seconds=20)) == [None]
            with replica.client() as client:
                assert client.xlen(stream("live")) == 2


def test_a_revocation_that_did_not_reach_the_broker_fails() -> None:
    for act in (revoke, admit):
        with pytest.raises(TransientError):
            act(NOWHERE, "acme")


def test_the_state_of_each_lane_tells_waiting_from_under_way(server: BrokerServer) -> None:
    enqueue(server.url, delivery(1))
    enqueue(server.url, delivery(2))

    with process_with_broker(server.url) as broker, consuming(broker) as consumer:
        take(consumer)
        enqueue(server.url, delivery(3))
        live, *others = queue.queue_state(server.url)

    assert (live.lane, live.ready, live.in_flight) == ("live", 1, 2)
    assert live.oldest_age is not None
    assert timedelta(0) <= live.oldest_age < timedelta(minutes=5)
    assert others == [LaneState(lane, 0, 0, None) for lane in ("heavy", "again", "fetch")]


def test_what_was_given_back_waits_again(server: BrokerServer) -> None:
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url) as broker, consuming(broker) as consumer:
        consumer.requeue([take(consumer)])
        live = queue.queue_state(server.url)[0]

    assert (live.ready, live.in_flight) == (1, 0)


def test_the_state_of_a_server_that_is_away_is_unknown() -> None:
    with pytest.raises(TransientError):
        queue.queue_state(NOWHERE)


def test_a_ring_carries_the_rows_it_rings_for(server: BrokerServer) -> None:
    rows = [("d-1", 0), ("d-2", -1)]

    with process_with_broker(server.url) as broker, consuming(broker, "again") as consumer:
        queue.ring_rows(broker, rows)
        message = take(consumer)

        assert list(message.envelope.items) == rows
        assert (message.queue_name, message.actor_name) == ("again", "process_rows")
        message.envelope.committed = True
        consumer.ack(message)
    assert queue.queue_state(server.url)[2] == LaneState("again", 0, 0, None)


def test_ringing_for_no_rows_is_no_message(server: BrokerServer) -> None:
    with process_with_broker(server.url) as broker:
        queue.ring_rows(broker, [])

    assert queue.queue_state(server.url)[2] == LaneState("again", 0, 0, None)


def test_a_ring_that_nobody_can_hear_is_a_transient_error() -> None:
    with process_with_broker(NOWHERE) as broker, pytest.raises(TransientError):
        queue.ring_rows(broker, [("d-1", 0)])
