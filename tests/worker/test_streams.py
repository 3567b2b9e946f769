"""One lane, consumed: what a worker process gets, keeps, loses and gives back. The tests play Dramatiq's part."""

import threading
import time
from datetime import timedelta
from typing import Any

import dramatiq
import pytest
import redis
from dramatiq.errors import ConnectionClosed, QueueNotFound

from tests.servers import BrokerServer, valkey_server
from tests.worker.brokers import PATIENCE_SECONDS, consuming, delivery, enqueue, enqueue_raw, process_with_broker, take
from worker import streams
from worker.queue import Undecodable
from worker.streams_leases import Envelope, Holdings
from worker.streams_server import BACKLOG, BACKLOG_BYTES, GROUP, RETURNED, stream

HOUR = timedelta(hours=1)
LIVE = stream("live")


def pending(client: redis.Redis, entry_id: str) -> tuple[str, int]:
    """Who holds an entry, and how often it was delivered."""
    found: Any = client.xpending_range(LIVE, GROUP, entry_id, entry_id, 1)
    return found[0]["consumer"].decode(), found[0]["times_delivered"]


def idle_ms(client: redis.Redis, entry_id: str) -> int:
    """How long since an entry was delivered, or its lease renewed."""
    found: Any = client.xpending_range(LIVE, GROUP, entry_id, entry_id, 1)
    return int(found[0]["time_since_delivered"])


def read_as(client: redis.Redis, name: str) -> list[str]:
    """Has a consumer read all there is; the ids."""
    found: Any = client.xreadgroup(GROUP, name, {LIVE: ">"})
    return [each[0].decode() for each in found[0][1]]


def consumers(client: redis.Redis) -> set[str]:
    """Names the group knows."""
    found: Any = client.xinfo_consumers(LIVE, GROUP)
    return {about["name"].decode() for about in found}


def fall_silent(client: redis.Redis, entry_id: str, holder: str = "dead", seconds: float = 7200) -> None:
    """As if `holder` had taken the entry so long ago, and never been heard of since."""
    client.xclaim(LIVE, GROUP, holder, 0, [entry_id], idle=int(seconds * 1000), retrycount=1, justid=True)


def test_a_batch_is_one_message_with_its_deliveries_unharmed(server: BrokerServer) -> None:
    sent = [delivery(1, body=b"\xff\x00\xfe not text"), delivery(2, body=b""), delivery(3, connection="other")]
    enqueue(server.url, *sent)

    with process_with_broker(server.url) as broker, consuming(broker) as consumer:
        message = take(consumer)

        assert list(message.envelope.items) == sent
        assert message.envelope.times_delivered == 1
        assert (message.queue_name, message.actor_name) == ("live", "process_batch")
        assert next(consumer) is None


def test_two_deliveries_of_one_connection_have_fields_of_their_own(server: BrokerServer) -> None:
    sent = [delivery(number) for number in range(12)]
    enqueue(server.url, *sent)

    with process_with_broker(server.url) as broker, consuming(broker) as consumer:
        assert list(take(consumer).envelope.items) == sent


def test_what_cannot_be_decoded_comes_along_as_it_is(server: BrokerServer) -> None:
    """Given a batch one of whose deliveries is garbage, when it is read, then its siblings are not stranded."""
    whole = delivery(1)
    enqueue_raw(server.url, ("acme", b"\x99garbage"), ("acme", b""))
    enqueue(server.url, whole)

    with process_with_broker(server.url) as broker, consuming(broker) as consumer:
        garbage, after = take(consumer), take(consumer)

        assert list(garbage.envelope.items) == [
            Undecodable("acme", b"\x99garbage", "wire version 153"),
            Undecodable("acme", b"", "empty"),
        ]
        assert list(after.envelope.items) == [whole]


def test_an_envelope_prints_none_of_what_it_carries(valkey: BrokerServer) -> None:
    """Dramatiq prints messages into its log lines, and bodies must not get there."""
    enqueue(valkey.url, delivery(1, body=b"very private"))

    with process_with_broker(valkey.url) as broker, consuming(broker) as consumer:
        message = take(consumer)

        assert "private" not in f"{message} {message!r} {message.args} {message.asdict()}"
        assert message.envelope.entry_id in str(message)


