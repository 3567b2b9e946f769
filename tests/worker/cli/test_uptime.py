"""`uptime`: the figures of real streams, of windows and groups, and what is refused."""

import json
import math
from typing import Any

import pytest

from tests.worker.cli.plant import SAMPLES, Plant, event

ORACLE = json.loads((SAMPLES / "oracles.json").read_text())["lanl_s20"]
LANL = (SAMPLES / "lanl_s20.jsonl").read_bytes().splitlines()
YEAR = ("--from", "2004-01-01", "--to", "2005-01-01")
JULY = "2004-07-05T00:00:00Z"
HOUR = 3600.0
FIELDS = [
    "asset_key",
    "connection",
    "from",
    "to",
    "as_of",
    "observed_from",
    "data_as_of",
    "required_s",
    "uptime_s",
    "downtime_s",
    "planned_downtime_s",
    "unplanned_downtime_s",
    "failures_reported",
    "failures_effective",
    "open_downtimes",
    "availability",
    "availability_unplanned",
    "mtbf_s",
    "mttr_s",
    "mtbf_lower_bound_s",
]


def _total(rows: list[dict[str, Any]], name: str) -> float:
    return math.fsum(row[name] for row in rows)


def test_ten_thousand_shuffled_and_repeated_outage_events_give_the_fleets_figures(plant: Plant) -> None:
    """First only what was known on 5 July, cut there; then all of it, as far as 2005."""
    known = [line for line in LANL if json.loads(line)["occurred_at"] < JULY]
    plant.send_all(known, seed=1)

    then = plant.run("uptime", *YEAR, "--as-of", JULY, "--json").rows

    assert _total(then, "failures_effective") == 278
    assert _total(then, "downtime_s") / HOUR == pytest.approx(434.0833, abs=1e-4)
    assert _total(then, "open_downtimes") == 1

    plant.send_all([line for line in LANL if json.loads(line)["occurred_at"] >= JULY], seed=2)

    rows = plant.run("uptime", *YEAR, "--json").rows
    by_asset = {row["asset_key"]: row for row in rows}
    assert len(rows) == ORACLE["fleet"]["assets_with_any_record"]
    assert _total(rows, "failures_effective") == ORACLE["fleet"]["effective"]
    assert _total(rows, "failures_reported") == ORACLE["fleet"]["reported"]
    assert _total(rows, "downtime_s") / HOUR == pytest.approx(ORACLE["fleet"]["downtime_h"])
    for asset, oracle in ORACLE["per_asset"].items():
        row = by_asset[asset]
        assert row["availability"] == pytest.approx(oracle["availability"])
        assert row["downtime_s"] / HOUR == pytest.approx(oracle["downtime_h"])
        assert row["uptime_s"] / HOUR == pytest.approx(oracle["uptime_h"])
        assert row["mtbf_s"] / HOUR == pytest.approx(oracle["mtbf_h"])
        assert row["mttr_s"] / HOUR == pytest.approx(oracle["mttr_h"])
        assert (row["failures_effective"], row["failures_reported"]) == (oracle["effective"], oracle["reported"])

    pooled = plant.run("uptime", *YEAR, "--by", "customer", "--json").row
    assert pooled["failures_effective"] == 440
    assert pooled["downtime_s"] == _total(rows, "downtime_s")
    assert pooled["availability"] == _total(rows, "uptime_s") / _total(rows, "required_s")


def test_a_row_has_the_contracts_fields_and_no_other(plant: Plant) -> None:
    plant.send(
        event("asset.created", "PUMP-1", "06:00", in_service_date="2026-02-01"),
        event("downtime.started", "D-1", "08:00", asset_key="PUMP-1"),
        event("downtime.ended", "D-1", "10:00"),
        event("downtime.started", "D-2", "12:00", asset_key="PUMP-1", planned=True),
        event("work_order.created", "WO-1", "2026-03-09T00:00:00Z", title="Other news"),
    )

    done = plant.run(
        "uptime", "--from", "2026-03-01", "--to", "2026-03-02", "--as-of", "2026-03-01T16:00:00Z", "--json"
    )

    assert list(done.row) == FIELDS
    assert done.row == {
        "asset_key": "PUMP-1",
        "connection": "plant",
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-03-02T00:00:00Z",
        "as_of": "2026-03-01T16:00:00Z",
        "observed_from": "2026-03-01T06:00:00Z",
        "data_as_of": "2026-03-09T00:00:00Z",
        "required_s": 16 * HOUR,
        "uptime_s": 10 * HOUR,
        "downtime_s": 6 * HOUR,
        "planned_downtime_s": 4 * HOUR,
        "unplanned_downtime_s": 2 * HOUR,
        "failures_reported": 1,
        "failures_effective": 1,
        "open_downtimes": 1,
        "availability": 0.625,
        "availability_unplanned": 0.875,
        "mtbf_s": 10 * HOUR,
        "mttr_s": 2 * HOUR,
        "mtbf_lower_bound_s": None,
    }


