"""`history`: an asset's timeline, oldest first, one line an event."""

from datetime import UTC, datetime

import pytest

from handlers.store.rowset import Transaction
from handlers.store.schema import pm_occurrences
from tests.worker.cli.plant import Plant, event


def test_a_timeline_is_in_the_order_of_what_happened_and_says_when_it_was_learned(plant: Plant) -> None:
    plant.send(event("work_order.completed", "WO-1", "09:00", "c", title="Seal"))
    plant.send(
        event("work_order.created", "WO-1", "08:00", "b", asset_key="PUMP-1", status="approved"),
        event("asset.status_changed", "PUMP-1", "07:00", "a", status="down"),
        event("asset.created", "PUMP-2", "07:30", "elsewhere"),
    )

    rows = plant.run("history", "PUMP-1", "--connection", "plant", "--json").rows

    assert rows[0] == {
        "connection": "plant",
        "source": "unified",
        "asset_key": "PUMP-1",
        "occurred_at": "2026-03-01T07:00:00Z",
        "received_at": "2026-07-01T00:00:00Z",
        "processed_at": "2026-07-01T00:00:00Z",
        "type": "asset.status_changed",
        "subject_kind": "asset",
        "subject_key": "PUMP-1",
        "event_id": "a",
        "detail": {"status": "down"},
    }
    assert [(row["event_id"], row["detail"]["status"], row["detail"].get("title")) for row in rows[1:]] == [
        ("b", "approved", None),
        ("c", "completed", "Seal"),
    ]


def test_moves_of_orders_are_told_and_a_jump_is_marked_until_the_fact_between_comes(plant: Plant) -> None:
    plant.send(
        event("work_order.created", "WO-1", "08:00", asset_key="PUMP-1", status="requested"),
        event("work_order.updated", "WO-1", "09:00", title="Seal"),
        event("work_order.status_changed", "WO-1", "10:00", status="in_progress"),
        event("work_order.deleted", "WO-1", "11:00"),
    )

    def told() -> list[tuple[str, ...]]:
        rows = plant.run("history", "PUMP-1", "--connection", "plant", "--json").rows
        names = ("moved_from", "moved_to", "anomalies")
        return [tuple(str(row["detail"][name]) for name in names if name in row["detail"]) for row in rows]

    jump = ("requested", "in_progress", "['illegal_transition']")
    assert told() == [(), (), jump, ("in_progress", "deleted")]
    line = plant.run("history", "PUMP-1", "--connection", "plant").out.splitlines()[3]
    assert line.endswith("status=in_progress moved_from=requested moved_to=in_progress anomalies=illegal_transition")

    plant.send(event("work_order.status_changed", "WO-1", "08:30", status="approved"))
    assert told() == [(), ("requested", "approved"), (), ("approved", "in_progress"), ("in_progress", "deleted")]


def test_an_event_that_names_the_asset_and_is_about_something_on_it_is_one_line(local: Plant) -> None:
    local.send(event("downtime.started", "D-1", "08:00", "a", asset_key="PUMP-1"))
    local.send(event("downtime.corrected", "D-1", "09:00", "b", cause_asset_key="PUMP-1"))

    rows = local.run("history", "PUMP-1", "--connection", "plant", "--json").rows

    assert [row["event_id"] for row in rows] == ["a", "b"]


def test_facts_of_one_moment_stand_in_the_order_of_facts(local: Plant) -> None:
    told = [
        event("work_order.created", "WO-1", "08:00", "z-created", asset_key="PUMP-1"),
        event("asset.updated", "PUMP-1", "08:00", "0-asset", name="Pump"),
        event("work_order.updated", "WO-1", "08:00", "a-updated", title="Seal"),
        event("work_order.status_changed", "WO-1", "08:00", "a-approved", status="approved"),
    ]
    local.send(*reversed(told))

    rows = local.run("history", "PUMP-1", "--connection", "plant", "--json").rows

    assert [row["event_id"] for row in rows] == ["z-created", "0-asset", "a-updated", "a-approved"]


def test_a_window_holds_its_start_and_not_its_end(local: Plant) -> None:
    local.send(*(event("asset.updated", "PUMP-1", f"{hour:02d}:00", str(hour)) for hour in range(6, 12)))
    window = ("--from", "2026-03-01T08:00:00+01:00", "--to", "2026-03-01T09:00:00Z")

    rows = local.run("history", "PUMP-1", "--connection", "plant", *window, "--json").rows

    assert [row["event_id"] for row in rows] == ["7", "8"]