def test_an_ack_of_what_was_committed_ends_it_and_gives_its_bytes_back(server: BrokerServer) -> None:
    enqueue(server.url, delivery(1), delivery(2, connection="other"))
    enqueue(server.url, delivery(3))

    with process_with_broker(server.url) as broker, consuming(broker) as consumer, server.client() as client:
        message = take(consumer)
        message.envelope.committed = True
        consumer.ack(message)

        assert client.xlen(LIVE) == 1
        assert client.hkeys(BACKLOG) == [b"acme"]
        assert client.hget(BACKLOG, "acme") == client.get(BACKLOG_BYTES)

        last = take(consumer)
        last.envelope.committed = True
        consumer.ack(last)

        assert client.xlen(LIVE) == 0
        assert client.exists(BACKLOG, BACKLOG_BYTES) == 0
        assert client.xpending(LIVE, GROUP)["pending"] == 0


def test_an_ack_nobody_earned_ends_nothing_and_the_entry_comes_back_counted(server: BrokerServer) -> None:
    """Dramatiq acks whatever it was handed, even when the actor raised; then the lease just runs out."""
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url, timedelta(seconds=0.3)) as broker, consuming(broker) as consumer:
        first = take(consumer)
        consumer.ack(first)
        again = take(consumer)

        assert again.envelope.entry_id == first.envelope.entry_id
        assert again.envelope.times_delivered == 2
        consumer.nack(again)
        assert take(consumer).envelope.times_delivered == 3


def test_an_ack_after_the_lease_was_lost_does_nothing(server: BrokerServer) -> None:
    """Given somebody else took the entry over, when the slow first holder acks, then the other's work goes on."""
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url) as broker, consuming(broker) as consumer, server.client() as client:
        message = take(consumer)
        held = client.get(BACKLOG_BYTES)
        fall_silent(client, message.envelope.entry_id, holder="other", seconds=0)
        message.envelope.committed = True
        consumer.ack(message)

        assert pending(client, message.envelope.entry_id)[0] == "other"
        assert client.xlen(LIVE) == 1
        assert client.get(BACKLOG_BYTES) == held


def test_whoever_works_on_an_entry_hears_that_its_lease_is_lost(server: BrokerServer) -> None:
    enqueue(server.url, delivery(1))
    enqueue(server.url, delivery(2))

    with process_with_broker(server.url, HOUR) as broker, consuming(broker) as consumer, server.client() as client:
        kept, lost = take(consumer).envelope, take(consumer).envelope
        fall_silent(client, lost.entry_id, holder="other", seconds=0)
        renewal = broker._renewal
        assert renewal is not None
        renewal.renew()

        assert (kept.lease_lost, lost.lease_lost) == (False, True)


def test_an_entry_that_was_ended_while_leases_are_renewed_is_not_called_lost(server: BrokerServer) -> None:
    """Given an entry ended after the renewal had read what is held, when the server disowns it, nothing is lost."""
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url, HOUR) as broker, consuming(broker) as consumer:
        message = take(consumer)
        message.envelope.committed = True
        consumer.ack(message)
        broker._holdings.hold(message.envelope)
        renewal = broker._renewal
        assert renewal is not None
        renewal.renew()

        assert not message.envelope.lease_lost


def test_a_renewal_touches_only_what_is_still_ours(server: BrokerServer) -> None:
    """Given one entry ours and one taken by another, when leases are renewed, then only ours begins anew."""
    enqueue(server.url, delivery(1))
    enqueue(server.url, delivery(2))

    with process_with_broker(server.url, HOUR) as broker, consuming(broker) as consumer, server.client() as client:
        ours, theirs = take(consumer).envelope, take(consumer).envelope
        fall_silent(client, ours.entry_id, holder=broker.consumer_name)
        fall_silent(client, theirs.entry_id, holder="other")
        renewal = broker._renewal
        assert renewal is not None
        renewal.renew()

        assert idle_ms(client, ours.entry_id) < 7_000_000 <= idle_ms(client, theirs.entry_id)
        assert pending(client, ours.entry_id) == (broker.consumer_name, 1)
        assert pending(client, theirs.entry_id) == ("other", 1)


