"""A broker that is away for hours is told in a few lines, not in three a second."""

import dataclasses
import logging

import dramatiq.worker
import pytest
import redis
from structlog.testing import capture_logs

from tests.servers import BrokerServer, valkey_server
from tests.worker.brokers import Recorder, delivery, enqueue, until, working
from worker import outages
from worker.outages import EVERY_SECONDS, Outage


@dataclasses.dataclass
class _Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_outage_is_told_when_it_begins_seldom_while_it_lasts_and_when_it_is_over() -> None:
    clock = _Clock()
    outage = Outage("broker_away", "broker_back", clock=clock, lane="live")
    with capture_logs() as lines:
        outage.ended()
        for _ in range(25):
            outage.failed(ConnectionError("refused"))
            clock.now += 1
        outage.ended()
        outage.ended()
        outage.failed(ConnectionError())

    away = {"event": "broker_away", "log_level": "warning", "lane": "live"}
    assert lines == [
        {**away, "attempts": 1, "reason": "refused"},
        {**away, "attempts": 11, "reason": "refused"},
        {**away, "attempts": 21, "reason": "refused"},
        {"event": "broker_back", "log_level": "info", "lane": "live", "attempts": 25, "seconds": 25.0},
        {**away, "attempts": 1, "reason": "ConnectionError"},
    ]
    assert EVERY_SECONDS == 10


def test_each_lane_of_a_worker_tells_an_outage_once_and_dramatiq_nothing(
    valkey_session: BrokerServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    del valkey_session  # it skips where there is none
    monkeypatch.setattr(dramatiq.worker, "CONSUMER_RESTART_DELAY_SECS", 0.05)
    monkeypatch.setattr(outages, "EVERY_SECONDS", 1000.0)
    recorder = Recorder()
    with (
        caplog.at_level(logging.INFO),
        capture_logs() as lines,
        valkey_server() as server,
        working(server.url, recorder, threads=1) as broker,
    ):
        enqueue(server.url, delivery(0))
        until(lambda: recorder.numbers == ["d-0"], "the first batch")
        server.kill()
        until(lambda: all(outage._attempts > 1 for outage in broker._outages.values()), "two attempts of each lane")
        server.start()
        until(lambda: sum(line["event"] == "broker_back" for line in lines) == 3, "every lane")
        enqueue(server.url, delivery(1))
        until(lambda: recorder.numbers == ["d-0", "d-1"], "the second batch")

    told = sorted((line["event"], line["lane"]) for line in lines if line["event"].startswith("broker_"))
    assert told == [(event, lane) for event in ("broker_away", "broker_back") for lane in ("again", "heavy", "live")]
    assert all(line["attempts"] > 1 for line in lines if line["event"] == "broker_back")
    assert [record.getMessage() for record in caplog.records if "onsumer" in record.getMessage()] == []


def test_what_else_dramatiq_has_to_say_is_still_heard(caplog: pytest.LogCaptureFixture) -> None:
    outages.tell_instead_of_dramatiq("odd")
    logger = dramatiq.get_logger("dramatiq.worker", "ConsumerThread(odd)")  # type: ignore[no-untyped-call]  # untyped
    logger.critical("Consumer encountered a connection error: %s", redis.ConnectionError())
    logger.critical("Consumer encountered an unexpected error.")
    assert [record.getMessage() for record in caplog.records] == ["Consumer encountered an unexpected error."]


def test_dramatiq_still_says_it_in_these_words() -> None:
    """Should another version say it otherwise, its lines would be back beside ours."""
    source = dramatiq.worker.ConsumerThread.run.__code__.co_consts
    assert set(outages.OF_DRAMATIQ) <= set(source)
