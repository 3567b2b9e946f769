"""`events show`: all that happened to one delivery, and what is still in the broker."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest

from handlers.events import Delivery
from handlers.store.read_deliveries import delivery, stories
from receiver.ids import DeliveryIds
from tests import folding
from tests.servers import BrokerServer
from tests.worker.brokers import enqueue
from tests.worker.cli.plant import NOW, Plant
from tests.worker.letters import ANNA, ZONE, Yard, order, zoneless
from worker import acts
from worker.shapes import events as shapes
from worker.streams_server import GROUP, LIVE, stream
from worker.tracing import ids_of


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    database = folding.sqlite(tmp_path)
    yield Yard(database, tmp_path)
    database.close()


def _told(yard: Yard, name: str) -> dict[str, Any]:
    (story,) = stories(yard.database, name)
    return {**shapes.told(story)}


def _steps(yard: Yard, name: str) -> list[tuple[str, str | None, str | None]]:
    return [(each["step"], each["error"], each["who"]) for each in _told(yard, name)["steps"]]


def test_a_delivery_that_was_buried_and_replayed_tells_each_step_and_who_did_it(yard: Yard) -> None:
    name = yard.send(order("e0", "WO-0", asset_key="PUMP-1"), zoneless("e1", "WO-1"), zoneless("e2", "WO-2"))
    yard.now += timedelta(minutes=1)
    yard.connect("plant", ZONE)
    sent = yard.replay()
    told = _told(yard, name)
    assert _steps(yard, name) == [
        ("accepted", None, None),
        ("processed", None, None),
        ("applied", None, None),
        ("buried", "missing_time_zone", None),
        ("applied", None, None),
        ("dead_letters.replay", None, "anna"),
        ("dead_letters.replay_done", None, "anna"),
    ]
    assert [each["events"] for each in told["steps"][2:5]] == [1, 2, 2]
    assert [(each["replay"], each["event_index"], each["state"]) for each in told["replays"]] == [
        (sent.replay_id, 1, "sent"),
        (sent.replay_id, 2, "sent"),
    ]
    assert [(each["kind"], each["key"]) for each in told["touched"]] == [
        ("asset", "PUMP-1"),
        *(("work_order", f"WO-{number}") for number in range(3)),
    ]
    assert told["trace_id"] == ids_of(name).trace_text
    (alone,) = stories(yard.database, "e1")
    assert [each.key for each in alone.around.touched] == ["WO-1"]


def test_a_corrected_letter_and_its_copy_name_each_other(yard: Yard) -> None:
    name = yard.send(zoneless("e1"))
    original = delivery(yard.database, name)
    assert original is not None
    copy = acts.edit(yard.database, yard.letter(), original, orjson.dumps(order("e1")), operator=ANNA, now=yard.now)
    yard.work()
    assert _told(yard, copy.delivery_id)["edited_from"] == f"{name}/0"
    assert ("dead_letters.edit", None, "anna") in _steps(yard, name)
    assert ("dead_letters.edit", None, "anna") in _steps(yard, copy.delivery_id)


def test_what_was_given_up_says_by_whom_and_what_is_due_again_says_when(yard: Yard) -> None:
    name = yard.send(zoneless("e1"))
    acts.discard(yard.database, [yard.letter().key], {}, ANNA, yard.now + timedelta(minutes=1))
    assert _steps(yard, name)[-1] == ("dead_letters.discard", None, "anna")
    yard.connect("plant", "paused = true")
    other = yard.send(order("e2"))
    assert _told(yard, other)["steps"][-1]["step"] == "due_again"
    assert _told(yard, other)["steps"][-1]["at"] > _told(yard, other)["received_at"]


def test_what_is_still_in_the_broker_is_shown_by_its_id_and_by_its_events(local: Plant, valkey: BrokerServer) -> None:
    name = DeliveryIds().new()
    body = orjson.dumps(order("evt-7"))
    enqueue(valkey.url, *(Delivery(DeliveryIds().new(), "plant", NOW, b"{}") for _ in range(9)))
    enqueue(valkey.url, Delivery(name, "plant", NOW, body))
    with mock.patch.dict("os.environ", {"MAINTENWORKS_BROKER_URL": valkey.url}):
        row = local.run("events", "show", name, "--json").row
        assert (row["delivery_id"], row["state"], row["lane"]) == (name, "queued", "live")
        assert (row["body_bytes"], row["times_delivered"]) == (len(body), 0)
        assert local.run("events", "show", "evt-7", "--json").row == row
        assert local.run("events", "show", name, "--connection", "other").code == 4
        assert [local.run("events", "show", each).code for each in (DeliveryIds().new(), "evt")] == [4, 4]
        with valkey.client() as client:
            client.xgroup_create(stream(LIVE), GROUP, id="0")
            client.xreadgroup(GROUP, "somebody", {stream(LIVE): ">"})
        assert "in_flight" in local.run("events", "show", name).out
    with mock.patch.dict("os.environ", {"MAINTENWORKS_BROKER_URL": "unix:///nowhere.sock"}):
        done = local.run("events", "show", name)
        assert (done.code, "whether it is still queued is not known" in done.said) == (4, True)
