"""`figures`, and `uptime` by period and calendar: of orders and stops, in the zone of each site."""

from pathlib import Path
from typing import Any

import pytest

from tests.worker.cli.plant import CONNECTIONS, Plant, event

H = 3600.0
DAY = ("--from", "2026-03-01", "--to", "2026-03-02", "--as-of", "2026-04-01", "--json")
BERLIN = """
[connections.berlin]
source = "unified"
customer = "acme"
time_zone = "Europe/Berlin"
site_zones = { BOSTON = "America/New_York" }
secrets = [{ ref = "env:PLANT" }]
"""
CALENDARS = """
[calendars.day]
time_zone = "Europe/Berlin"
shifts = [{ days = "mon-sun", from = "08:00", to = "16:00" }]
[connections.berlin]
sites = { NORTH = "day" }
"""


@pytest.fixture
def berlin(tmp_path: Path) -> Plant:
    plant = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", connections=CONNECTIONS + BERLIN)
    (tmp_path / "calendars.toml").write_text(CALENDARS)
    return plant


def order_of_a_failure(order: str, asset: str) -> list[dict[str, Any]]:
    """`iec-a-b-c-d`: down at 02:00, noticed and reported at 03:00, work 08:00 to 10:00, back at 10:30."""
    stated: dict[str, Any] = {"asset_key": asset, "malfunction_start_at": "2026-03-01T02:00:00Z", "asset_down": True}
    return [
        event(
            "work_order.created",
            order,
            "03:00",
            status="approved",
            failure={"detected_at": "2026-03-01T03:00:00Z", "cause": {"code": "SEAL", "label": "Seal worn"}},
            **stated,
        ),
        event("work_order.status_changed", order, "08:00", status="in_progress"),
        event("work_order.status_changed", order, "10:00", status="on_hold"),
        event("work_order.completed", order, "10:30"),
    ]


def test_an_order_tells_how_its_failure_was_dealt_with(plant: Plant) -> None:
    plant.send(event("asset.created", "PUMP-1", "00:00", category="pump"), *order_of_a_failure("WO-1", "PUMP-1"))

    row = plant.run("figures", *DAY).row

    assert row["mttr_restore_s"] == row["mttr_s"] == 8.5 * H
    assert (row["mttr_repair_s"], row["mttr_repair_known"]) == (7.5 * H, 1)
    assert (row["mttr_active_s"], row["mttd_s"], row["mtta_s"]) == (2 * H, 1 * H, 5 * H)
    assert row["availability_inherent"] == 15.5 / 17.5
    assert row["failure_rate_per_h"] == 1 / 15.5
    assert row["mtbf_lower_s"] < row["mtbf_s"] < row["mtbf_upper_s"]
    assert (row["asset_key"], row["required_time"], row["confidence"]) == ("PUMP-1", "elapsed", 0.9)


def test_a_stop_that_names_an_order_is_dealt_with_by_it(local: Plant) -> None:
    local.send(
        event("downtime.started", "D-1", "02:00", asset_key="PUMP-1", work_order_key="WO-1"),
        event("downtime.ended", "D-1", "06:00"),
        event("work_order.created", "WO-1", "02:30", status="approved"),
        event("work_order.status_changed", "WO-1", "03:30", status="in_progress"),
        event("work_order.completed", "WO-1", "05:00"),
    )
    row = local.run("figures", "PUMP-1", *DAY).row
    assert (row["mttr_active_s"], row["mtta_s"], row["mttr_restore_s"]) == (1.5 * H, 1 * H, 4 * H)

    local.send(event("work_order.deleted", "WO-1", "09:00"))
    row = local.run("figures", "PUMP-1", *DAY).row
    assert (row["mttr_active_known"], row["mttr_restore_s"]) == (0, 4 * H)