def test_an_entry_whose_reading_reply_was_lost_is_read_again_uncounted(server: BrokerServer) -> None:
    """Given the server gave us an entry and the reply never came, when a consumer starts, then it has that entry.

    What the process holds already, and what it let go, it leaves alone.
    """
    enqueue(server.url, delivery(1))
    enqueue(server.url, delivery(2))

    with process_with_broker(server.url, HOUR) as broker, server.client() as client:
        with consuming(broker) as before:
            held, let_go = take(before), take(before)
            before.ack(let_go)
        enqueue(server.url, delivery(3))
        read_as(client, broker.consumer_name)

        with consuming(broker) as after:
            lost = take(after)

            assert list(lost.envelope.items) == [delivery(3)]
            assert lost.envelope.times_delivered == 1
            assert pending(client, lost.envelope.entry_id) == (broker.consumer_name, 1)
            assert next(after) is None
            assert not held.envelope.lease_lost


def test_a_reread_keeps_the_count_of_an_entry_taken_over_before(server: BrokerServer) -> None:
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url, HOUR) as broker, server.client() as client:
        with consuming(broker):
            [entry_id] = read_as(client, "dead")
            client.xclaim(LIVE, GROUP, broker.consumer_name, 0, [entry_id], retrycount=2, justid=True)
        with consuming(broker) as after:
            assert take(after).envelope.times_delivered == 2
            assert pending(client, entry_id) == (broker.consumer_name, 2)


def test_nobody_takes_over_within_one_lease_of_connecting(server: BrokerServer) -> None:
    """After an outage every lease looks run out; its holder, alive, first gets the time to renew it."""
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url, HOUR) as broker, server.client() as client:
        with consuming(broker) as before:
            [entry_id] = read_as(client, "dead")
            fall_silent(client, entry_id)
            assert next(before) is None
            before._no_takeover_before = before._next_look = time.monotonic()
            taken = take(before)
            assert taken.envelope.times_delivered == 2
            fall_silent(client, entry_id)
            broker._holdings.drop(taken.envelope)

        with consuming(broker) as after:
            after._next_look = time.monotonic()
            assert next(after) is None
            assert pending(client, entry_id) == ("dead", 1)


def test_a_takeover_never_takes_from_ourselves(server: BrokerServer) -> None:
    """Given we hold an entry and renewed it late (a suspended process), when we take over, it is renewed instead."""
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url, HOUR) as broker, consuming(broker) as consumer, server.client() as client:
        held = take(consumer).envelope
        fall_silent(client, held.entry_id, holder=broker.consumer_name)
        consumer._no_takeover_before = consumer._next_look = time.monotonic()

        assert next(consumer) is None
        assert pending(client, held.entry_id) == (broker.consumer_name, 1)


def test_a_takeover_looks_past_entries_that_live(server: BrokerServer) -> None:
    """XAUTOCLAIM scans ten entries for each it may take; the dead one stands behind twenty of a live worker."""
    for number in range(21):
        enqueue(server.url, delivery(number))

    with process_with_broker(server.url, HOUR) as broker, consuming(broker) as consumer, server.client() as client:
        entry_ids = read_as(client, "alive")
        fall_silent(client, entry_ids[20])
        consumer._no_takeover_before = consumer._next_look = time.monotonic()

        assert take(consumer).envelope.entry_id == entry_ids[20]


def test_what_the_worker_did_not_begin_goes_to_others_at_once_uncounted(server: BrokerServer) -> None:
    """Given two entries handed out and one in the cache, when the process shuts down, then another has them now."""
    for number in range(2):
        enqueue(server.url, delivery(number))

    with process_with_broker(server.url, HOUR) as leaving, process_with_broker(server.url, HOUR) as staying:
        with consuming(leaving) as consumer:
            queued = take(consumer)
            assert len(consumer._cache) == 1
            consumer.requeue([queued])
        with consuming(staying) as other, server.client() as client:
            taken = [take(other).envelope, take(other).envelope]

            assert [list(each.items) for each in taken] == [[delivery(0)], [delivery(1)]]
            assert [each.times_delivered for each in taken] == [1, 1]
            assert [pending(client, each.entry_id)[1] for each in taken] == [1, 1]
            assert consumers(client) == {RETURNED, staying.consumer_name}


def test_of_what_was_given_back_each_takes_what_it_has_room_for(server: BrokerServer) -> None:
    for number in range(3):
        enqueue(server.url, delivery(number))

    with process_with_broker(server.url, HOUR) as leaving, process_with_broker(server.url, HOUR) as staying:
        with consuming(leaving) as consumer:
            consumer.requeue([take(consumer), take(consumer)])
            consumer.requeue([take(consumer)])
        with consuming(staying) as other, server.client() as client:
            taken = [take(other).envelope.entry_id, take(other).envelope.entry_id]
            assert next(other) is None

            found: Any = client.xpending_range(LIVE, GROUP, "-", "+", 9)
            assert [each["consumer"].decode() for each in found] == [staying.consumer_name] * 2 + [RETURNED]
            assert [each["message_id"].decode() for each in found][:2] == taken


