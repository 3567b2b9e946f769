"""What Dramatiq's own RedisBroker does with work it should keep, each shown on a real server: why we have our own.

A test here asserts that stock has the fault (2.2.1 does): the day one fails, that reason is gone. That ours has not is
proven by the tests of `OURS`, and here where those do not say it.
"""

import importlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dramatiq
import dramatiq.brokers.redis
import dramatiq.common
import dramatiq.worker
import prometheus_client
import pytest
import redis
from dramatiq.brokers.redis import DEFAULT_DEAD_MESSAGE_TTL, DEFAULT_HEARTBEAT_TIMEOUT, MAINTENANCE_SCALE, RedisBroker
from dramatiq.middleware import Retries
from dramatiq.worker import Worker

from tests.servers import BrokerServer, valkey_server
from tests.worker.brokers import LEASE, Recorder, delivery, enqueue, until
from worker.actors import declare
from worker.broker import make_broker
from worker.queue import queue_state
from worker.streams_leases import Envelope

OURS = {
    "a failed attempt comes back": "test_actors.test_a_dispatcher_that_raises_gets_the_batch_again_counted",
    "a broker that restarts": "test_streams_worker.test_a_broker_that_restarts_under_a_batch_loses_and_repeats_nothing",
    "a retry is a row": "test_dispatch.test_an_effect_that_fails_on_one_event_costs_only_that_one",
    "a dead letter is a row": "test_dispatch.test_a_bad_event_is_a_dead_letter_and_its_siblings_are_applied",
    "an undecodable message": "test_actors.test_what_cannot_be_decoded_is_the_dispatchers_to_bury",
    "a dead worker's work": "test_streams_worker.test_the_work_of_a_killed_process_is_taken_over",
    "a lost reply": "test_streams.test_an_entry_whose_reading_reply_was_lost_is_read_again_uncounted",
    "a busy worker": "test_streams_worker.test_a_worker_busy_for_longer_than_a_lease_keeps_its_message",
    "a killer is counted": "test_streams_worker.test_a_batch_that_killed_two_workers_says_so",
    "one policy of retries": (
        "test_dispatch.test_what_fails_every_time_is_buried_after_the_last_attempt_with_all_of_them"
    ),
    "none of its middleware": "test_actors.test_nothing_of_dramatiqs_own_stands_between",
    "an idle consumer": "test_streams.test_an_idle_consumer_writes_nothing",
}
"""Where each of these faults is shown to be absent from ours."""

DEAD, DELAYED = "default.XQ", "default.DQ"
A_MINUTE_MS = 60_000
A_MINUTE_AND_A_BIT_MS = DEFAULT_HEARTBEAT_TIMEOUT + 1_000
EIGHT_DAYS_MS = DEFAULT_DEAD_MESSAGE_TTL + 24 * 3_600_000

Stock = tuple[RedisBroker, Worker]


@pytest.mark.parametrize("name", OURS.values(), ids=OURS)
def test_what_stock_fails_at_ours_is_tested_for(name: str) -> None:
    module, _, test = name.partition(".")
    assert callable(getattr(importlib.import_module(f"tests.worker.{module}"), test))


def stock_broker(url: str, *middleware: dramatiq.Middleware, **options: int) -> RedisBroker:
    """Dramatiq's own, as its guide makes it; tidying up by chance is left out unless a test asks for it."""
    return RedisBroker(url=url, middleware=list(middleware), **{"maintenance_chance": 0, **options})  # type: ignore[no-untyped-call]  # dramatiq's, untyped


@contextmanager
def stock(url: str, *middleware: dramatiq.Middleware, **options: int) -> Iterator[Stock]:
    """A running stock worker of one thread."""
    broker = stock_broker(url, *middleware, **options)
    worker = Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    try:
        yield broker, worker
    finally:
        worker.stop(timeout=A_MINUTE_MS)
        broker.client.connection_pool.disconnect()


def held(broker: RedisBroker, queue: str = "default") -> int:
    """Messages in a worker's hands, as the server has it."""
    return int(broker.client.scard(f"dramatiq:__acks__.{broker.broker_id}.{queue}"))


def kept(broker: RedisBroker) -> int:
    """Messages that the server still has in any form."""
    return sum(int(broker.client.hlen(f"dramatiq:{queue}.msgs")) for queue in ("default", DELAYED, DEAD))


@pytest.fixture
def reconnects_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dramatiq's pauses of 3 and 5 s after a broken connection change nothing but the time that this takes."""
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.1)
    monkeypatch.setattr(dramatiq.worker, "POST_PROCESS_MESSAGE_RETRY_DELAY_SECS", 0.1)


