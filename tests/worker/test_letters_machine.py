"""Retries, dead letters and replay as a machine: whatever happens in whatever order, nothing is lost, nothing doubled.

Hypothesis draws what arrives, what operators do, when time passes and where processes die; see `machine` for what of
it is real and `machine_rules` for what must hold.
"""

import functools
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from unittest import mock

import orjson
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from handlers import effects
from handlers.events import WHOLE_BODY, Delivery
from handlers.store import schema
from tests.databases import prepare
from tests.sizes import size
from tests.worker.letters import ANNA, ZONE
from tests.worker.machine import FAILS, PLANT, SHAKES, START, Faults, Mortal, Site
from tests.worker.machine_rules import WORK, Machine
from worker import acts
from worker.scheduler import RING_LEASE

STEPS = 30


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'machine.db'}"
        prepare(url)
    else:
        url = request.getfixturevalue("migrated_url")
    database = Mortal(url)
    yield database
    database.close()


def _run(database: Mortal, folder: Path, examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    machine = functools.partial(Machine, database, folder)
    run_state_machine_as_test(machine, settings=chosen)  # type: ignore[arg-type]  # it calls whatever it is given


def test_nothing_is_lost_or_doubled_whatever_happens_to_letters(database: Mortal, tmp_path: Path) -> None:
    _run(database, tmp_path, 40 if database.dialect == "sqlite" else 10)


@pytest.mark.long
@pytest.mark.timeout(size(300, 4 * 3600))
def test_nothing_is_lost_or_doubled_in_a_great_many_histories(database: Mortal, tmp_path: Path) -> None:
    _run(database, tmp_path, size(100, 5_000 if database.dialect == "sqlite" else 1_000))


def test_a_batch_that_comes_once_more_forgets_no_attempt_of_what_is_tried_again(
    database: Mortal, tmp_path: Path
) -> None:
    """Found by the machine.

    Given a row that has failed twice, when the broker, which did not hear that the batch was committed, hands it out
    again, then the row stays as it is.
    """
    site = Site(database, tmp_path, Faults(database))
    element = orjson.dumps({"type": "work_order.updated", "occurred_at": "2026-03-01T08:00:00Z"} | WORK)
    body = b'[%s,{"shaken_by":"%s9:0"}]' % (element, SHAKES.encode())
    batch = [Delivery("d", PLANT, START, body, {})]
    site.process(batch, 1)
    site.now += timedelta(hours=1)
    site.ring(RING_LEASE)
    site.dispatcher.process_rows(site.bells.pop())
    [before] = site.rows(schema.retries)
    assert before["attempt"] == 2

    site.process(batch, 2)

    assert site.rows(schema.retries) == [before]


def test_two_events_of_a_delivery_that_fail_for_the_last_time_are_two_letters(database: Mortal, tmp_path: Path) -> None:
    """Found by the machine.

    They were told apart by the delivery's digest, so the second became an attempt of the first and was lost.
    """
    faults = Faults(database)
    site = Site(database, tmp_path, faults)
    events = [
        {
            "type": "work_order.updated",
            "occurred_at": "2026-03-01T08:00:00Z",
            "data": {"key": key, "title": FAILS + "99:0"},
        }
        for key in ("WO-1", "WO-2")
    ]
    with mock.patch.object(effects, "load", return_value=faults.effects):
        site.process([Delivery("d", PLANT, START, orjson.dumps(events), {})], 1)
        for _ in range(20):
            site.now += timedelta(hours=2)
            site.ring(RING_LEASE)
            while site.bells:
                site.dispatcher.process_rows(site.bells.pop())

    assert [(row["event_index"], row["state"]) for row in site.rows(schema.dead_letters)] == [(0, "open"), (1, "open")]


def test_a_letter_of_a_whole_body_is_closed_once_a_repeat_of_it_is_read(database: Mortal, tmp_path: Path) -> None:
    """Given a body of two events whose source failed for the last time, when a repeat is applied, its letter closes."""
    site = Site(database, tmp_path, Faults(database))
    elements = [
        orjson.dumps(
            {"type": "work_order.updated", "occurred_at": "2026-03-01T08:00:00Z", "x": SHAKES + "12:0"} | WORK
        ),
        b'{"type": "unreadable"}',
    ]
    body = b"[%s]" % b",".join(elements)
    site.process([Delivery("first", PLANT, START, body, {})], 1)
    for _ in range(12):
        site.now += timedelta(hours=2)
        site.ring(RING_LEASE)
        while site.bells:
            site.dispatcher.process_rows(site.bells.pop())
    [letter] = site.rows(schema.dead_letters)
    assert (letter["event_index"], letter["state"]) == (WHOLE_BODY, "open")

    site.process([Delivery("second", PLANT, site.now, body, {})], 1)

    states = {(row["delivery_id"], row["event_index"]): row["state"] for row in site.rows(schema.dead_letters)}
    assert states == {("first", WHOLE_BODY): "superseded", ("second", 1): "open"}
    assert len(site.rows(schema.events)) == 1


def test_what_an_operator_has_left_out_does_not_come_back_with_its_batch(database: Mortal, tmp_path: Path) -> None:
    """Found by the machine: its letter was given up and the cause mended before the broker handed it out again."""
    site = Site(database, tmp_path, Faults(database))
    element = orjson.dumps({"type": "work_order.updated", "occurred_at": "2026-03-01T08:00:00"} | WORK)
    batch = [Delivery("d", PLANT, START, element, {})]
    site.process(batch, 1)
    assert acts.discard(database, [("d", 0)], {}, ANNA, site.now) == [("d", 0)]
    site.connect(PLANT, ZONE)

    site.process(batch, 2)

    assert site.rows(schema.events) == []
    assert [row["state"] for row in site.rows(schema.dead_letters)] == ["discarded"]