def test_giving_back_leaves_alone_what_is_no_longer_ours(server: BrokerServer) -> None:
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url, HOUR) as broker, consuming(broker) as consumer, server.client() as client:
        message = take(consumer)
        fall_silent(client, message.envelope.entry_id, holder="other", seconds=0)
        consumer.requeue([message])

        assert pending(client, message.envelope.entry_id) == ("other", 1)


def test_a_consumer_is_deleted_only_with_nothing_pending(server: BrokerServer) -> None:
    """Deleting one strikes what it holds from the group's books: the entry would never be delivered again."""
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url) as broker, server.client() as client:
        with consuming(broker) as consumer:
            message = take(consumer)
        assert pending(client, message.envelope.entry_id) == (broker.consumer_name, 1)

        message.envelope.committed = True
        consumer.ack(message)
        consumer.close()
        assert consumers(client) == set()


def test_consumers_long_gone_are_forgotten_unless_they_hold_something(server: BrokerServer) -> None:
    enqueue(server.url, delivery(1))

    with process_with_broker(server.url, timedelta(milliseconds=2)) as broker, server.client() as client:
        with consuming(broker):
            client.xgroup_createconsumer(LIVE, GROUP, "gone")
            read_as(client, "holder")
        time.sleep(0.2)  # twice what makes one gone
        with consuming(broker):
            assert "gone" not in consumers(client)
            assert "holder" in consumers(client)


def test_a_lane_is_never_ahead_of_its_worker_by_more_than_its_prefetch(server: BrokerServer) -> None:
    """Given three entries waiting and a prefetch of two, when none is acked, then two are held; an ack makes room."""
    for number in range(3):
        enqueue(server.url, delivery(number))

    with process_with_broker(server.url) as broker, consuming(broker) as consumer:
        first, _ = take(consumer), take(consumer)
        assert next(consumer) is None

        first.envelope.committed = True
        consumer.ack(first)
        assert list(take(consumer).envelope.items) == [delivery(2)]


def test_a_lane_of_small_entries_is_read_many_at_a_time_and_one_of_full_ones_two() -> None:
    """What counts is how much a process holds, not in how many pieces it came."""
    holdings = Holdings()
    assert holdings.room("live", 2, 24, 0) == 2
    for number in range(10):
        holdings.hold(Envelope("live", f"{number}-0", [b"x"] * 15, {b"c": 15_000}))
    assert holdings.room("live", 2, 24, 0) == 14
    holdings.hold(Envelope("live", "full-0", [b"x"] * 500, {b"c": 500}))
    assert holdings.room("live", 2, 24, 0) == 1
    holdings.hold(Envelope("live", "large-0", [b"x"], {b"c": 8 * 1024 * 1024}))
    assert holdings.room("live", 2, 24, 0) == 0


def test_an_ack_wakes_whoever_waits_for_room() -> None:
    """Given a lane that is full, when one of its entries ends, then the consumer goes on now, not at its time-out."""
    holdings = Holdings()
    envelope = Envelope("live", "1-0", [])
    holdings.hold(envelope)
    waiting = threading.Thread(target=holdings.room, args=("live", 1, 1, HOUR.total_seconds()), daemon=True)
    waiting.start()

    holdings.drop(envelope)
    waiting.join(timeout=PATIENCE_SECONDS)

    assert not waiting.is_alive()


def test_a_heavy_lane_is_worked_on_by_the_actor_of_live(server: BrokerServer) -> None:
    enqueue(server.url, delivery(0), heavy_bytes=-1)

    with process_with_broker(server.url) as broker, consuming(broker, "heavy") as consumer:
        message = take(consumer)
        assert (message.queue_name, message.actor_name) == ("heavy", "process_batch")


def test_an_idle_consumer_writes_nothing(server: BrokerServer) -> None:
    """Each write of a durable server is a sync of its disk; the stock consumer's poll costs one each."""
    with process_with_broker(server.url) as broker, consuming(broker) as consumer, server.client() as client:
        consumer._no_takeover_before = time.monotonic()
        assert next(consumer) is None
        before = client.info("persistence")["aof_current_size"]
        for _ in range(3):
            consumer._next_look = time.monotonic()
            assert next(consumer) is None

        assert client.info("persistence")["aof_current_size"] == before