class Clock:
    """A worker's, which is put forward so that nobody has to wait until a message is due."""

    def __init__(self) -> None:
        self.ahead_ms = 0
        self._real: Callable[[], int] = dramatiq.common.current_millis

    def __call__(self) -> int:
        """Milliseconds since 1970."""
        return self._real() + self.ahead_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """By which workers tell what is due."""
    made = Clock()
    monkeypatch.setattr(dramatiq.worker, "current_millis", made)
    return made


class Watch(dramatiq.Middleware):
    """Tells when a message is about to be acked."""

    def __init__(self) -> None:
        self.acks = threading.Event()

    def before_ack(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        del broker, message
        self.acks.set()


class BrokenHooks(dramatiq.Middleware):
    """What a middleware that commits, or reserves something, does on the day its server is away."""

    def before_process_message(self, broker: dramatiq.Broker, message: dramatiq.MessageProxy) -> None:
        del broker, message
        raise RuntimeError("before")

    def after_process_message(
        self,
        broker: dramatiq.Broker,
        message: dramatiq.MessageProxy,
        *,
        result: object = None,
        exception: BaseException | None = None,
    ) -> None:
        del broker, message, result, exception
        raise RuntimeError("after")


@contextmanager
def a_clock_that_is_ahead(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> Iterator[None]:
    """This thread's clock, as if it were another machine; stock's workers go by the clocks of its clients."""
    real: Callable[[], int] = dramatiq.common.current_millis
    ahead = threading.get_ident()
    with monkeypatch.context() as patched:
        patched.setattr(
            dramatiq.brokers.redis,
            "current_millis",
            lambda: real() + (milliseconds if threading.get_ident() == ahead else 0),
        )
        yield


def test_stock_acks_what_raised_and_forgets_it_without_retries(valkey: BrokerServer) -> None:
    with stock(valkey.url) as (broker, _):

        @dramatiq.actor(broker=broker)
        def work() -> None:
            raise RuntimeError("the database is away")

        work.send()
        until(lambda: kept(broker) == 0, "the ack")


@pytest.mark.usefixtures("reconnects_quickly")
def test_stock_acks_what_raised_although_its_retry_could_not_be_enqueued() -> None:
    """Given a message fails while the broker is away, when that is back, then it acks a message it never retried."""
    attempts = []
    watch = Watch()
    with valkey_server() as server, stock(server.url, Retries(), watch) as (broker, _):

        @dramatiq.actor(broker=broker)
        def work() -> None:
            attempts.append(1)
            server.kill()
            raise RuntimeError("and the broker is away too")

        work.send()
        assert watch.acks.wait(30)
        server.start()
        until(lambda: kept(broker) == 0, "the ack")
        assert attempts == [1]


@pytest.mark.usefixtures("reconnects_quickly")
def test_stock_strands_retries_when_the_broker_restarts(clock: Clock) -> None:
    """Given a retry waits in a worker's memory, when the broker restarts, then nothing ever runs it in that worker."""
    attempts: list[str] = []
    retries = Retries(min_backoff=A_MINUTE_MS, max_backoff=A_MINUTE_MS)
    with valkey_server() as server, stock(server.url, retries) as (broker, worker):

        @dramatiq.actor(broker=broker)
        def work(name: str) -> None:
            attempts.append(name)
            if name == "fails":
                raise RuntimeError

        work.send("fails")
        until(lambda: held(broker, DELAYED) == 1, "the retry in the worker's memory")
        in_memory = worker.consumers[DELAYED].delay_queue
        server.kill()
        until(lambda: worker.consumers[DELAYED].delay_queue is not in_memory, "the outage noticed")
        server.start()
        work.send_with_options(args=("due later",), delay=2 * A_MINUTE_MS)
        clock.ahead_ms = 3 * A_MINUTE_MS
        until(lambda: "due later" in attempts, "a message that is due later than the retry")
        until(lambda: held(broker, DELAYED) == 1, "its ack")
        assert attempts == ["fails", "due later"]


@pytest.mark.usefixtures("reconnects_quickly")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # that is the fault
def test_stock_loses_its_thread_for_retries_when_they_are_due_during_an_outage(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Given it holds as many delayed messages as it may, when some are due while the broker is away.

    Then nobody looks after delayed messages any more in that process.
    """
    monkeypatch.setattr(dramatiq.worker, "DELAY_QUEUE_PREFETCH", 2)
    with valkey_server() as server, stock(server.url) as (broker, worker):

        @dramatiq.actor(broker=broker)
        def work() -> None:
            """Never comes to it."""

        for _ in range(2):
            work.send_with_options(delay=A_MINUTE_MS)
        until(lambda: held(broker, DELAYED) == 2, "both in the worker's memory")
        server.kill()
        clock.ahead_ms = 2 * A_MINUTE_MS
        until(lambda: not worker.consumers[DELAYED].is_alive(), "the thread's end")
        server.start()
        assert worker.consumers["default"].is_alive()


def test_stock_swallows_what_a_hook_raises_and_acks(valkey: BrokerServer) -> None:
    done = []
    with stock(valkey.url, BrokenHooks()) as (broker, _):

        @dramatiq.actor(broker=broker)
        def work() -> None:
            done.append(1)

        work.send()
        until(lambda: kept(broker) == 0, "the ack")
        assert done == [1]


def test_ours_acks_only_what_was_committed_whatever_hooks_raise(valkey: BrokerServer) -> None:
    """Given every hook raises, when the work fails once, then it comes back and is ended once it is committed."""
    failures = iter([RuntimeError("a bug")])

    def fails_once(envelope: Envelope) -> None:
        del envelope
        for error in failures:
            raise error

    recorder = Recorder(fails_once)
    broker = make_broker(valkey.url, lease=LEASE, middleware=[BrokenHooks()])
    declare(broker, recorder)
    worker = Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    try:
        enqueue(valkey.url, delivery(1))
        until(lambda: recorder.numbers == ["d-1"], "the second attempt")
        until(lambda: queue_state(valkey.url)[0].oldest_age is None, "the ack")
    finally:
        worker.stop(timeout=A_MINUTE_MS)
        broker.close()
    assert recorder.tried == 2


def test_stock_forgets_dead_letters_after_a_week(valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or when any client's clock is a week ahead."""
    with stock(valkey.url, Retries(max_retries=0)) as (broker, _):

        @dramatiq.actor(broker=broker)
        def work() -> None:
            raise RuntimeError("to be looked at")

        work.send()
        until(lambda: int(broker.client.zcard(f"dramatiq:{DEAD}")) == 1, "the dead letter")
        tidying = stock_broker(valkey.url, maintenance_chance=MAINTENANCE_SCALE)
        with a_clock_that_is_ahead(monkeypatch, EIGHT_DAYS_MS):
            tidying.do_fetch("default", 1)
        assert kept(broker) == 0
        tidying.client.connection_pool.disconnect()


@pytest.mark.usefixtures("reconnects_quickly")
def test_stock_strands_what_it_fetched_together_with_a_message_it_cannot_decode(valkey: BrokerServer) -> None:
    done = []
    broker = stock_broker(valkey.url)

    @dramatiq.actor(broker=broker)
    def work(name: str) -> None:
        done.append(name)

    work.send("first")
    broker.do_enqueue("default", "not-ours", b"\xff")
    work.send("fetched with it")
    worker = Worker(broker, worker_threads=2, worker_timeout=50)  # fetches four at once
    worker.start()
    try:
        until(lambda: done == ["first"], "the one before it")
        until(lambda: held(broker) == 2, "its ack")
        work.send("sent later")
        until(lambda: done == ["first", "sent later"], "the one after the consumer started again")
        until(lambda: held(broker) == 2, "its ack")
    finally:
        worker.stop(timeout=A_MINUTE_MS)
    assert held(broker) == 2  # even a shutdown in good order does not give them back
    broker.client.connection_pool.disconnect()


def test_stock_returns_a_dead_workers_work_after_a_minute_and_by_chance(
    valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a worker died with a message, then for a minute the others leave it be.

    From then on each command returns it with a chance of one in a thousand.
    """
    dead, unlucky = stock_broker(valkey.url), stock_broker(valkey.url)
    lucky = stock_broker(valkey.url, maintenance_chance=MAINTENANCE_SCALE)
    dead.do_enqueue("default", "m", b"of the dead")
    assert dead.do_fetch("default", 1) == [b"of the dead"]

    assert lucky.do_fetch("default", 1) == []
    with a_clock_that_is_ahead(monkeypatch, A_MINUTE_AND_A_BIT_MS):
        assert unlucky.do_fetch("default", 1) == []
        assert lucky.do_fetch("default", 1) == [b"of the dead"]
    assert dramatiq.brokers.redis.DEFAULT_MAINTENANCE_CHANCE / MAINTENANCE_SCALE == 0.001
    for each in (dead, unlucky, lucky):
        each.client.connection_pool.disconnect()


def test_stock_keeps_in_flight_what_a_lost_reply_carried(valkey: BrokerServer) -> None:
    """Given the server gave a worker a message and the reply never came, then nobody gets it while that worker lives.

    However often the server tidies up.
    """
    done = []
    broker = stock_broker(valkey.url, maintenance_chance=MAINTENANCE_SCALE)

    @dramatiq.actor(broker=broker)
    def work(name: str) -> None:
        done.append(name)

    work.send("lost")
    broker.do_fetch("default", 1)
    worker = Worker(broker, worker_threads=1, worker_timeout=50)
    worker.start()
    try:
        work.send("sent later")
        until(lambda: done == ["sent later"] and kept(broker) == 1, "the other one")
    finally:
        worker.stop(timeout=A_MINUTE_MS)
    assert held(broker) == 1
    broker.client.connection_pool.disconnect()


def test_stock_gives_away_the_work_of_a_busy_worker(valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute of difference between two machines' clocks is enough."""
    begun, goes_on = threading.Event(), threading.Event()
    with stock(valkey.url) as (broker, _):

        @dramatiq.actor(broker=broker)
        def work() -> None:
            begun.set()
            goes_on.wait()

        work.send()
        assert begun.wait(30)
        other = stock_broker(valkey.url, maintenance_chance=MAINTENANCE_SCALE)
        with a_clock_that_is_ahead(monkeypatch, A_MINUTE_AND_A_BIT_MS):
            assert len(other.do_fetch("default", 1)) == 1
        goes_on.set()
        other.client.connection_pool.disconnect()


def test_stock_counts_no_deliveries_so_a_killer_message_goes_round_for_ever(valkey: BrokerServer) -> None:
    """Each worker that fetches it dies, and what the next one gets is the same, byte for byte."""
    first = stock_broker(valkey.url, maintenance_chance=MAINTENANCE_SCALE, heartbeat_timeout=1)
    first.do_enqueue("default", "m", b"kills")
    seen = []
    for _ in range(5):
        victim = stock_broker(valkey.url, maintenance_chance=MAINTENANCE_SCALE, heartbeat_timeout=1)
        seen += victim.do_fetch("default", 1)
        victim.client.connection_pool.disconnect()
        time.sleep(0.005)  # it is dead by then
    assert seen == [b"kills"] * 5
    first.client.connection_pool.disconnect()


def test_stock_has_options_of_retries_that_overrule_one_another(valkey: BrokerServer) -> None:
    """With `retry_when` no number of attempts is the last one; with `throws` nobody asks `retry_when`."""
    asked, attempts = [], []

    def retry_when(number: int, error: BaseException) -> bool:
        asked.append(type(error))
        return number < 3

    with stock(valkey.url, Retries(min_backoff=1, max_backoff=1)) as (broker, _):

        @dramatiq.actor(broker=broker, max_retries=0, retry_when=retry_when)
        def endless() -> None:
            attempts.append(1)
            raise RuntimeError

        @dramatiq.actor(broker=broker, throws=ValueError, retry_when=retry_when)
        def thrown() -> None:
            raise ValueError

        endless.send()
        thrown.send()
        until(lambda: int(broker.client.zcard(f"dramatiq:{DEAD}")) == 2, "both dead letters")
    assert len(attempts) == 4
    assert ValueError not in asked


def test_stock_counts_a_retry_twice_and_a_delayed_message_under_two_names(
    valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("dramatiq_prom_db", "PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"):
        monkeypatch.setenv(name, str(tmp_path))  # it writes the environment and a folder
    metrics: Any = importlib.import_module("dramatiq.middleware.prometheus").Prometheus()
    metrics.after_process_boot(None)
    attempts = []
    with stock(valkey.url, metrics, Retries(min_backoff=1, max_backoff=1)) as (broker, _):

        @dramatiq.actor(broker=broker)
        def work() -> None:
            attempts.append(1)
            if len(attempts) == 1:
                raise RuntimeError

        work.send()
        until(lambda: kept(broker) == 0, "the second attempt")
        metrics.after_worker_shutdown = lambda *_: None  # it needs a process of several
    assert len(attempts) == 2
    assert samples(metrics.total_retried_messages) == {DELAYED: 1.0, "default": 1.0}
    assert samples(metrics.inprogress_delayed_messages) == {DELAYED: 1.0, "default": -1.0}


def samples(metric: prometheus_client.metrics.MetricWrapperBase) -> dict[str, float]:
    """Values by queue."""
    found = [each for family in metric.collect() for each in family.samples if not each.name.endswith("_created")]
    return {each.labels["queue_name"]: each.value for each in found}


def test_stock_writes_while_it_waits(valkey: BrokerServer) -> None:
    """Each look for work is a write, and a durable server syncs its disk for it."""
    with stock(valkey.url) as (broker, _), valkey.client() as client:
        broker.declare_queue("default")
        before = written(client)
        until(lambda: written(client) > before, "a write of a worker with nothing to do")


def written(client: "redis.Redis") -> int:
    """Bytes in the server's append-only file."""
    return int(client.info("persistence")["aof_current_size"])
