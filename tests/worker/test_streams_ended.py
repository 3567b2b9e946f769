"""What a worker held that is known to have ended: another has it at once; and how soon it has what nobody told of."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import dramatiq.worker
import pytest

from tests.servers import BrokerServer
from tests.worker.brokers import Recorder, consuming, delivery, enqueue, process_with_broker, take, until, working
from worker import supervisor, telemetry
from worker.parts import FIRST_DELAY_SECONDS, MOST_MISSED
from worker.queue import queue_state, ring_rows
from worker.streams_consumer import MOST_SECONDS_BETWEEN_LOOKS
from worker.streams_ended import RUN, freed
from worker.streams_leases import LEASE
from worker.streams_server import GROUP, stream

HOUR = timedelta(hours=1)
PROMISED = timedelta(seconds=20)
"""Within it the work of the killed and of the frozen is another's."""
START = timedelta(seconds=5)
"""Of it for starting a process on a machine that has time for it, which takes 2 to 3 s."""


def test_what_a_killed_child_held_is_the_next_ones_without_a_wait_and_counted(server: BrokerServer) -> None:
    """Given leases of an hour, when the parent says that a worker has ended, then another has its batches and rings."""
    for number in range(2):
        enqueue(server.url, delivery(number))
    environment = {**os.environ, RUN: "run1"}
    command = [sys.executable, "-m", "tests.worker.worker_process", server.url, str(HOUR.total_seconds()), "stuck"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None
        killed.stdout.readline()
        until(lambda: queue_state(server.url)[0].in_flight == 2, "the next batch")
        killed.kill()
    with server.client() as client:
        held: Any = client.xpending_range(stream("live"), GROUP, "-", "+", 9)
    assert all(f"-{killed.pid}-run1".encode() in each["consumer"] for each in held)

    assert freed(server.url, "run1", killed.pid) == 2
    assert freed(server.url, "run1", killed.pid) == 0

    recorder = Recorder()
    with working(server.url, recorder, lease=HOUR):
        until(lambda: len(recorder.envelopes) == 2, "both batches")
    assert recorder.numbers == ["d-0", "d-1"]
    assert [envelope.times_delivered for envelope in recorder.envelopes] == [2, 2]


def test_of_another_run_nothing_is_freed_whatever_its_process_id(
    valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Process ids repeat from container to container, and so may host names."""
    assert freed(valkey.url, "mine", os.getpid()) == 0
    enqueue(valkey.url, delivery(1))
    monkeypatch.setenv(RUN, "theirs")

    with process_with_broker(valkey.url, HOUR) as broker, consuming(broker) as consumer:
        held = take(consumer)
        assert freed(valkey.url, "mine", os.getpid()) == 0
        held.envelope.committed = True
        consumer.ack(held)

    assert queue_state(valkey.url)[0].ready == 0


def test_a_ring_is_freed_as_well(valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RUN, "run")
    with process_with_broker(valkey.url, HOUR) as broker, consuming(broker, "again") as consumer:
        ring_rows(broker, [("d-1", 0)])
        take(consumer)
        assert freed(valkey.url, "run", os.getpid()) == 1
        assert freed(valkey.url, "run", os.getpid()) == 0

    recorder = Recorder()
    with working(valkey.url, recorder, lease=HOUR):
        until(lambda: bool(recorder.rows), "the ring")
    assert (recorder.rows, recorder.rings) == ([[("d-1", 0)]], [2])


def test_what_it_takes_until_work_is_anothers_leaves_time_for_the_work_within_what_is_promised() -> None:
    """Each is the longest it may be: a frozen one may be handed an entry in its last wait for one."""
    wait = timedelta(milliseconds=dramatiq.worker.Worker(dramatiq.Broker()).worker_timeout)
    look = timedelta(seconds=MOST_SECONDS_BETWEEN_LOOKS)
    by_lease = wait + LEASE + look + wait
    silence = timedelta(seconds=telemetry.BEAT_SECONDS + (MOST_MISSED + 1) * supervisor.LOOK_SECONDS)
    by_supervisor = silence + timedelta(seconds=FIRST_DELAY_SECONDS) + START

    assert by_lease <= PROMISED - START
    assert by_supervisor <= PROMISED - timedelta(seconds=2)
