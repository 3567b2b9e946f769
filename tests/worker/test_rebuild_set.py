"""What of the archive is in the set when state is computed anew: dead letters, what waits, what was given up."""

from datetime import timedelta

import orjson
import pytest
import sqlalchemy as sa

from handlers.events import WHOLE_BODY, Delivery
from handlers.store import schema
from handlers.store.read_deliveries import delivery
from tests.worker.letters import ANNA, NOW, ZONE, Yard, order, zoneless
from tests.worker.rebuilding import check, edited, rebuilt
from worker import acts
from worker.queue import Undecodable, encode


def test_a_dead_letter_that_can_be_read_now_is_told_apart_and_applied(yard: Yard) -> None:
    yard.send(zoneless("evt-1", title="seal"))
    yard.connect("plant", ZONE)

    looked = check(yard)
    assert (looked.findings, looked.checked.readable) == ([], 1)
    done = rebuilt(yard)

    assert done.failures["applied"] == 1
    assert yard.letter().state == "superseded"
    assert [row["title"] for row in yard.rows(schema.work_orders)] == ["seal"]
    assert check(yard).checked.readable == 0
    [act] = yard.acts()
    assert (act.who, act.act, act.reason) == (ANNA.who, "rebuild", ANNA.reason)


def test_what_can_no_longer_be_read_becomes_a_dead_letter(yard: Yard) -> None:
    yard.connect("plant", ZONE)
    yard.send(zoneless("evt-1"), order("evt-2", "WO-2"))
    yard.connect("plant")

    done = rebuilt(yard)

    assert done.failures["buried"] == 1
    assert (yard.letter().code, yard.letter().state) == ("missing_time_zone", "open")
    assert [row["key"] for row in yard.rows(schema.work_orders)] == ["WO-2"]
    assert (rebuilt(yard).failures, check(yard).findings) == ({}, [])


def test_an_open_letter_that_fails_again_stays_as_it_is(local: Yard) -> None:
    local.send(zoneless("evt-1"))
    before = local.rows(schema.dead_letters)

    rebuilt(local)

    assert local.rows(schema.dead_letters) == before


def test_what_was_given_up_or_corrected_stays_out_and_the_corrected_copy_is_in(local: Yard) -> None:
    given_up, corrected = local.send(zoneless("evt-1", "WO-1")), local.send(zoneless("evt-2", "WO-2"))
    first, second = sorted(local.letters(), key=lambda letter: letter.delivery_id)
    assert (first.delivery_id, second.delivery_id) == (given_up, corrected)
    acts.discard(local.database, [first.key], {}, ANNA, NOW)
    original = delivery(local.database, corrected)
    assert original is not None
    mended = orjson.dumps(order("evt-2", "WO-2", title="mended"))
    acts.edit(local.database, second, original, mended, operator=ANNA, now=NOW)
    local.work()
    local.connect("plant", ZONE)

    assert check(local).findings == []
    rebuilt(local)

    assert [row["title"] for row in local.rows(schema.work_orders)] == ["mended"]


@pytest.mark.parametrize("code", ["poison", "refused_by_database"])
def test_what_ended_workers_is_not_read_again(local: Yard, code: str) -> None:
    local.send(zoneless("evt-1"))
    edited(local, sa.update(schema.dead_letters).values(code=code))
    local.connect("plant", ZONE)

    rebuilt(local)

    assert local.rows(schema.events) == []
    assert local.letter().state == "open"


def test_what_waits_for_a_paused_connection_goes_on_waiting(local: Yard) -> None:
    local.send(order("evt-1"))
    local.connect("plant", "paused = true")
    local.send(order("evt-2", "WO-2"))

    assert check(local).findings == []
    rebuilt(local)

    assert list(local.outcomes()) == ["evt-1"]
    assert len(local.rows(schema.retries)) == 1


def test_an_event_that_is_replayed_just_now_is_in_the_set(local: Yard) -> None:
    sent = local.send(order("evt-1"))
    acts.again(local.database, [(sent, 0, "plant")], sent, ANNA, NOW)

    assert check(local).findings == []
    assert rebuilt(local).rows == {}


def test_what_had_to_wait_for_its_time_is_in_the_set_once_that_has_come(local: Yard) -> None:
    local.send(order("evt-1", at="2026-03-02T01:00:00Z"))
    assert local.letter().code == "clock_skew"
    assert (check(local).checked.readable, rebuilt(local).failures) == (0, {})
    local.now = NOW + timedelta(hours=2)
    local.beat()
    assert list(local.outcomes()) == ["evt-1"]

    assert check(local).findings == []
    assert rebuilt(local).rows == {}


def test_a_letter_for_a_whole_body_is_closed_once_its_events_can_be_told_apart(yard: Yard) -> None:
    """Its bytes are those of none of them."""
    yard.send(order("evt-1"), order("evt-2", "WO-2"), zoneless("evt-3"), to="later")
    yard.connect("later")

    done = rebuilt(yard, connection_id="later")

    assert done.failures == {"applied": 1, "buried": 1}
    assert set(yard.outcomes()) == {"evt-1", "evt-2"}
    assert {(each.event_index, each.code, each.state) for each in yard.letters()} == {
        (WHOLE_BODY, "unknown_connection", "superseded"),
        (2, "missing_time_zone", "open"),
    }


def test_a_message_of_the_queue_that_could_be_read_in_the_end_is_in_the_set(local: Yard) -> None:
    """It was kept in place of its delivery, by a version that could not read it."""
    came = Delivery("d1", "plant", NOW, orjson.dumps(order("evt-1", title="seal")))
    local.process(Undecodable("plant", encode(came), "a version of another day"))
    assert local.letter().state == "open"
    assert (check(local).findings, check(local).checked.readable) == ([], 1)

    rebuilt(local)

    assert local.letter().state == "superseded"
    assert [row["title"] for row in local.rows(schema.work_orders)] == ["seal"]
    assert check(local).findings == []
    assert rebuilt(local).rows == {}
