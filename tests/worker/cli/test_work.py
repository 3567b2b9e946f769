"""`get work-orders`: the times of each order, and with `--figures` what their work comes to."""

from typing import Any

import pytest

from tests.worker.cli.plant import CONNECTIONS, Plant, event

BERLIN = CONNECTIONS.replace('customer = "acme"', 'customer = "acme"\ntime_zone = "Europe/Berlin"', 1)
WINDOW = ("--from", "2026-03-01", "--to", "2026-04-01")


def order(key: str, status: str, at: str, **data: Any) -> dict[str, Any]:
    return event("work_order.status_changed", key, at, status=status, **data)


def figures(plant: Plant, *arguments: str) -> list[dict[str, Any]]:
    return plant.run("get", "work-orders", "--figures", "--json", *arguments).rows


def test_an_order_prints_its_times_and_that_it_was_done_again(plant: Plant) -> None:
    plant.send(
        order("WO-1", "requested", "08:00"),
        order("WO-1", "in_progress", "09:00"),
        order("WO-1", "on_hold", "09:30"),
        order("WO-1", "in_progress", "10:00"),
        order("WO-1", "completed", "11:00", completed_at="2026-03-01T10:50:00Z"),
        event("work_order.reopened", "WO-1", "14:00"),
        order("WO-1", "completed", "14:10"),
        order("WO-2", "approved", "08:00", due_date="2026-02-01"),
        event("work_order.created", "WO-3", "08:00", title="no status"),
    )

    one, two, three = plant.run("get", "work-orders", "--json").rows

    names = ("rework", "reopen_count", "time_to_react", "time_to_repair", "time_in_progress", "time_on_hold", "overdue")
    assert [one[name] for name in names] == [True, 1, 3600, 7200, 5400, 1800, None]
    assert [two[name] for name in names] == [False, 0, None, None, 0, 0, True]
    assert two["overdue_by"] > 100 * 86_400
    assert [three[name] for name in names] == [False, 0, None, None, None, None, None]
    assert [each["from"] for each in one["anomalies"]] == ["requested"]
    assert "time_to_repair  7200" in plant.run("get", "work-orders", "WO-1").out.replace("    ", "  ")


def test_a_due_day_ends_at_midnight_where_the_order_is_or_else_its_asset(tmp_path: Any) -> None:
    zones = 'time_zone = "Etc/GMT+12"\nsite_zones = { EAST = "Etc/GMT-14" }'
    plant = Plant(
        tmp_path, f"sqlite:///{tmp_path / 'x.db'}", connections=CONNECTIONS.replace('customer = "acme"', zones, 1)
    )
    plant.send(
        event("asset.created", "PUMP-1", "08:00", site_key="EAST"),
        order("WO-1", "approved", "08:00", due_date="2026-02-01", asset_key="PUMP-1"),
        order("WO-2", "approved", "08:00", due_date="2026-02-01"),
    )
    one, two = plant.run("get", "work-orders", "--json").rows
    assert one["overdue_by"] - two["overdue_by"] in range(26 * 3600 - 5, 26 * 3600 + 5)
    plant.database.close()


def test_work_is_summed_before_ratios_and_each_part_has_its_own(plant: Plant) -> None:
    done = {"completed_at": "2026-03-05T12:00:00Z"}
    plant.send(
        order("W-1", "completed", "08:00", type="preventive", actual_labor=300 * 3600, site_key="N", **done),
        order("W-2", "completed", "08:00", type="inspection", actual_labor=100 * 3600, site_key="N", **done),
        order(
            "W-3", "completed", "08:00", type="corrective", labor=[{"seconds": 3600}, {"seconds": 49 * 3600}], **done
        ),
        order("W-4", "approved", "07:00", type="corrective", actual_duration=50 * 3600),
        order("W-4", "completed", "08:00"),
        event("work_order.reopened", "W-4", "09:00"),
        order("W-4", "completed", "10:00"),
        order("W-5", "completed", "08:00", type="project", actual_labor=999 * 3600, **done),
        order("W-6", "completed", "2026-04-02T08:00:00Z", type="corrective", actual_labor=999 * 3600),
        order("W-7", "completed", "08:00", type="corrective", **done),
        order("W-8", "approved", "08:00", estimated_labor=80 * 3600, team_key="MECH"),
        order("W-9", "scheduled", "08:00", team_key="MECH"),
    )

    [row] = figures(plant, *WINDOW)
    assert row == {
        "connection": None,
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
        "orders_finished": 5,
        "orders_without_hours": 1,
        "work_h": 500.0,
        "planned_h": 400.0,
        "corrective_h": 100.0,
        "rework_h": 50.0,
        "planned_maintenance_ratio": 0.8,
        "corrective_ratio": 0.2,
        "rework_ratio": 0.1,
        "scheduled": 0,
        "scheduled_kept": 0,
        "schedule_compliance": None,
        "ready_orders": 2,
        "ready_without_estimate": 1,
        "ready_h": 80.0,
        "weekly_capacity_h": None,
        "ready_backlog_weeks": None,
    }
    assert [(each["site"], each["work_h"]) for each in figures(plant, *WINDOW, "--by", "site")] == [
        ("N", 400.0),
        (None, 100.0),
    ]
    assert [row["work_h"] for row in figures(plant, *WINDOW, "--type", "inspection")] == [100.0]
    said = plant.run("get", "work-orders", "--figures", *WINDOW)
    assert said.out.splitlines()[1].split() == ["5", "500.0", "80.0%", "20.0%", "10.0%", "0", "2", "80.0"]
    assert said.said.startswith("planned: hours of planned types")