def test_every_asset_that_anything_was_said_about_has_a_row(local: Plant) -> None:
    """One that failed, one that is only named, one that is gone, and the parent of another."""
    local.send(
        event("downtime.started", "D-1", "08:00", asset_key="A-DOWN"),
        event("work_order.created", "WO-1", "08:00", asset_key="B-NAMED"),
        event("asset.created", "C-GONE", "08:00", parent_key="D-PARENT"),
        event("asset.deleted", "C-GONE", "09:00"),
    )

    rows = local.run("uptime", "--from", "2026-03-01", "--to", "2026-03-02", "--json").rows

    assert [row["asset_key"] for row in rows] == ["A-DOWN", "B-NAMED", "C-GONE", "D-PARENT"]
    idle = rows[1]
    assert (idle["mtbf_s"], idle["mttr_s"], idle["availability"]) == (None, None, 1.0)
    assert idle["mtbf_lower_bound_s"] == pytest.approx(24 * HOUR / math.log(10))


def test_required_time_begins_in_service_and_ends_with_decommissioning_and_never_with_the_first_fact(
    local: Plant,
) -> None:
    local.send(
        event("asset.created", "NEW", "12:00", in_service_date="2026-03-11", decommissioned_date="2026-03-21"),
        event("downtime.started", "D-1", "2026-03-20T00:00:00Z", asset_key="NEW"),
        event("asset.created", "OLD", "2026-03-30T00:00:00Z"),
    )

    new, old = local.run("uptime", "--from", "2026-03-01", "--to", "2026-04-01", "--json").rows

    assert (new["required_s"], new["downtime_s"]) == (10 * 24 * HOUR, 24 * HOUR)
    assert (old["required_s"], old["observed_from"]) == (31 * 24 * HOUR, "2026-03-30T00:00:00Z")


def test_a_site_and_a_customer_are_pooled_before_any_ratio(plant: Plant) -> None:
    plant.send(
        event("asset.created", "PUMP-1", "00:00", site_key="NORTH"),
        event("asset.created", "PUMP-2", "00:00", site_key="NORTH"),
        event("asset.created", "PUMP-3", "00:00"),
        event("downtime.started", "D-1", "06:00", asset_key="PUMP-1"),
        event("downtime.ended", "D-1", "18:00"),
    )
    plant.send(event("asset.created", "PUMP-1", "2026-03-01T05:00:00Z", site_key="NORTH"), to="second")
    day = ("--from", "2026-03-01", "--to", "2026-03-02", "--json")

    sites = plant.run("uptime", *day, "--by", "site").rows
    customer = plant.run("uptime", *day, "--by", "customer").row

    told = [(row["connection"], row["site"], row["availability"], row["mtbf_s"]) for row in sites]
    assert told == [
        ("plant", "NORTH", 0.75, 36 * HOUR),
        ("plant", None, 1.0, None),
        ("second", "NORTH", 1.0, None),
    ]
    assert (customer["customer"], customer["connection"]) == ("acme", None)
    assert customer["availability"] == (4 * 24 - 12) / (4 * 24)
    assert (customer["observed_from"], customer["data_as_of"]) == ("2026-03-01T00:00:00Z", "2026-03-01T05:00:00Z")
    assert "asset_key" not in customer


def test_a_sandbox_counts_only_when_it_is_named(local: Plant) -> None:
    local.send(event("asset.created", "PUMP-1", "00:00"), to="trial")
    day = ("--from", "2026-03-01", "--to", "2026-03-02", "--json")

    unnamed = local.run("uptime", *day)
    named = local.run("uptime", *day, "--connection", "trial")

    assert unnamed.code == 4
    assert "--connection trial" in unnamed.said
    assert named.row["asset_key"] == "PUMP-1"


