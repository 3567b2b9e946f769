"""Workers and the broker as they live and die: killed, frozen out, restarted, told to stop."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import dramatiq.worker
import pytest
import redis

from tests.servers import BrokerServer, valkey_server
from tests.worker.brokers import LEASE, PATIENCE_SECONDS, Recorder, delivery, enqueue, until, working
from tests.worker.test_streams import fall_silent, idle_ms
from worker import streams, streams_leases
from worker.queue import LaneState, queue_state
from worker.streams_leases import Envelope

LONG = timedelta(seconds=30)
"""A lease that no machine is too busy to renew."""
EMPTY = [LaneState(lane, 0, 0, None) for lane in ("live", "heavy", "again", "fetch")]


@contextmanager
def worker_process(url: str, mode: str) -> "Iterator[subprocess.Popen[str]]":
    """A worker in a process of its own."""
    command = [sys.executable, "-m", "tests.worker.worker_process", url, str(LEASE.total_seconds()), mode]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def began(process: "subprocess.Popen[str]") -> str:
    """Waits until it has begun a batch; the entry's id."""
    assert process.stdout is not None
    word, entry_id = process.stdout.readline().split()
    assert word == "began"
    return entry_id


@pytest.fixture
def reconnects_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dramatiq waits 3 s before it makes a consumer anew; tests have less patience."""
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.1)


@pytest.fixture
def renews_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease is renewed every tenth of a second, however long it is."""
    for name in ("RENEWALS_PER_LEASE", "ANXIOUS_RENEWALS_PER_LEASE"):
        monkeypatch.setattr(streams_leases, name, 10 * LONG.total_seconds())


def test_the_work_of_a_killed_process_is_taken_over(server: BrokerServer) -> None:
    """Given a process works on one batch and has the next, when it is killed, then another does both, each counted."""
    for number in range(2):
        enqueue(server.url, delivery(number))
    with worker_process(server.url, "stuck") as killed:
        began(killed)
        until(lambda: queue_state(server.url)[0].in_flight == 2, "the next batch")
        killed.kill()
        killed.wait()

    recorder = Recorder()
    with working(server.url, recorder):
        until(lambda: queue_state(server.url) == EMPTY, "an empty queue")

    assert recorder.numbers == ["d-0", "d-1"]
    assert [envelope.times_delivered for envelope in recorder.envelopes] == [2, 2]


def test_a_batch_that_killed_two_workers_says_so(valkey: BrokerServer) -> None:
    """The third delivery is the one at which its dispatcher takes the batch apart."""
    enqueue(valkey.url, delivery(1))
    for _ in range(2):
        with worker_process(valkey.url, "stuck") as killed:
            began(killed)

    recorder = Recorder()
    with working(valkey.url, recorder):
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert [envelope.times_delivered for envelope in recorder.envelopes] == [3]


@pytest.mark.usefixtures("renews_often")
def test_a_worker_busy_for_longer_than_a_lease_keeps_its_message(server: BrokerServer) -> None:
    """Given half a lease is over, and again and again, when it was renewed each time, then the batch is done once."""
    goes_on = threading.Event()
    busy, idle = Recorder(lambda _: _until_set(goes_on)), Recorder()

    with working(server.url, busy, lease=LONG) as broker, server.client() as client:
        enqueue(server.url, delivery(1))
        until(lambda: busy.tried == 1, "the batch")
        [held] = broker._holdings.held("live")
        with working(server.url, idle, lease=LONG):
            for _ in range(3):
                fall_silent(client, held.entry_id, broker.consumer_name, LONG.total_seconds() / 2)
                until(lambda: _is_fresh(client, held), "a renewal")
            goes_on.set()
            until(lambda: queue_state(server.url) == EMPTY, "an empty queue")

    assert (busy.tried, busy.numbers, idle.tried) == (1, ["d-1"], 0)
    assert not busy.envelopes[0].lease_lost


def test_sigterm_ends_what_is_under_way_and_the_process(valkey: BrokerServer) -> None:
    with worker_process(valkey.url, "quick") as process, valkey.client() as client:
        enqueue(valkey.url, delivery(1))
        began(process)
        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE_SECONDS) == 0
        assert queue_state(valkey.url) == EMPTY
        assert client.xinfo_consumers("maintenworks:lane:live", "workers") == []


@pytest.mark.usefixtures("reconnects_quickly")
def test_a_broker_that_restarts_under_a_batch_loses_and_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given one batch under way and one waiting, when the broker is killed and comes back, then each is done once."""
    monkeypatch.setattr(streams, "SETTLE_SECONDS", PATIENCE_SECONDS)  # a busy machine starts no server in 5 s
    goes_on = threading.Event()
    recorder = Recorder(lambda _: _until_set(goes_on))
    with valkey_server() as server, working(server.url, recorder, threads=1):
        enqueue(server.url, delivery(0))
        until(lambda: recorder.tried == 1, "the batch")
        enqueue(server.url, delivery(1))
        server.kill()
        goes_on.set()  # its ack meets a broker that is away
        time.sleep(0.2)
        server.start()
        enqueue(server.url, delivery(2))
        until(lambda: queue_state(server.url) == EMPTY, "an empty queue")

        assert recorder.numbers == ["d-0", "d-1", "d-2"]
        assert [envelope.times_delivered for envelope in recorder.envelopes] == [1, 1, 1]


@pytest.mark.usefixtures("reconnects_quickly", "renews_often")
def test_after_an_outage_longer_than_a_lease_nobody_robs_a_living_worker() -> None:
    """Given the broker comes back with a lease that looks run out, when its holder lives, then it still has it."""
    goes_on = threading.Event()
    busy, idle = Recorder(lambda _: _until_set(goes_on)), Recorder()
    with valkey_server() as server, working(server.url, busy, lease=LONG) as broker:
        enqueue(server.url, delivery(0))
        until(lambda: busy.tried == 1, "the batch")
        [held] = broker._holdings.held("live")
        with working(server.url, idle, lease=LONG):
            server.kill()
            server.start()
            with server.client() as client:
                fall_silent(client, held.entry_id, broker.consumer_name)
                until(lambda: _is_fresh(client, held), "a renewal")
            goes_on.set()
            until(lambda: queue_state(server.url) == EMPTY, "an empty queue")

    assert (busy.tried, idle.tried) == (1, 0)
    assert not busy.envelopes[0].lease_lost


def _until_set(event: threading.Event) -> None:
    event.wait()


def _is_fresh(client: redis.Redis, held: Envelope) -> bool:
    """Whether less than a quarter of its lease is over."""
    return idle_ms(client, held.entry_id) < 250 * LONG.total_seconds()


def test_many_batches_over_several_workers_are_each_done_once(valkey: BrokerServer) -> None:
    recorders = [Recorder(), Recorder()]

    with working(valkey.url, recorders[0]), working(valkey.url, recorders[1]):
        for number in range(100):
            enqueue(valkey.url, delivery(number))
        until(lambda: queue_state(valkey.url) == EMPTY, "an empty queue")

    assert sorted(recorders[0].numbers + recorders[1].numbers) == sorted(f"d-{number}" for number in range(100))
