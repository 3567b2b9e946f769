"""A schedule and a stream are functions of the seed, and hold what each run is meant to meet."""

import itertools
import json
from collections import Counter

import pytest

from tests.chaos.plan import SQLITE, Plan
from tests.chaos.schedule import BROKER, DATABASE, DISK, FROZEN, FULL, KILLED, QUIET_SECONDS, WORKERS, schedule
from tests.chaos.stream import Fate

SEEDS = range(1, 21)
SMALL, LARGE = 2_000, 20_000


def test_the_same_seed_makes_the_same_run_and_another_makes_another() -> None:
    assert Plan(1, SMALL).schedule() == Plan(1, SMALL).schedule()
    assert Plan(1, SMALL).stream() == Plan(1, SMALL).stream()
    assert Plan(1, SMALL).schedule() != Plan(2, SMALL).schedule()
    assert Plan(1, SMALL).stream() != Plan(2, SMALL).stream()


@pytest.mark.parametrize("seed", SEEDS)
def test_each_small_run_meets_every_fault_whose_recovery_is_promised(seed: int) -> None:
    faults = {(fault.what, fault.target) for fault in Plan(seed, SMALL).schedule()}

    assert {(KILLED, BROKER), (KILLED, DATABASE), (FULL, DISK)} <= faults
    assert faults & {(KILLED, worker) for worker in WORKERS}
    assert faults & {(FROZEN, worker) for worker in WORKERS}


def test_a_file_is_no_server_that_could_be_killed_or_talked_to() -> None:
    faults = Plan(1, LARGE, SQLITE).schedule()

    assert len(faults) > 50
    assert not [fault for fault in faults if DATABASE in {fault.target, fault.server}]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_befalls_anyone_twice_at_a_time_and_what_comes_alone_is_alone(seed: int) -> None:
    faults = schedule(seed, 300.0, has_database_server=True)
    assert faults == sorted(faults, key=lambda fault: fault.at)
    for one, other in itertools.combinations(faults, 2):
        if (one.target, one.server) == (other.target, other.server):
            assert one.at + one.seconds <= other.at + 0.01  # times are rounded
        if one.alone:
            assert one.at + one.seconds + QUIET_SECONDS <= other.at + 0.01
        if other.alone:
            assert one.at + one.seconds + QUIET_SECONDS <= other.at + 0.01
    assert [fault for fault in faults if fault.alone]


def test_a_stream_holds_repeats_equal_times_reused_ids_and_what_cannot_be_read() -> None:
    events, posts = Plan(1, SMALL).stream()
    bodies = Counter((post.connection, post.body) for post in posts)
    read = [json.loads(event.raw) for event in events if event.fate is Fate.FOLDED]
    times = Counter((each["data"]["key"], each["occurred_at"]) for each in read)
    ids = Counter((event.connection, json.loads(event.raw).get("id")) for event in events if event.fate is Fate.FOLDED)

    assert max(bodies.values()) > 1
    assert max(times.values()) > 1
    assert max(count for (_, named), count in ids.items() if named is not None) > 1
    assert [each for each in read if "id" not in each]
    assert {post.events for post in posts} >= {1, 2, 3}
    assert {event.fate for event in events} == set(Fate)