def test_an_order_that_keeps_its_asset_down_fails_once_however_often_it_is_reopened(local: Plant) -> None:
    order: dict[str, Any] = {"asset_key": "PUMP-1", "asset_down": True}
    local.send(
        event("work_order.created", "WO-1", "2026-02-10T00:00:00Z", status="approved", **order),
        event("work_order.completed", "WO-1", "2026-02-10T02:00:00Z"),
        event("work_order.reopened", "WO-1", "2026-03-01T10:00:00Z"),
        event("work_order.completed", "WO-1", "2026-03-01T13:00:00Z"),
    )

    february = local.run("uptime", "PUMP-1", "--from", "2026-02-01", "--to", "2026-03-01", "--json").row
    march = local.run("uptime", "PUMP-1", "--from", "2026-03-01", "--to", "2026-04-01", "--json").row
    both = local.run("uptime", "PUMP-1", "--from", "2026-02-01", "--to", "2026-04-01", "--json").row

    assert (february["failures_effective"], february["downtime_s"]) == (1, 2 * HOUR)
    assert (march["failures_effective"], march["failures_reported"], march["downtime_s"]) == (0, 0, 3 * HOUR)
    assert (both["failures_effective"], both["mttr_s"]) == (1, 5 * HOUR)


def test_people_get_percentages_and_hours_and_how_they_are_meant(local: Plant) -> None:
    local.send(
        event("downtime.started", "D-1", "06:00", asset_key="PUMP-1"),
        event("downtime.ended", "D-1", "18:00"),
        event("asset.created", "PUMP-2", "00:00"),
    )

    done = local.run("uptime", "--from", "2026-03-01", "--to", "2026-03-02", "--as-of", "2026-04-01")

    heading, failed, fine = done.out.splitlines()
    assert heading.split()[:2] == ["connection", "asset"]
    assert failed.split() == [
        "plant",
        "PUMP-1",
        "50.000%",
        "50.000%",
        "24.00",
        "12.00",
        "0.00",
        "1",
        "1",
        "0",
        "12.00",
        "12.00",
    ]
    assert fine.split() == [
        "plant",
        "PUMP-2",
        "100.000%",
        "100.000%",
        "24.00",
        "0.00",
        "0.00",
        "0",
        "0",
        "0",
        ">",
        "10.42",
    ]
    assert "as of 2026-04-01T00:00:00Z; MTBF: uptime / failures" in done.said


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--from", "yesterday", "--to", "2026-03-02"], "--from: give a date"),
        (["--from", "2026-03-01T08:00:00", "--to", "2026-03-02"], "--from: give a date"),
        (["--from", "2026-02-30", "--to", "2026-03-02"], "--from: give a date"),
        (["--from", "2026-03-01", "--to", "2026-03-02", "--as-of", "now"], "--as-of: give a date"),
        (["--from", "2026-03-02", "--to", "2026-03-02"], "--from must be before --to"),
        (["--from", "2026-03-01", "--to", "2026-03-02", "--by", "plant"], "--by: one of asset, site, customer"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exit_code_2(local: Plant, arguments: list[str], why: str) -> None:
    done = local.run("uptime", *arguments)

    assert done.code == 2
    assert done.out == ""
    assert done.said.startswith(f"maintenworks: {why}")
    assert len(done.said.splitlines()) == 1


def test_an_asset_that_nobody_ever_named_is_nothing_matched(local: Plant) -> None:
    local.send(event("asset.created", "PUMP-1", "00:00"))

    day = ("--from", "2026-03-01", "--to", "2026-03-02", "--json")
    unnamed = local.run("uptime", "PUMP-2", *day)
    elsewhere = local.run("uptime", "PUMP-1", "--connection", "second", *day)

    assert (unnamed.code, unnamed.out, elsewhere.code, elsewhere.out) == (4, "", 4, "")
    assert unnamed.said == "maintenworks: no asset 'PUMP-2' of any connection\n"
    assert elsewhere.said == "maintenworks: no asset 'PUMP-1' of second\n"


def test_a_bad_connections_file_is_refused_for_it_may_hide_a_sandbox(local: Plant) -> None:
    local.send(event("asset.created", "PUMP-1", "00:00"))
    (local.home / "connections.toml").write_text("[connections.plant]\nsource = 7\n")

    done = local.run("uptime", "--from", "2026-03-01", "--to", "2026-03-02", "--json")

    assert (done.code, done.out) == (2, "")
