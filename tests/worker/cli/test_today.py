"""`today`: what stands, what is late, what is due and what is being done, in the order of a planner."""

from typing import Any

import pytest

from tests.worker.cli.plant import CONNECTIONS, Plant, event

NOON = "2026-03-10T12:00:00Z"
BERLIN = CONNECTIONS.replace(
    'customer = "acme"', 'customer = "acme"\ntime_zone = "Europe/Berlin"\nsite_zones = { TOKYO = "Asia/Tokyo" }', 1
)


def day(plant: Plant, *arguments: str, at: str = NOON) -> list[dict[str, Any]]:
    return plant.run("today", "--as-of", at, "--json", *arguments).rows


def told(plant: Plant, *arguments: str, at: str = NOON) -> list[tuple[str, str]]:
    rows = day(plant, *arguments, at=at)
    return [(row["group"], row["work_order_key"] or row["asset_key"]) for row in rows]


def asset(key: str, criticality: str | None = None, **more: Any) -> dict[str, Any]:
    data = more if criticality is None else {"criticality": criticality, **more}
    return event("asset.created", key, "06:00", **data)


def order(key: str, status: str = "approved", at: str = "07:00", **data: Any) -> dict[str, Any]:
    return event("work_order.created", key, at, status=status, **data)


def down(key: str, asset_key: str, at: str, **data: Any) -> dict[str, Any]:
    return event("downtime.started", key, at, asset_key=asset_key, **data)


def test_what_stands_comes_first_then_what_is_overdue_by_criticality_then_due_then_in_progress(plant: Plant) -> None:
    plant.send(
        asset("PUMP-1", "low"),
        asset("PUMP-2", "critical", name="Feed pump"),
        asset("FAN-1", "high"),
        order("W-LOW", asset_key="PUMP-1", due_date="2026-03-01"),
        order("W-CRIT", asset_key="PUMP-2", due_date="2026-03-08"),
        order("W-CRIT-HIGH", asset_key="PUMP-2", due_date="2026-03-09", priority="high"),
        order("W-UNSAID", asset_key="PUMP-9", due_date="2026-03-08"),
        order("W-BY-16", asset_key="PUMP-1", due_at="2026-03-10T16:00:00Z"),
        order("W-DAY", asset_key="PUMP-2", due_date="2026-03-10"),
        order("W-TOMORROW", asset_key="PUMP-2", due_date="2026-03-11"),
        order("W-WORK", "in_progress", asset_key="PUMP-1", due_date="2026-03-20"),
        order("W-DONE", "completed", asset_key="PUMP-2", due_date="2026-03-02"),
        order("W-HOLD", "on_hold", asset_key="PUMP-2"),
        down("D-1", "FAN-1", "2026-03-10T09:00:00Z", reason="belt"),
        down("D-2", "PUMP-1", "2026-03-09T09:00:00Z", planned=True),
        down("D-3", "PUMP-2", "2026-03-10T11:00:00Z"),
        down("D-4", "FAN-2", "2026-03-10T08:00:00Z"),
        event("downtime.ended", "D-4", "2026-03-10T10:00:00Z", asset_key="FAN-2"),
    )

    assert told(plant) == [
        *(("down", "PUMP-2"), ("down", "FAN-1"), ("down", "PUMP-1")),
        *(("overdue", "W-CRIT-HIGH"), ("overdue", "W-CRIT"), ("overdue", "W-UNSAID"), ("overdue", "W-LOW")),
        *(("due", "W-BY-16"), ("due", "W-DAY")),
        ("in_progress", "W-WORK"),
    ]
    rows = {row["work_order_key"] or row["asset_key"]: row for row in day(plant)}
    assert {key: row["reason"] for key, row in rows.items() if key in {"FAN-1", "PUMP-1", "W-CRIT", "W-BY-16"}} == {
        "FAN-1": "down for 3 h, belt, no work order is open on it",
        "PUMP-1": "planned stop for 1 d 3 h",
        "W-CRIT": "overdue by 1 d 12 h",
        "W-BY-16": "due today by 16:00",
    }
    assert rows["W-WORK"]["reason"] == "in progress for 9 d 5 h"
    assert rows["PUMP-2"] == {
        **dict.fromkeys(("title", "status", "type", "priority", "due_at", "overdue_by", "work_order_key")),
        "group": "down",
        "reason": "down for 1 h",
        "connection": "plant",
        "site": None,
        "asset_key": "PUMP-2",
        "asset_name": "Feed pump",
        "criticality": "critical",
        "crew": [],
        "since": "2026-03-10T11:00:00Z",
        "planned": False,
        "work_order_keys": ["W-CRIT-HIGH", "W-CRIT", "W-DAY", "W-HOLD", "W-TOMORROW"],
    }
    assert rows["W-CRIT"]["overdue_by"] == 36 * 3600
    assert {tuple(row) for row in rows.values()} == {tuple(rows["W-CRIT"])}