def test_a_server_over_its_memory_limit_can_still_be_drained(server: BrokerServer) -> None:
    """Given the server refuses whatever may grow, when a worker starts, reads and acks, then memory gets free."""
    enqueue(server.url, delivery(1))
    with process_with_broker(server.url) as broker, server.client() as client:
        with consuming(broker):
            pass
        client.config_set("maxmemory", 1)
        try:
            with consuming(broker) as consumer:
                message = take(consumer)
                message.envelope.committed = True
                consumer.ack(message)
            assert client.xlen(LIVE) == 0
            assert client.exists(BACKLOG_BYTES) == 0
        finally:
            client.config_set("maxmemory", 0)


def test_an_emptied_server_breaks_the_consumer_and_the_next_one_works(server: BrokerServer) -> None:
    with process_with_broker(server.url) as broker, server.client() as client:
        with consuming(broker) as consumer:
            client.flushall()
            with pytest.raises(ConnectionClosed):
                next(consumer)
        with consuming(broker) as consumer:
            enqueue(server.url, delivery(1))
            assert list(take(consumer).envelope.items) == [delivery(1)]


def test_whatever_the_client_raises_is_a_closed_connection_to_dramatiq(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "SETTLE_SECONDS", 0.1)
    with valkey_server() as server, process_with_broker(server.url) as broker:
        enqueue(server.url, delivery(1))
        with consuming(broker) as consumer:
            message = take(consumer)
            message.envelope.committed = True
            server.kill()

            with pytest.raises(ConnectionClosed):
                next(consumer)
            with pytest.raises(ConnectionClosed):
                broker.consume("live")
            with pytest.raises(ConnectionClosed):
                consumer.ack(message)
            with pytest.raises(ConnectionClosed):
                broker.enqueue(rows_message(("d-1", 0)))
            with pytest.raises(ConnectionClosed):
                consumer.requeue([message])


def test_an_ack_outlasts_a_short_restart_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dramatiq would leave the thread idle for 5 s after the first failure."""
    monkeypatch.setattr(streams, "SETTLE_SECONDS", PATIENCE_SECONDS)  # a busy machine starts no server in 5 s
    with valkey_server() as server, process_with_broker(server.url) as broker:
        enqueue(server.url, delivery(1))
        with consuming(broker) as consumer:
            message = take(consumer)
            message.envelope.committed = True
            server.kill()
            back = threading.Timer(0.3, server.start)
            back.start()
            consumer.ack(message)
            back.join()

        with server.client() as client:
            assert client.xlen(LIVE) == 0


def test_at_shutdown_an_ack_does_not_wait_for_a_server_that_is_away() -> None:
    """The work is in the store; when the entry comes back it changes nothing."""
    with valkey_server() as server, process_with_broker(server.url) as broker:
        enqueue(server.url, delivery(1))
        with consuming(broker) as consumer:
            message = take(consumer)
            message.envelope.committed = True
            server.kill()
            broker.stopping.set()

            consumer.ack(message)


def test_no_two_processes_share_a_name() -> None:
    with process_with_broker("unix:///nowhere") as one, process_with_broker("unix:///nowhere") as other:
        assert one.consumer_name != other.consumer_name


def test_a_lane_nobody_described_is_not_found() -> None:
    with process_with_broker("unix:///nowhere") as broker:
        with pytest.raises(QueueNotFound):
            broker.declare_queue("default")
        with pytest.raises(QueueNotFound):
            broker.consume("default")


def test_what_is_due_later_is_no_message() -> None:
    with process_with_broker("unix:///nowhere") as broker:
        with pytest.raises(ValueError, match="delayed"):
            broker.enqueue(rows_message(("d-1", 0)), delay=1000)
        with pytest.raises(ValueError, match="own producer"):
            broker.enqueue(dramatiq.Message("live", "process_batch", ([b"x"],), {}, {}))


def test_when_an_entry_was_enqueued_is_the_servers_time() -> None:
    envelope = Envelope("live", "1772352000123-4", [])

    assert envelope.enqueued_at.isoformat() == "2026-03-01T08:00:00.123000+00:00"


def rows_message(*rows: tuple[str, int]) -> "dramatiq.Message[None]":
    return dramatiq.Message("again", "process_rows", (list(rows),), {}, {})
