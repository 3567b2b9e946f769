"""`maintenworks_replays_total`: what operators' replays come to, each letter once, where it ends."""

import os
import subprocess
import sys
from pathlib import Path

from handlers.events import WHOLE_BODY
from tests.worker.letters import ANNA, ZONE, Yard, order, zoneless
from worker import acts, replay, telemetry
from worker.tally import REPLAY_OUTCOMES
from worker.units import PAUSE


def _counts() -> dict[str, float]:
    return {outcome: telemetry.REPLAYS.labels(outcome)._value.get() for outcome in REPLAY_OUTCOMES}


def _rise(before: dict[str, float]) -> dict[str, float]:
    return {outcome: value - before[outcome] for outcome, value in _counts().items() if value != before[outcome]}


def test_each_letter_counts_once_by_how_it_ended(yard: Yard) -> None:
    before = _counts()
    yard.send(zoneless("new", status="approved"), zoneless("twin"), order("bad", at="yesterday"))
    yard.connect("plant", ZONE)
    yard.send(zoneless("twin"), to="plant")
    assert _rise(before) == {}

    yard.replay(state="open")

    assert _rise(before) == {"applied": 1, "dead_letter": 1}
    yard.replay(state="open")
    assert _rise(before) == {"applied": 1, "dead_letter": 2}


def test_what_was_applied_meanwhile_counts_as_a_duplicate(yard: Yard) -> None:
    yard.send(zoneless("twin"))
    replay.run(yard.database, yard.start(), clock=lambda: yard.now)
    yard.connect("plant", ZONE)
    yard.send(zoneless("twin"))
    before = _counts()

    yard.work()

    assert _rise(before) == {"duplicate": 1}


def test_what_is_put_off_has_not_ended(yard: Yard) -> None:
    yard.send(zoneless("e1"))
    replay.run(yard.database, yard.start(), clock=lambda: yard.now)
    yard.connect("plant", ZONE, "paused = true")
    before = _counts()
    yard.work()
    assert _rise(before) == {}

    yard.connect("plant", ZONE)
    yard.now += PAUSE
    yard.work()

    assert sum(_rise(before).values()) == 1


def test_a_body_ends_as_badly_as_the_worst_of_its_events(yard: Yard) -> None:
    yard.send(order("a"), order("b", at="yesterday"), to="late")
    yard.connect("late")
    before = _counts()

    yard.replay(state="open")

    assert _rise(before) == {"dead_letter": 1}


def test_an_event_that_is_worked_on_once_more_after_its_letter_has_ended_is_not_counted_again(yard: Yard) -> None:
    name = yard.send(zoneless("e1"), zoneless("e2", "WO-2"))
    yard.connect("plant", ZONE)
    before = _counts()
    yard.replay()
    assert sum(_rise(before).values()) == 2

    acts.again(yard.database, [(name, WHOLE_BODY, "plant")], name, ANNA, yard.now)
    yard.work()

    assert sum(_rise(before).values()) == 2


def test_what_the_scheduler_sends_by_itself_is_no_replay(yard: Yard) -> None:
    yard.send(order("a"), to="late")
    yard.connect("late")
    before = _counts()

    assert yard.beat() == 1

    assert yard.outcomes() == {"a": "applied"}
    assert _rise(before) == {}


def test_before_the_first_replay_every_outcome_is_shown_as_zero(tmp_path: Path) -> None:
    code = "from worker.tally import begin_counting; begin_counting()"
    environment = {**os.environ, telemetry.MULTIPROCESS_DIR: str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=120)
    code = "from worker import telemetry; print(telemetry.metrics_page(None)[1].decode())"
    page = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True, timeout=60
    ).stdout
    for outcome in REPLAY_OUTCOMES:
        assert f'maintenworks_replays_total{{outcome="{outcome}"}} 0.0\n' in page