def test_the_backlog_is_in_weeks_where_a_crew_has_hours(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant.send(
        order("W-8", "approved", "08:00", estimated_labor=80 * 3600, team_key="MECH"),
        order("W-9", "scheduled", "08:00", estimated_duration=20 * 3600, team_key="ELEC"),
        order("W-10", "scheduled", "08:00", estimated_duration=20 * 3600),
    )
    monkeypatch.setenv("MAINTENWORKS_CREW_HOURS", '{"MECH": 160, "ELEC": 40}')

    rows = figures(plant, "--by", "crew")
    assert [(row["crew"], row["weekly_capacity_h"], row["ready_backlog_weeks"]) for row in rows] == [
        ("ELEC", 40.0, 0.5),
        ("MECH", 160.0, 0.5),
        (None, None, None),
    ]
    assert figures(plant)[0]["ready_backlog_weeks"] == 120 / 200
    assert figures(plant, "--status", "approved")[0]["ready_backlog_weeks"] is None


@pytest.mark.parametrize("bad", ["160", "{", '{"MECH": 0}', '{"MECH": "many"}'])
def test_hours_that_are_none_are_refused_by_name(local: Plant, monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setenv("MAINTENWORKS_CREW_HOURS", bad)
    done = local.run("get", "work-orders", "--figures")
    assert (done.code, "MAINTENWORKS_CREW_HOURS" in done.said) == (2, True)


def test_a_week_is_kept_by_what_was_finished_in_it_of_what_it_held_when_it_began(tmp_path: Any) -> None:
    """The week from Monday, 2 March 2026, in Berlin; it begins an hour before it does in UTC."""
    plant = Plant(tmp_path, f"sqlite:///{tmp_path / 'x.db'}", connections=BERLIN)
    tuesday, next_week = "2026-03-03T08:00:00Z", "2026-03-10T08:00:00Z"

    def planned(key: str, at: str = "08:00", on: str = tuesday) -> dict[str, Any]:
        return order(key, "scheduled", at, scheduled_start_at=on)

    plant.send(
        *(planned("KEPT"), order("KEPT", "completed", "2026-03-08T22:59:59Z")),
        *(planned("LATE"), order("LATE", "completed", "2026-03-08T23:00:00Z")),
        *(planned("EARLY"), order("EARLY", "completed", "2026-03-01T09:00:00Z")),
        *(planned("MOVED"), planned("MOVED", "2026-03-01T22:59:00Z", next_week)),
        *(planned("PUT-OFF"), planned("PUT-OFF", "2026-03-02T09:00:00Z", next_week)),
        *(planned("BREAK-IN", "2026-03-02T08:00:00Z"), order("BREAK-IN", "completed", "2026-03-03T09:00:00Z")),
        *(planned("GONE"), event("work_order.cancelled", "GONE", "2026-03-01T09:00:00Z")),
    )

    [row] = figures(plant, "--from", "2026-03-01", "--to", "2026-03-05")
    assert (row["scheduled"], row["scheduled_kept"]) == (3, 1)
    [row] = figures(plant, "--from", "2026-03-06", "--to", "2026-03-15")
    assert (row["scheduled"], row["scheduled_kept"]) == (2, 0)
    plant.database.close()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("assets", "--figures"), "--figures: of work-orders"),
        (("work-orders", "--figures", "--by", "moon"), "--by: one of all, site, asset, crew, type"),
        (("work-orders", "--from", "2026-03-01"), "--from, --to, --by: go with --figures"),
        (("work-orders", "--figures", "--from", "2026-03-02", "--to", "2026-03-01"), "--from must be before"),
    ],
)
def test_what_figures_are_not_of_is_refused(local: Plant, arguments: tuple[str, ...], why: str) -> None:
    done = local.run("get", *arguments)
    assert (done.code, done.out) == (2, "")
    assert why in done.said


def test_no_orders_have_no_figures(local: Plant) -> None:
    assert local.run("get", "work-orders", "--figures").code == 4
