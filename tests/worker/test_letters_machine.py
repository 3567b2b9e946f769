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
from handlers.events import Delivery
from handlers.store import migrate, schema
from tests.sizes import size
from tests.worker.machine import FAILS, PLANT, SHAKES, START, Faults, Mortal, Site
from tests.worker.machine_rules import WORK, Machine
from worker.scheduler import RING_LEASE

STEPS = 30


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mortal]:
    if request.param == "sqlite":
        database = Mortal(f"sqlite:///{tmp_path / 'machine.db'}")
    else:
        database = Mortal(request.getfixturevalue("postgres_url"))
    migrate.upgrade(database)
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
