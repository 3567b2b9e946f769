"""The simulated plants: the same each time, complete, and true to what they say really happened."""

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from handlers.events import Delivery, Event, MappingOptions, Unmapped
from handlers.sources import unified
from handlers.store.deliveries import body_digest
from worker.demo.disorder import REPEATED, disordered, traffic
from worker.demo.episodes import LEAST_PAUSE
from worker.demo.plant import Manner, run
from worker.demo.play import LEAST_EVENTS, MANNERS
from worker.demo.spelling import Outgoing
from worker.demo.told import BEGIN, END, WINDOW, Stop, down, merged

HOUR = timedelta(hours=1)
every_manner = pytest.mark.parametrize("manner", MANNERS, ids=lambda manner: manner.connection)


def _read(manner: Manner, outgoing: Outgoing) -> list[Event | Unmapped]:
    delivery = Delivery(
        "d", manner.connection, END + timedelta(days=100), outgoing.body, {"webhook-id": outgoing.message_id}
    )
    return unified.read(delivery, MappingOptions())


@every_manner
def test_the_same_seed_is_the_same_traffic_and_another_one_another(manner: Manner) -> None:
    assert traffic(manner, 400, 7) == traffic(manner, 400, 7)
    assert traffic(manner, 400, 7)[1] != traffic(manner, 400, 8)[1]


@every_manner
@pytest.mark.parametrize("events", [LEAST_EVENTS // len(MANNERS), 100, 101, 999, 3333])
def test_exactly_as_many_different_events_are_sent_as_were_asked_for(manner: Manner, events: int) -> None:
    _, line = traffic(manner, events, 7)
    digests = {digest for each in line if not each.forged for digest in each.digests}
    assert len(digests) == events


@every_manner
def test_the_source_reads_what_the_system_spells_and_knows_it_by_the_same_digests(manner: Manner) -> None:
    _, line = traffic(manner, 1000, 7)
    for outgoing in line:
        assert tuple(each.digest for each in _read(manner, outgoing)) == outgoing.digests


@every_manner
def test_some_events_cannot_be_read_and_some_are_of_no_known_type(manner: Manner) -> None:
    _, line = traffic(manner, 1000, 7)
    read = {each.digest: each for outgoing in line if not outgoing.forged for each in _read(manner, outgoing)}
    codes = Counter(each.error.code for each in read.values() if isinstance(each, Unmapped))
    types = Counter(each.type for each in read.values() if isinstance(each, Event))
    assert codes == {"malformed_json": 2, "missing_field": 3}
    assert [count for type_, count in types.items() if type_.endswith("shift.handed_over")] == [5]


@every_manner
def test_about_a_fifth_is_sent_twice_byte_for_byte_and_some_is_forged(manner: Manner) -> None:
    _, line = traffic(manner, 3333, 7)
    counts = Counter(line)
    assert set(counts.values()) == {1, 2}
    twice = sum(count == 2 for count in counts.values())
    assert twice / len(counts) == pytest.approx(REPEATED, abs=0.05)
    assert sum(each.forged for each in line) >= 1
    assert all(count == 1 for each, count in counts.items() if each.forged)


@every_manner
def test_events_are_told_out_of_order(manner: Manner) -> None:
    _, line = traffic(manner, 1000, 7)
    times = [each.occurred_at for outgoing in line for each in _read(manner, outgoing) if isinstance(each, Event)]
    assert sum(earlier > later for earlier, later in pairwise(times)) > len(times) / 10


@every_manner
def test_machines_fail_and_stop_and_some_still_stand_at_the_end(manner: Manner) -> None:
    plant = run(manner, 3333, random.Random(7))
    stops = [stop for each in plant.stops.values() for stop in each]
    assert {stop.failure for stop in stops} == {True, False}
    assert any(stop.end is None for stop in stops)
    assert all(timedelta() < length < WINDOW for length in plant.down().values())
    assert len(plant.told) == 3333


@every_manner
def test_stops_that_are_not_one_outage_do_not_touch(manner: Manner) -> None:
    """Else the number of failures would depend on how touching stops are counted."""
    for stops in run(manner, 3333, random.Random(7)).stops.values():
        whole = list(merged(stops, BEGIN, END))
        assert all(later[0] - earlier[1] >= LEAST_PAUSE for earlier, later in pairwise(whole[1:]))


def test_down_time_is_the_union_of_the_stops_inside_the_window() -> None:
    stops = [
        Stop(BEGIN + 5 * HOUR, BEGIN + 7 * HOUR, failure=True),
        Stop(BEGIN - 3 * HOUR, BEGIN + HOUR, failure=True),
        Stop(BEGIN + 6 * HOUR, BEGIN + 8 * HOUR, failure=False),
        Stop(BEGIN + 6 * HOUR, BEGIN + 7 * HOUR, failure=False),
        Stop(END - HOUR, END + 9 * HOUR, failure=True),
        Stop(END - 2 * HOUR, None, failure=True),
        Stop(END + HOUR, None, failure=True),
    ]
    assert down(stops) == (1 + 3 + 2) * HOUR
    assert down([]) == timedelta()


def test_disorder_loses_nothing_and_doubles_nothing() -> None:
    items = [str(number) for number in range(2000)]
    others = [f"other {number}" for number in range(20)]
    found = list(disordered(items, others, random.Random(7)))
    assert sorted(found) == sorted(items + others)
    assert found[:2000] != items


def test_a_forged_event_would_change_the_figures_if_it_were_believed() -> None:
    plant, line = traffic(MANNERS[0], 300, 7)
    (forged, *_) = [each for each in line if each.forged]
    (event,) = _read(MANNERS[0], forged)
    assert isinstance(event, Event)
    assert (event.type, event.key in plant.stops) == ("asset.status_changed", True)
    assert forged.digests == (body_digest(forged.body),)
