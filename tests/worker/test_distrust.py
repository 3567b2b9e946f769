"""What a connection sent since its secret leaked leaves the set; its bytes stay, and its sender may come back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from handlers.events import WHOLE_BODY, Delivery
from handlers.store import schema
from handlers.store.engine import Database
from handlers.store.read_deliveries import delivery, stories
from tests import folding
from tests.worker.letters import ANNA, NOW, ZONE, Yard, order, zoneless
from tests.worker.rebuilding import check, distrust, everything
from worker import acts

MINUTE = timedelta(minutes=1)


@pytest.fixture
def yard(database: Database, tmp_path: Path) -> Yard:
    """An installation a quarter of an hour later, on each database by turns."""
    yard = Yard(database, tmp_path)
    yard.now = NOW + 15 * MINUTE
    return yard


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Yard]:
    """The same on SQLite."""
    database = folding.sqlite(tmp_path)
    yard = Yard(database, tmp_path)
    yard.now = NOW + 15 * MINUTE
    yield yard
    database.close()


def _came(name: str, minute: float, body: Any) -> Delivery:
    return Delivery(name, "plant", NOW + minute * MINUTE, orjson.dumps(body))


def _titles(yard: Yard) -> dict[str, str]:
    return {row["key"]: row["title"] for row in yard.rows(schema.work_orders)}


def test_what_touched_a_subject_is_undone_and_what_stood_before_stands_again(yard: Yard) -> None:
    good = order("evt-1", title="seal", status="approved", asset_key="PUMP-7")
    bad = order("evt-2", at="2026-03-01T09:00:00Z", title="gone", asset_down=True, asset_key="PUMP-8")
    yard.process(_came("d1", 0, good))
    before = everything(yard)
    yard.process(_came("d2", 10, bad), _came("d3", 11, order("evt-3", "WO-2")))

    reached, _ = distrust(yard, NOW + 5 * MINUTE)

    assert (reached.deliveries, reached.events) == (2, 2)
    assert everything(yard) == before
    marks = {row["delivery_id"]: row["distrusted_by"] for row in yard.rows(schema.deliveries)}
    assert marks == {"d1": None, "d2": ANNA.who, "d3": ANNA.who}
    [story] = stories(yard.database, "d2")
    assert (story.distrusted_at, story.events) == (yard.now, [])
    kept = delivery(yard.database, "d2")
    assert kept is not None
    assert kept.body == orjson.dumps(bad)
    [act] = yard.acts()
    assert (act.act, act.reason, act.outcome["deliveries"]) == ("connections.distrust", "secret leaked", 2)


def test_a_fact_that_was_told_before_as_well_stays_and_is_known_by_that_delivery(local: Yard) -> None:
    """The forged repeat was worked on first: the event bears its name until it leaves the set."""
    told = order("evt-1", title="seal")
    local.process(_came("d2", 10, told))
    local.process(_came("d1", 0, told))

    distrust(local, NOW + 5 * MINUTE)

    assert _titles(local) == {"WO-1": "seal"}
    [row] = local.rows(schema.events)
    assert (row["delivery_id"], row["received_at"]) == ("d1", NOW)
    [story] = stories(local.database, "d1")
    assert [event.event_id for event in story.events] == ["evt-1"]


def test_what_is_still_on_its_way_leaves_the_set_as_it_comes(yard: Yard) -> None:
    yard.process(_came("d1", 0, order("evt-1", title="seal")))
    distrust(yard, NOW + 5 * MINUTE, until=NOW + 20 * MINUTE)

    yard.process(_came("d2", 10, order("evt-2", title="late")), _came("d3", 11, b"no JSON".decode()))

    assert _titles(yard) == {"WO-1": "seal"}
    assert list(yard.outcomes()) == ["evt-1"]
    assert (yard.rows(schema.retries), yard.letters()) == ([], [])
    marked = [row["delivery_id"] for row in yard.rows(schema.deliveries) if row["distrusted_at"] is not None]
    assert marked == ["d2", "d3"]
    assert check(yard).findings == []


def test_a_repeat_by_a_sender_who_is_trusted_again_is_applied(local: Yard) -> None:
    told = order("evt-1", title="seal")
    local.process(_came("d1", 10, told))
    distrust(local, NOW, until=NOW + 20 * MINUTE)
    assert _titles(local) == {}

    local.process(_came("d2", 30, told))
    local.process(_came("d3", 15, told))

    assert _titles(local) == {"WO-1": "seal"}
    [row] = local.rows(schema.events)
    assert (row["delivery_id"], row["received_at"]) == ("d2", NOW + 30 * MINUTE)
    [story] = stories(local.database, "d2")
    assert [event.event_id for event in story.events] == ["evt-1"]
    assert check(local).findings == []


def test_an_operator_who_has_it_worked_on_again_does_not_bring_it_back(local: Yard) -> None:
    local.process(_came("d1", 10, order("evt-1")))
    distrust(local, NOW)

    acts.again(local.database, [("d1", WHOLE_BODY, "plant")], "d1", ANNA, NOW)
    local.work()

    assert (local.rows(schema.work_orders), local.rows(schema.retries)) == ([], [])


def test_its_open_letters_are_discarded_and_what_was_being_tried_again_is_called_back(local: Yard) -> None:
    local.process(_came("d1", 10, zoneless("evt-1")))
    local.connect("plant", "paused = true")
    local.process(_came("d2", 11, order("evt-2", "WO-2")))
    local.connect("plant", ZONE)

    reached, _ = distrust(local, NOW)

    assert (reached.letters, reached.waiting) == (1, 1)
    assert (local.letter().state, local.rows(schema.retries)) == ("discarded", [])
    assert local.rows(schema.work_orders) == []


def test_a_letter_that_stood_for_a_trusted_delivery_too_gives_way_to_one_of_its_own(yard: Yard) -> None:
    told = zoneless("evt-1")
    yard.process(_came("d2", 10, told))
    yard.process(_came("d1", 0, told))
    assert yard.letter().delivery_id == "d2"

    distrust(yard, NOW + 5 * MINUTE)

    assert {(each.delivery_id, each.state) for each in yard.letters()} == {("d2", "discarded"), ("d1", "open")}


@pytest.mark.parametrize(("minute", "stays"), [(0, True), (10, False)])
@pytest.mark.parametrize("worked", ["before", "after"])
def test_a_corrected_copy_is_as_trusted_as_what_it_was_made_of(
    local: Yard, minute: int, worked: str, *, stays: bool
) -> None:
    """An operator vouches for the copy, whenever it was made; not for what a stranger had signed."""
    local.process(_came("d1", minute, zoneless("evt-1")))
    original = delivery(local.database, "d1")
    assert original is not None
    body = orjson.dumps(order("evt-1", title="mended"))
    acts.edit(local.database, local.letter(), original, body, operator=ANNA, now=NOW + 11 * MINUTE)
    if worked == "before":
        local.work()

    distrust(local, NOW + 5 * MINUTE)

    local.work()
    assert _titles(local) == ({"WO-1": "mended"} if stays else {})


def test_a_process_that_ends_in_between_has_changed_nothing(local: Yard) -> None:
    local.process(_came("d1", 0, order("evt-1")), _came("d2", 1, zoneless("evt-2")))
    before = (everything(local), local.rows(schema.deliveries), local.rows(schema.dead_letters))

    def ends(total: int) -> Any:
        raise KeyboardInterrupt(total)

    with pytest.raises(KeyboardInterrupt):
        distrust(local, NOW, lined_up=ends)

    assert (everything(local), local.rows(schema.deliveries), local.rows(schema.dead_letters)) == before
    assert (local.rows(schema.distrusts), local.acts()) == ([], [])
