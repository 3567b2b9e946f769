"""The actors, on a real broker and a real worker: what is committed ends, what is not stays, what must wait is held."""

import threading
from datetime import timedelta

import dramatiq
import structlog

from tests.servers import BrokerServer
from tests.worker.brokers import Recorder, Store, delivery, enqueue, enqueue_raw, until, working
from worker.broker import LANES, LetGoAtShutdown, MessageContext, make_broker
from worker.message_span import MessageSpan
from worker.queue import LaneState, Undecodable, queue_state, ring_rows
from worker.streams_leases import Envelope

_SHORT = timedelta(seconds=0.4)
EMPTY = [LaneState(lane, 0, 0, None) for lane in ("live", "heavy", "again", "fetch")]


def test_what_the_dispatcher_returned_from_is_committed(server: BrokerServer) -> None:
    recorder = Recorder()

    with working(server.url, recorder):
        enqueue(server.url, delivery(1), delivery(2))
        until(lambda: queue_state(server.url) == EMPTY, "an empty queue")

    assert recorder.batches == [[delivery(1), delivery(2)]]


def test_a_heavy_batch_is_worked_on_like_any_other(server: BrokerServer) -> None:
    recorder = Recorder()

    with working(server.url, recorder):
        enqueue(server.url, delivery(1), heavy_bytes=-1)
        until(lambda: queue_state(server.url) == EMPTY, "an empty queue")

    assert [envelope.lane for envelope in recorder.envelopes] == ["heavy"]


def test_what_cannot_be_decoded_is_the_dispatchers_to_bury(valkey: BrokerServer) -> None:
    recorder = Recorder()

    with working(valkey.url, recorder):
        enqueue_raw(valkey.url, ("acme", b"\xff"))
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert recorder.batches == [[Undecodable("acme", b"\xff", "wire version 255")]]


def test_a_dispatcher_that_raises_gets_the_batch_again_counted(valkey: BrokerServer) -> None:
    """Given a bug, when the worker acks all the same (as Dramatiq does), then the entry stays until it is done."""

    def fails_twice(envelope: Envelope) -> None:
        if envelope.times_delivered < 3:
            raise RuntimeError("a bug")

    recorder = Recorder(fails_twice)

    with working(valkey.url, recorder, lease=_SHORT):
        enqueue(valkey.url, delivery(1))
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert recorder.tried == 3
    assert [envelope.times_delivered for envelope in recorder.envelopes] == [3]


def test_while_the_store_is_away_the_batch_is_held_and_no_delivery_is_counted(valkey: BrokerServer) -> None:
    """Given the store is away for longer than a lease, when it is back, then the first delivery is done."""
    store = Store()
    recorder = Recorder(store)

    with working(valkey.url, recorder, lease=_SHORT):
        enqueue(valkey.url, delivery(1))
        until(lambda: recorder.tried > 1, "a second attempt")
        threading.Event().wait(3 * _SHORT.total_seconds())
        store.back.set()
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert recorder.tried > 1
    assert [(envelope.times_delivered, envelope.lease_lost) for envelope in recorder.envelopes] == [(1, False)]


def test_a_shutdown_gives_back_what_was_held_for_the_store_uncounted(valkey: BrokerServer) -> None:
    """Given batches held, queued and cached, when one worker leaves, then another has them all, each the first time."""
    leaving = Recorder(Store())
    with working(valkey.url, leaving, threads=1):
        for number in range(4):
            enqueue(valkey.url, delivery(number))
        until(lambda: leaving.tried > 0, "a first attempt")

    staying = Recorder()
    with working(valkey.url, staying):
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert staying.numbers == ["d-0", "d-1", "d-2", "d-3"]
    assert {envelope.times_delivered for envelope in staying.envelopes} == {1}
    assert leaving.batches == []


def test_a_batch_that_became_anothers_is_held_no_longer(valkey: BrokerServer) -> None:
    """Given the store is away and the lease was lost, when that is known, then this worker stops and acks nothing."""
    store = Store()
    holder = Recorder(store)
    with working(valkey.url, holder, lease=_SHORT) as broker, valkey.client() as client:
        enqueue(valkey.url, delivery(1))
        until(lambda: holder.tried > 0, "a first attempt")
        [held] = broker._holdings.held("live")
        client.xclaim("maintenworks:lane:live", "workers", "other", 0, [held.entry_id], idle=0, justid=True)
        until(lambda: broker._holdings.held("live") == [], "letting go")

        assert held.lease_lost
        assert (held.committed, held.given_back) == (False, False)
        assert queue_state(valkey.url)[0].in_flight == 1
        store.back.set()


def test_what_is_logged_during_the_work_names_the_message(valkey: BrokerServer) -> None:
    bound: list[dict[str, object]] = []
    recorder = Recorder(lambda _: bound.append(structlog.contextvars.get_contextvars()))

    with working(valkey.url, recorder, threads=1):
        enqueue(valkey.url, delivery(1))
        enqueue(valkey.url, delivery(2))
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert bound == [
        {"lane": "live", "entry": held.entry_id, "delivery_ids": held.some_ids} for held in recorder.envelopes
    ]


def test_a_process_holds_two_batches_of_live_and_one_message_of_the_others() -> None:
    """One under way and the next at hand; what waits in a process is out of the others' reach."""
    assert {lane: about.prefetch for lane, about in LANES.items()} == {"live": 2, "heavy": 1, "again": 1}


def test_nothing_of_dramatiqs_own_stands_between() -> None:
    """Its retries, limits and callbacks bypass one another and our acks; an actor cannot even ask for them."""
    broker = make_broker("unix:///nowhere", middleware=[Mark()])

    assert [type(each) for each in broker.middleware] == [LetGoAtShutdown, MessageContext, MessageSpan, Mark]
    assert broker.actor_options == set()


class Mark(dramatiq.Middleware):
    """A role's own."""


def test_rows_rung_for_reach_the_dispatcher(valkey: BrokerServer) -> None:
    recorder = Recorder()

    with working(valkey.url, recorder) as broker:
        ring_rows(broker, [("d-1", 0), ("d-1", 1)])
        ring_rows(broker, [("d-2", -1)])
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert recorder.rows == [[("d-1", 0), ("d-1", 1)], [("d-2", -1)]]


def test_a_ring_that_cannot_be_read_is_nothing_to_do(valkey: BrokerServer) -> None:
    """The rows are in the store, and are rung for again when their lease has run out."""
    recorder = Recorder()

    with working(valkey.url, recorder), valkey.client() as client:
        client.xadd("maintenworks:lane:again", {"0:": b"\xff"})
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert recorder.rows == [[]]
