"""Old bytes go where a setting says so: what they told stays, and whoever needs them is told that they are gone."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY
from handlers.store import audit, read_deliveries, schema
from tests import folding
from tests.worker.letters import ANNA, ZONE, Yard, order, zoneless
from tests.worker.purges import archived, purge, purging, with_bytes
from tests.worker.rebuilding import assert_given_back, check, cleared, distrust, everything, rebuilt
from tests.worker.test_endpoints import of, peopled
from worker import acts
from worker.audit import verify

DAY = timedelta(days=1)


def test_what_is_old_goes_with_its_row_in_the_audit_log_and_what_it_told_stays(yard: Yard) -> None:
    first = yard.send(order("e1", title="seal", asset_key="PUMP-7"), order("e2", "WO-2"))
    yard.now += 10 * DAY
    second = yard.send(order("e3", title="bearing"))
    tick = purging(yard, "30d")
    stood = everything(yard)

    yard.now += 20 * DAY
    assert tick.work() == 0
    yard.now += timedelta(microseconds=1)
    assert tick.work() == 1
    assert tick.work() == 0

    assert (archived(yard), with_bytes(yard)) == ({second}, {second})
    assert everything(yard) == stood
    row = yard.acts()[-1]
    assert (row.who, row.act, row.reason) == ("scheduler", "archive.purge", "MAINTENWORKS_ARCHIVE_RETENTION is 30d")
    told = {name: row.outcome[name] for name in ("deliveries", "events", "connections")}
    assert told == {"deliveries": 1, "events": 2, "connections": ["plant"]}
    assert [each.act for each in yard.acts()].count("archive.purge") == 1
    assert verify(audit.entries(yard.database), audit.head(yard.database)).findings == []
    [story] = read_deliveries.stories(yard.database, first)
    assert story.purged_at == yard.now
    assert {each.event_id for each in story.events} == {"e1", "e2"}
    assert read_deliveries.delivery(yard.database, first) is None
    [kept] = yard.rows(schema.checkpoints)
    assert (kept["deliveries"], kept["bytes"], kept["newest"]) == (1, row.outcome["bytes"], story.received_at)
    assert_given_back(yard)


def test_what_is_not_settled_stays_and_goes_once_it_is(yard: Yard) -> None:
    """What waits for its connection to be resumed, and what waits for somebody to mend its map."""
    failed = yard.send(zoneless("e1"))
    yard.connect("plant", "paused = true")
    waits = yard.send(order("e2", "WO-2"))
    yard.now += 400 * DAY
    assert purge(yard, yard.now) == 0
    assert archived(yard) == {failed, waits}

    yard.connect("plant", ZONE)
    yard.work()
    yard.replay(state="open")
    assert purge(yard, yard.now) == 2
    assert_given_back(yard)


def test_an_open_letter_keeps_its_bytes_and_what_was_given_up_does_not(yard: Yard) -> None:
    """What an operator has left out stays out, though nobody could read it any more."""
    waits, gives_up = yard.send(zoneless("e1")), yard.send(zoneless("e2", "WO-2"))
    sent = yard.send(order("e3", "WO-3"))
    acts.discard(yard.database, [(gives_up, 0)], {}, ANNA, yard.now)
    yard.now += 400 * DAY

    assert purge(yard, yard.now) == 2
    assert archived(yard) == {waits}
    yard.connect("plant", ZONE)
    assert check(yard).findings == []
    rebuilt(yard)
    assert yard.outcomes() == {"e1": "applied", "e3": "applied"}
    assert sent not in archived(yard)


def test_what_repeats_an_event_waits_until_the_one_that_told_it_first_has_gone(yard: Yard) -> None:
    first = yard.send(order("e1", title="seal"), zoneless("e2", "WO-2"))
    yard.now += timedelta(minutes=1)
    repeats = yard.send(order("e1", title="seal"))
    yard.now += 400 * DAY

    assert purge(yard, yard.now) == 0
    assert archived(yard) == {first, repeats}
    yard.connect("plant", ZONE)
    yard.replay(state="open")
    assert purge(yard, yard.now) == 2
    assert_given_back(yard)


def test_bytes_that_come_again_are_kept_with_whoever_needs_them_and_change_nothing(yard: Yard) -> None:
    """Given three deliveries of the same bytes: they pass from one to the next, and a fourth brings its own."""
    told = order("e1", title="seal")
    names = []
    for _ in range(3):
        names.append(yard.send(told))
        yard.now += DAY
    assert with_bytes(yard) == {names[0]}
    stood, start = everything(yard), yard.now - 3 * DAY

    assert purge(yard, start + timedelta(hours=1)) == 1
    assert with_bytes(yard) == {names[1]}
    assert purge(yard, yard.now) == 2
    assert with_bytes(yard) == set()
    fourth, fifth = yard.send(told), yard.send(told)

    assert with_bytes(yard) == {fourth}
    assert {fourth, fifth} == archived(yard)
    assert yard.outcomes() == {"e1": "applied"}
    assert everything(yard) == stood
    assert [each.repeat_of for each in read_deliveries.stories(yard.database, names[0])] == [None]
    assert_given_back(yard)


def test_the_same_delivery_from_the_broker_after_its_purge_changes_nothing(yard: Yard) -> None:
    name = yard.send(order("e1"), order("e2"))
    again = read_deliveries.delivery(yard.database, name)
    assert again is not None
    yard.now += DAY
    assert purge(yard, yard.now) == 1
    stood = everything(yard)

    yard.process(again)
    yard.suspected(again)
    yard.now += DAY
    yard.work()

    assert everything(yard) == stood
    assert (archived(yard), yard.rows(schema.retries)) == (set(), [])


def test_nobody_can_have_it_worked_on_again(yard: Yard) -> None:
    name = yard.send(order("e1"))
    yard.now += DAY
    assert purge(yard, yard.now) == 1
    with pytest.raises(PermanentError, match="its bytes were purged at 2026-03-03") as refused:
        acts.again(yard.database, [(name, WHOLE_BODY, "plant")], name, ANNA, yard.now)
    assert refused.value.code == "purged"
    assert yard.rows(schema.retries) == []


def test_a_changed_map_reaches_what_is_archived_and_leaves_the_rest_as_it_was_read(yard: Yard) -> None:
    """What had been read by an older map when it went is kept as the map of then reads it, as a rebuild would have."""
    told = {"key": "WO-1", "status": "REL"}
    yard.connect("plant", 'status_map = { REL = "approved" }')
    yard.send({**order("e1"), "data": told})
    yard.now += DAY
    assert purge(yard, yard.now) == 1
    yard.send({**order("e2", "WO-2"), "data": {**told, "key": "WO-2"}})

    yard.connect("plant", 'status_map = { REL = "scheduled" }')
    looked = check(yard)
    done = rebuilt(yard)

    of_second = {"extra": 1, "differs": 1, "missing": 1}  # the order, and its line of history under another stamp
    assert (looked.findings, looked.checked.older_map) == ([], sum(of_second.values()))
    assert done.rows == of_second
    statuses = {row["key"]: row["status"] for row in yard.rows(schema.work_orders)}
    assert statuses == {"WO-1": "approved", "WO-2": "scheduled"}
    assert rebuilt(yard).rows == {}


def test_what_the_map_of_now_reads_otherwise_stays_until_a_rebuild_has_read_it(yard: Yard) -> None:
    """Its events are not those that are recorded, so that their fold would not be what stands."""
    name = yard.send(zoneless("e1"), order("e2", "WO-2"))
    acts.discard(yard.database, [(name, 0)], {}, ANNA, yard.now)
    other = yard.send(zoneless("e3", "WO-3"))
    yard.connect("plant", ZONE)
    with yard.database.write() as connection:
        connection.execute(sa.delete(schema.dead_letters).where(schema.dead_letters.c.delivery_id == other))
    yard.now += DAY
    assert purge(yard, yard.now) == 1
    assert archived(yard) == {other}

    rebuilt(yard)
    yard.now += DAY
    assert purge(yard, yard.now) == 1
    assert_given_back(yard)


def test_a_connection_that_nobody_registers_keeps_its_bytes(local: Yard) -> None:
    """Nobody could read them once more, to fold them."""
    local.connect("gone")
    local.send(order("e1"), to="gone")
    local._connections.pop("gone")
    local.connect("plant")
    local.now += DAY
    assert purge(local, local.now) == 0


def test_what_came_before_the_checkpoint_cannot_be_distrusted_and_the_refusal_says_from_when_on(yard: Yard) -> None:
    start = yard.now
    yard.send(order("e1"))
    yard.now += DAY
    yard.send(order("e2", title="forged"))
    assert purge(yard, yard.now) == 1
    stood = everything(yard)

    with pytest.raises(PermanentError, match=r"purged up to 2026-03-02T00:00:00Z.*Name a time after that") as refused:
        distrust(yard, start)
    assert (refused.value.code, everything(yard)) == ("purged", stood)

    reached, _ = distrust(yard, start + timedelta(seconds=1))
    assert reached.deliveries == 1
    assert set(yard.outcomes()) == {"e1"}


def test_what_came_beside_what_is_purged_can_be_distrusted(yard: Yard) -> None:
    """Given one that is not settled, and a later one that has gone."""
    start = yard.now
    stays = yard.send(order("e1", title="forged"), zoneless("late"))
    yard.now += DAY
    yard.send(order("e2", "WO-2"))
    yard.now += DAY
    assert purge(yard, yard.now) == 1

    reached, _ = distrust(yard, start, start + timedelta(hours=1))
    assert reached.deliveries == 1
    assert (set(yard.outcomes()), archived(yard)) == ({"e2"}, {stays})
    with pytest.raises(PermanentError, match="Name a time after that"):
        distrust(yard, start, start + 2 * DAY)


def test_bytes_go_to_a_repeat_that_is_in_the_set_before_one_that_is_evidence(yard: Yard) -> None:
    start = yard.now
    yard.send(order("e1"))
    yard.now += timedelta(minutes=1)
    yard.send(order("e1"))
    distrust(yard, start + timedelta(seconds=1), yard.now + timedelta(seconds=1))
    yard.now += DAY
    trusted = yard.send(order("e1"))
    assert purge(yard, yard.now) == 1

    assert with_bytes(yard) == {trusted}
    assert_given_back(yard)


def test_what_is_distrusted_is_evidence_and_stays_with_its_bytes(yard: Yard) -> None:
    start = yard.now
    good = yard.send(order("e1"))
    yard.now += DAY
    bad = yard.send(order("e1"))
    distrust(yard, start + timedelta(seconds=1))
    yard.now += DAY
    assert purge(yard, yard.now) == 1
    assert (archived(yard), with_bytes(yard)) == ({bad}, {bad})
    assert good not in archived(yard)
    assert_given_back(yard)


def test_a_shared_body_goes_once_each_part_is_kept_and_never_while_one_is_distrusted(tmp_path: Path) -> None:
    database = folding.sqlite(tmp_path)
    hub = peopled(database, tmp_path)
    first = hub.send(of("NORTH", order("e1")), of("SOUTH", order("e2", title="s")), to="hub")
    hub.now += DAY
    second = hub.send(of("NORTH", order("e3", title="forged")), of("SOUTH", order("e4", "WO-2")), to="hub")
    distrust(hub, hub.now - timedelta(hours=1), of="north")
    hub.now += DAY
    assert purge(hub, hub.now) == 1
    assert (archived(hub), with_bytes(hub)) == ({second}, {second})
    assert first not in archived(hub)
    stood = everything(hub)
    for each in ("north", "south"):
        assert check(hub, connection_id=each).findings == []
        assert rebuilt(hub, connection_id=each).rows == {}
    cleared(hub, *folding.STATE, schema.events)
    for each in ("north", "south"):
        rebuilt(hub, connection_id=each)
    assert everything(hub) == stood
    with pytest.raises(PermanentError, match="purged up to"):
        distrust(hub, hub.now - 3 * DAY, of="south")
    database.close()