def test_a_timeline_longer_than_a_page_is_whole_and_in_order(plant: Plant) -> None:
    """More events of one minute than a page holds, each standing twice: by name and by subject."""
    named = [event("downtime.corrected", "D", "08:00", f"{n:05d}", cause_asset_key="PUMP-1") for n in range(2_300)]
    plant.send(event("downtime.started", "D", "07:00", "start", asset_key="PUMP-1"))
    for start in range(0, 2_300, 500):
        plant.send(named[start : start + 500])

    rows = plant.run("history", "PUMP-1", "--connection", "plant", "--json").rows

    assert [row["event_id"] for row in rows] == ["start", *(f"{number:05d}" for number in range(2_300))]


def test_people_get_a_line_an_event_that_no_terminal_obeys(local: Plant) -> None:
    local.send(event("downtime.started", "D-1", "08:00", asset_key="PUMP-1", reason="[bold]seal\x1b[31m\nleaks"))

    heading, line = local.run("history", "PUMP-1", "--connection", "plant").out.splitlines()

    assert heading.split() == ["occurred", "learned", "connection", "type", "subject", "detail"]
    assert line.startswith("2026-03-01T08:00:00Z  2026-07-01T00:00:00Z  plant       downtime.started  downtime D-1")
    assert line.endswith("reason=[bold]seal\\x1b[31m\\nleaks")


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["PUMP-2", "--connection", "plant"], 4, "nothing is known of asset 'PUMP-2' of plant yet"),
        (["PUMP-1", "--connection", "second"], 4, "nothing is known of asset 'PUMP-1' of second yet"),
        (["PUMP-1", "--connection", "plant", "--from", "2026-03-02"], 4, "nothing is known"),
        (["PUMP-1", "--connection", "plant", "--to", "8 o'clock"], 2, "--to: give a date"),
        (["PUMP-1", "--connection", "plant", "--from", "2026-03-02", "--to", "2026-03-01"], 2, "--from must be before"),
    ],
)
def test_what_matches_nothing_or_means_nothing_is_said_in_a_line(
    local: Plant, arguments: list[str], code: int, why: str
) -> None:
    local.send(event("asset.created", "PUMP-1", "08:00"))

    done = local.run("history", *arguments)

    assert (done.code, done.out) == (code, "")
    assert done.said.startswith(f"maintenworks: {why}")
    assert len(done.said.splitlines()) == 1


def test_linked_assets_have_one_timeline_that_says_who_told_what(plant: Plant) -> None:
    plant.send(
        event("asset.created", "PUMP-1", "08:00", "a"),
        event("purchase_order.created", "PO-1", "10:00", "b", lines=[{"line_number": 1, "asset_key": "PUMP-1"}]),
        event("asset.updated", "SAME", "11:00", "both", parent_key="PUMP-1"),
    )
    plant.send(
        event("asset.status_changed", "100", "09:00", "c", status="down"),
        event("meter_reading.recorded", "R-1", "10:30", "d", asset_key="100", value="7"),
        to="second",
    )
    plant.send(event("inventory_item.updated", "SEAL", "12:00", "e", asset_keys=["100"]), to="second")
    for other in ("100@second", "SAME@plant"):
        plant.run("assets", "link", "PUMP-1@plant", other, "--reason", "one pump")

    rows = plant.run("history", "100", "--connection", "second", "--json").rows

    assert [(row["connection"], row["asset_key"], row["event_id"]) for row in rows] == [
        ("plant", "PUMP-1", "a"),
        ("second", "100", "c"),
        ("plant", "PUMP-1", "b"),
        ("second", "100", "d"),
        ("plant", "PUMP-1", "both"),
        ("second", "100", "e"),
    ]


def test_maintenance_that_was_due_stands_where_it_was(local: Plant) -> None:
    local.send(event("asset.created", "PUMP-1", "08:00", "a"), event("asset.updated", "PUMP-1", "10:00", "b"))
    due = {"connection_id": "plant", "asset_key": "PUMP-1", "plan_key": "PM", "is_estimated": False}
    times = {"late": datetime(2026, 3, 1, 9, tzinfo=UTC), "later": datetime(2026, 3, 3, tzinfo=UTC)}
    with local.database.write() as connection:
        tx = Transaction(connection)
        rows = [{**due, "due_key": key, "due_at": at, "state": "open", "on_time": False} for key, at in times.items()]
        tx.insert(pm_occurrences, [*rows, {**rows[0], "due_key": "unknown", "due_at": None}])

    rows = local.run("history", "PUMP-1", "--connection", "plant", "--to", "2026-03-02", "--json").rows

    assert [(row["type"], row["event_id"]) for row in rows] == [
        ("asset.created", "a"),
        ("pm_plan.due", None),
        ("asset.updated", "b"),
    ]
    assert rows[1]["detail"] == {"due": "late", "state": "open", "on_time": False}
    assert rows[1]["received_at"] is None