def test_a_site_and_a_crew_have_a_list_of_their_own(plant: Plant) -> None:
    plant.send(
        asset("PUMP-1", site_key="NORTH"),
        asset("PUMP-2", site_key="SOUTH"),
        order("W-1", asset_key="PUMP-1", due_date="2026-03-01", team_key="mechanics"),
        order("W-2", asset_key="PUMP-2", due_date="2026-03-01", assignees=[{"key": "7", "label": "Ada"}]),
        order("W-3", site_key="NORTH", due_date="2026-03-01"),
        down("D-1", "PUMP-1", "2026-03-10T09:00:00Z"),
        down("D-2", "PUMP-2", "2026-03-10T09:00:00Z"),
        down("D-3", "PUMP-3", "2026-03-10T09:00:00Z"),
    )

    assert told(plant, "--site", "NORTH") == [("down", "PUMP-1"), ("overdue", "W-1"), ("overdue", "W-3")]
    assert told(plant, "--crew", "mechanics") == [("down", "PUMP-1"), ("down", "PUMP-3"), ("overdue", "W-1")]
    assert told(plant, "--crew", "Ada") == [("down", "PUMP-2"), ("down", "PUMP-3"), ("overdue", "W-2")]
    assert told(plant, "--crew", "7", "--site", "NORTH") == []


def test_a_day_ends_when_it_does_at_the_site(tmp_path: Any) -> None:
    """23:30 in Berlin on 10 March is 22:30 UTC, and the next morning in Tokyo."""
    local = Plant(tmp_path, f"sqlite:///{tmp_path / 'x.db'}", connections=BERLIN)
    local.send(
        order("W-1", due_date="2026-03-10"),
        order("W-2", due_date="2026-03-11"),
        order("W-3", due_date="2026-03-10", site_key="TOKYO"),
        order("W-4", due_date="2026-03-11", site_key="TOKYO"),
        order("W-5", due_at="2026-03-10T22:45:00Z"),
    )

    late = "2026-03-10T22:30:00Z"
    rows = [("overdue", "W-3"), ("due", "W-5"), ("due", "W-1"), ("due", "W-4")]
    assert told(local, at=late) == rows
    assert day(local, at=late)[1]["reason"] == "due today by 23:45"
    late_ones = [("overdue", key) for key in ("W-3", "W-5", "W-1")]
    assert told(local, at="2026-03-10T23:00:00Z") == [*late_ones, ("due", "W-4"), ("due", "W-2")]
    local.database.close()


def test_an_order_that_keeps_its_asset_down_and_one_that_is_gone(local: Plant) -> None:
    local.send(
        order("W-1", "in_progress", at="2026-03-10T08:00:00Z", asset_key="PUMP-1", asset_down=True),
        asset("PUMP-2", status="decommissioned"),
        down("D-2", "PUMP-2", "2026-03-10T09:00:00Z"),
        order("W-2", due_date="2026-03-01"),
        event("work_order.deleted", "W-2", "2026-03-02T08:00:00Z"),
        down("D-3", "PUMP-3", "2026-03-10T09:00:00Z"),
        event("downtime.voided", "D-3", "2026-03-10T10:00:00Z"),
    )

    first, second = day(local)
    assert (first["asset_key"], first["work_order_keys"], first["reason"]) == ("PUMP-1", ["W-1"], "down for 4 h")
    assert (second["work_order_key"], second["reason"]) == ("W-1", "in progress for 4 h")


def test_an_order_that_a_stop_names_is_behind_it_whatever_it_is_on(local: Plant) -> None:
    local.send(
        order("W-LINE", "in_progress", asset_key="LINE-1", assignees=["kim"]),
        order("W-DONE", "completed", asset_key="LINE-1"),
        down("D-1", "PUMP-1", "2026-03-10T09:00:00Z", work_order_key="W-LINE"),
        down("D-2", "PUMP-2", "2026-03-10T10:00:00Z", work_order_key="W-DONE"),
    )

    rows = {row["asset_key"]: row for row in day(local) if row["group"] == "down"}

    assert (rows["PUMP-1"]["work_order_keys"], rows["PUMP-1"]["reason"]) == (["W-LINE"], "down for 3 h")
    assert rows["PUMP-2"]["reason"] == "down for 2 h, no work order is open on it"
    assert ("down", "PUMP-1") in told(local, "--crew", "kim")


def test_a_stop_told_with_its_end_ahead_stands_until_then(local: Plant) -> None:
    ends = {"started_at": "2026-03-10T09:00:00Z", "ended_at": "2026-03-10T15:00:00Z"}
    local.send(event("downtime.corrected", "D-1", "09:00", asset_key="PUMP-1", planned=True, **ends))

    assert told(local) == [("down", "PUMP-1")]
    assert told(local, at="2026-03-10T15:00:00Z") == []


def test_sandboxes_count_only_when_named_and_an_order_needs_no_asset(local: Plant) -> None:
    local.send(order("W-1", due_date="2026-03-01"), to="trial")
    local.send(order("W-2", due_date="2026-03-01"), to="second")

    assert told(local) == [("overdue", "W-2")]
    assert told(local, "--connection", "trial") == [("overdue", "W-1")]


def test_people_get_a_line_each_and_a_sum(local: Plant) -> None:
    local.send(order("W-1", due_date="2026-03-01", asset_key="PUMP-1", title="Seal"), down("D-1", "PUMP-1", NOON))

    done = local.run("today", "--as-of", "2026-03-10T14:00:00Z", "--limit", "1")

    heading, line = done.out.splitlines()
    assert heading.split()[:4] == ["what", "asset", "order", "title"]
    assert line.split()[:3] == ["down", "PUMP-1", "W-1"]
    assert done.said == "1 down, 1 overdue, 0 due, 0 in progress; as of 2026-03-10T14:00:00Z\n"


@pytest.mark.parametrize(("arguments", "code"), [((), 4), (("--as-of", "noon"), 2)])
def test_an_empty_day_matches_nothing_and_a_bad_time_is_refused(
    local: Plant, arguments: tuple[str, ...], code: int
) -> None:
    assert local.run("today", *arguments).code == code