def test_classes_and_customers_are_pooled_over_connections_before_any_ratio(plant: Plant) -> None:
    plant.send(
        event("asset.created", "PUMP-1", "00:00", category="pump"),
        event("asset.created", "FAN-1", "00:00", category="fan"),
        *order_of_a_failure("WO-1", "PUMP-1"),
    )
    plant.send(event("asset.created", "PUMP-9", "00:00", category="pump"), to="second")

    classes = plant.run("figures", *DAY, "--by", "class").rows
    customer = plant.run("figures", *DAY, "--by", "customer").row

    told = [(row["class"], row["assets"], row["mtbf_s"], row["availability"]) for row in classes]
    assert sorted(told) == [("fan", 1, None, 1.0), ("pump", 2, 39.5 * H, 39.5 / 48)]
    assert (customer["customer"], customer["assets"], customer["mtbf_s"]) == ("acme", 3, 63.5 * H)


def test_causes_share_the_down_time_and_are_at_risk_in_all_the_uptime(local: Plant) -> None:
    local.send(
        event("asset.created", "PUMP-2", "00:00"),
        *order_of_a_failure("WO-1", "PUMP-1"),
        event("downtime.started", "D-1", "12:00", asset_key="PUMP-1", cause="external"),
        event("downtime.ended", "D-1", "13:00"),
    )

    seal, power = local.run("figures", *DAY, "--by", "cause").rows

    assert (seal["cause"], seal["downtime_s"], seal["failures_effective"]) == ("Seal worn", 8.5 * H, 1)
    assert seal["mtbf_s"] == (48 - 9.5) * H
    assert seal["mtbf_lower_s"] < seal["mtbf_s"] < seal["mtbf_upper_s"]
    assert (power["cause"], power["downtime_s"], power["failures_effective"]) == ("external", H, 0)
    assert (power["mtbf_s"], power["mtbf_upper_s"]) == (None, None)


def test_bounds_are_as_wide_as_the_confidence_that_is_asked(local: Plant) -> None:
    local.send(event("asset.created", "PUMP-1", "00:00"))
    bounds = [
        local.run("figures", *DAY, "--confidence", each).row["mtbf_lower_s"] / H for each in ("0.6", "0.9", "0.95")
    ]
    assert bounds == pytest.approx([26.19, 10.42, 8.01], abs=5e-3)


def test_people_get_every_variant_by_its_name(local: Plant) -> None:
    local.send(*order_of_a_failure("WO-1", "PUMP-1"))
    done = local.run("figures", *DAY[:-1])
    heading, line = done.out.splitlines()
    assert heading.split()[:5] == ["connection", "asset", "all", "unplanned", "only"]
    assert line.split() == [
        *("plant", "PUMP-1", "64.583%", "64.583%", "64.583%", "1", "15.50", "3.27", "302.18"),
        *("8.50", "7.50", "2.00", "8.50", "5.00", "64.52"),
    ]
    assert "bounds at 90%; MTTR: unplanned down time / failures" in done.said


# Periods and zones


def test_a_period_is_cut_in_the_zone_of_each_site_and_an_hour_shorter_as_clocks_go_forward(berlin: Plant) -> None:
    berlin.send(
        event("asset.created", "HERE", "2026-01-01T00:00:00Z"),
        event("asset.created", "THERE", "2026-01-01T00:00:00Z", site_key="BOSTON"),
        to="berlin",
    )
    berlin.send(event("asset.created", "UTC", "2026-01-01T00:00:00Z"))

    here, there, utc = berlin.run("uptime", "--period", "2026-03", "--json").rows
    both = berlin.run("uptime", "--period", "2026-03", "--by", "customer", "--json").row

    assert (here["from"], here["to"]) == ("2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z")
    assert (there["from"], there["to"]) == ("2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z")
    assert (utc["from"], utc["to"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
    assert [row["required_s"] / H for row in (here, there, utc)] == [743, 743, 744]
    assert both["required_s"] / H == 743 + 743 + 744
    assert (both["from"], both["to"]) == ("2026-02-28T23:00:00Z", "2026-04-01T04:00:00Z")


@pytest.mark.parametrize("year", ["2026", "2025"])
def test_the_months_of_a_year_add_up_to_it(berlin: Plant, year: str) -> None:
    berlin.send(
        event("downtime.started", "D-1", "2025-02-28T22:30:00Z", asset_key="PUMP-1"),
        event("downtime.ended", "D-1", "2025-03-31T01:00:00Z"),
        event("downtime.started", "D-2", "2025-10-26T00:30:00Z", asset_key="PUMP-1", planned=True),
        event("downtime.ended", "D-2", "2026-04-02T01:00:00Z"),
        to="berlin",
    )
    names = ("required_s", "uptime_s", "planned_downtime_s", "unplanned_downtime_s", "failures_effective")
    as_of = ("--as-of", "2026-10-30T12:00:00Z", "--json")

    whole = berlin.run("uptime", "--period", year, *as_of).row
    months = [berlin.run("uptime", "--period", f"{year}-{month:02d}", *as_of).row for month in range(1, 13)]

    assert {name: sum(row[name] for row in months) for name in names} == {name: whole[name] for name in names}


def test_plain_dates_are_midnights_where_the_site_is(berlin: Plant) -> None:
    for to in ("berlin", "plant"):
        berlin.send(
            event("asset.created", "PUMP-1", "00:00", in_service_date="2026-03-01"),
            event("downtime.started", "D-1", "00:00", asset_key="PUMP-1", started_at="2026-03-29"),
            event("downtime.corrected", "D-1", "00:01", ended_at="2026-03-30"),
            to=to,
        )
    window = ("--from", "2026-02-01", "--to", "2026-03-31", "--as-of", "2026-04-01", "--json")

    berlin_row, utc_row = berlin.run("uptime", *window).rows

    assert (utc_row["required_s"] / H, utc_row["downtime_s"] / H) == (30 * 24, 24)
    assert (berlin_row["required_s"] / H, berlin_row["downtime_s"] / H) == (30 * 24 + 1, 23)


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [("2026-03-28T23:00:00Z", "2026-03-29T00:00:00Z", 1), ("2026-03-29T22:00:00Z", "2026-03-29T23:00:00Z", 0)],
)
def test_a_dated_stop_is_found_by_a_window_into_which_its_zone_moves_it(
    berlin: Plant, since: str, until: str, hours: int
) -> None:
    berlin.send(
        event("downtime.started", "D-1", "00:00", asset_key="PUMP-1", started_at="2026-03-29", ended_at="2026-03-30"),
        to="berlin",
    )
    row = berlin.run("uptime", "--from", since, "--to", until, "--as-of", "2026-04-01", "--json").row
    assert row["downtime_s"] / H == hours


# Calendars


def test_by_calendar_required_time_is_operating_time_and_the_24x7_figures_stand_beside_it(berlin: Plant) -> None:
    berlin.send(
        event("asset.created", "PUMP-1", "00:00", site_key="NORTH"),
        event("downtime.started", "D-1", "05:00", asset_key="PUMP-1"),
        event("downtime.ended", "D-1", "09:00"),
        event("asset.created", "PUMP-2", "00:00", site_key="SOUTH"),
        to="berlin",
    )

    north, south = berlin.run("uptime", *DAY, "--calendar", "--by", "site").rows
    plain = berlin.run("uptime", *DAY, "--by", "site").rows[0]
    figures = berlin.run("figures", *DAY, "--calendar", "--by", "customer").rows

    assert (north["required_time"], north["calendars"], south["calendars"]) == ("operating", ["day"], [])
    assert (north["required_s"], north["downtime_s"], north["availability"]) == (8 * H, 2 * H, 0.75)
    assert (north["elapsed"]["required_s"], north["elapsed"]["downtime_s"]) == (24 * H, 4 * H)
    assert (south["required_time"], south["required_s"], south["elapsed"]) == ("elapsed", 24 * H, None)
    assert {name: plain[name] for name in north["elapsed"]} == north["elapsed"]
    assert "calendars" not in plain
    assert [(row["required_time"], row["required_s"]) for row in figures] == [("operating", 8 * H), ("elapsed", 24 * H)]


def test_people_see_which_calendar_and_what_24x7_would_be(berlin: Plant) -> None:
    berlin.send(
        event("asset.created", "PUMP-1", "00:00", site_key="NORTH"),
        event("downtime.started", "D-1", "05:00", asset_key="PUMP-1"),
        event("downtime.ended", "D-1", "09:00"),
        to="berlin",
    )
    heading, line = berlin.run("uptime", *DAY[:-1], "--calendar").out.splitlines()
    assert heading.split()[-2:] == ["calendar", "24x7"]
    assert (line.split()[2], line.split()[-2:]) == ("75.000%", ["day", "83.333%"])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--period", "2026-13"], "--period: write it YYYY"),
        (["--period", "2026-03", "--to", "2026-04-01"], "--period: goes without --from and --to"),
        (["--from", "2026-03-01"], "Invalid value for --from: give it with --to, or a --period"),
        ([*DAY[:-1], "--by", "plant"], "--by: one of asset, class, site, customer, cause"),
        ([*DAY[:-1], "--by", "cause", "--calendar"], "--calendar: causes are in elapsed time"),
        (["--from", "1910-01-01", "--to", "2026-01-01", "--calendar"], "--calendar: the window is longer than 100"),
        (["--from", "0001-01-01", "--to", "0001-02-01", "--calendar"], "--calendar: the window is longer than 100"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exit_code_2(berlin: Plant, arguments: list[str], why: str) -> None:
    berlin.send(event("asset.created", "PUMP-1", "00:00", site_key="NORTH"), to="berlin")
    done = berlin.run("figures", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.said.startswith(f"maintenworks: {why}")
    assert len(done.said.splitlines()) == 1


def test_a_bad_calendar_file_is_refused_and_a_name_nobody_registered_is_told(berlin: Plant) -> None:
    berlin.send(event("asset.created", "PUMP-1", "00:00"))
    path = berlin.home / "calendars.toml"

    path.write_text(CALENDARS.replace("mon-sun", "all"))
    assert berlin.run("uptime", *DAY, "--calendar").code == 2
    assert berlin.run("uptime", *DAY).code == 0

    path.write_text(CALENDARS.replace("[connections.berlin]", "[connections.berlim]"))
    done = berlin.run("uptime", *DAY, "--calendar")
    assert (done.code, done.row["required_time"]) == (0, "elapsed")
    assert "connections.berlim: no connection has that name" in done.said


# Doubts


def test_a_stop_that_looks_forgotten_is_told(plant: Plant) -> None:
    plant.send(
        event("downtime.started", "D-OLD", "2024-03-01T00:00:00Z", asset_key="A"),
        event("downtime.started", "D-UP", "2024-03-01T06:00:00Z", asset_key="B"),
        event("asset.status_changed", "B", "2024-03-01T05:00:00Z", status="up"),
        event("asset.status_changed", "B", "2024-03-01T09:00:00Z", status="up"),
        event("asset.status_changed", "B", "2024-03-01T10:00:00Z", status="standby"),
        event("work_order.created", "WO-1", "2024-03-01T06:00:00Z", asset_key="B", asset_down=True, status="approved"),
        event("downtime.started", "D-NONE", "2024-03-01T06:00:00Z", asset_key="C", ended_at="2024-03-01T06:00:00Z"),
        event("downtime.started", "D-FINE", "2024-03-01T06:00:00Z", asset_key="C", ended_at="2024-03-01T07:00:00Z"),
    )
    printed = {row["key"]: row["anomalies"] for row in plant.run("get", "downtime", "--json").rows}
    codes = {key: [each["code"] for each in anomalies] for key, anomalies in printed.items()}
    assert codes == {
        "D-OLD": ["open_too_long"],
        "D-UP": ["open_contradicted", "open_too_long"],
        "work_order:WO-1": ["open_contradicted", "open_too_long"],
        "D-NONE": ["zero_length"],
        "D-FINE": [],
    }
    assert printed["D-UP"][0]["up_at"] == "2024-03-01T09:00:00Z"
