"""`pm`: what is due, how well it is kept to, which plans there are and what is coming, by the whole road."""

from typing import Any

import pytest

from tests.worker.cli.plant import Plant, event

FILE = """
[plans.GREASE]
connection = "plant"
assets = ["PUMP-1"]
name = "Grease the bearings"
every = "1 month"
from = 2026-01-15
hours = 1.5
crew = 2
[plans.LOOK]
connection = "plant"
grace = "ten_percent"
hours = 1
"""
AS_OF = ("--as-of", "2026-03-20T12:00:00Z")


def tell(plant: Plant) -> None:
    """A floating plan of upstream's with an order that was late, a monthly one of the file with one that was not."""
    cycle = {"interval": "10", "unit": "week"}
    plant.send(
        event("asset.created", "PUMP-1", "2026-01-01T00:00:00Z", site_key="NORTH"),
        event(
            "pm_plan.created",
            "LOOK",
            "2026-02-20T00:00:00Z",
            name="Look at it",
            cycles=[cycle],
            recurrence_basis="floating",
            next_due_at="2026-03-01",
            asset_keys=["PUMP-1"],
        ),
        event("work_order.created", "W1", "2026-02-25T00:00:00Z", pm_plan_key="LOOK", due_date="2026-03-01"),
        event("work_order.completed", "W1", "2026-03-05T09:00:00Z"),
        event("work_order.created", "W2", "2026-02-10T00:00:00Z", pm_plan_key="GREASE", due_date="2026-02-15"),
        event("work_order.completed", "W2", "2026-02-15T09:00:00Z"),
    )
    (plant.home / "pm_plans.toml").write_text(FILE)


def test_what_is_overdue_comes_before_what_is_coming(plant: Plant) -> None:
    tell(plant)

    found = plant.run("pm", "due", *AS_OF, "--within", "60", "--json").rows

    assert [(row["state"], row["id"], row["days_late"]) for row in found] == [
        ("overdue", "GREASE/2026-03-15", 4.5),
        ("planned", "GREASE/2026-04-15", None),
        ("planned", "LOOK/2026-05-14", None),
        ("planned", "GREASE/2026-05-15", None),
    ]
    assert found[0] == {
        "connection": "plant",
        "id": "GREASE/2026-03-15",
        "plan_key": "GREASE",
        "plan_name": "Grease the bearings",
        "asset_key": "PUMP-1",
        "site": "NORTH",
        "team": None,
        "due_date": "2026-03-15",
        "due_at": "2026-03-15T00:00:00Z",
        "due_until": "2026-03-16T00:00:00Z",
        "grace": "none",
        "called_on": "2026-03-15",
        "threshold": None,
        "is_estimated": False,
        "state": "overdue",
        "reason": None,
        "days_late": 4.5,
        "work_order_key": None,
        "completed_at": None,
        "on_time": None,
        "covered_by": None,
        "crew_hours": "3",
    }


def test_what_is_due_for_people_and_only_of_a_site(local: Plant) -> None:
    tell(local)

    done = local.run("pm", "due", *AS_OF, "--site", "NORTH", "--limit", "1")
    elsewhere = local.run("pm", "due", *AS_OF, "--site", "SOUTH")

    heading, line = done.out.splitlines()
    assert heading.split()[:3] == ["connection", "due", "state"]
    assert " ".join(line.split()) == "plant 2026-03-15 overdue 4.5 PUMP-1 GREASE Grease the bearings 3"
    assert (elsewhere.code, elsewhere.out) == (4, "")


def test_compliance_by_every_rule_and_by_each_plans_own(plant: Plant) -> None:
    """Due on the first and done on the fifth: late by its day, in time by a tenth of ten weeks, which is seven days."""
    tell(plant)

    window = ("--from", "2026-02-01", "--to", "2026-03-20", *AS_OF, "--json")
    by_rule = {
        row["rule"]: row for row in plant.run("pm", "compliance", *window, "--rule", "plan", "--rule", "none").rows
    }
    by_plan = plant.run("pm", "compliance", *window, "--by", "plan", "--rule", "ten_percent").rows

    assert {rule: (row["due"], row["on_time"], row["late"], row["open"]) for rule, row in by_rule.items()} == {
        "plan": (3, 2, 0, 1),
        "none": (3, 1, 1, 1),
    }
    assert by_rule["none"]["compliance"] == 1 / 3
    assert by_rule["none"]["mean_days_late"] == 3.375
    assert [(row["plan_key"], row["due"], row["compliance"]) for row in by_plan] == [
        ("GREASE", 2, 0.5),
        ("LOOK", 1, 1.0),
    ]
    assert list(by_rule["plan"]) == [
        "site",
        "connection",
        "window",
        "as_of",
        "rule",
        "due",
        "on_time",
        "late",
        "open",
        "compliance",
        "mean_days_late",
        "mean_interval_days",
        "longest_interval_days",
        "excluded",
    ]


def test_compliance_of_no_window_is_that_of_the_last_30_days(plant: Plant) -> None:
    tell(plant)

    done = plant.run("pm", "compliance", "--as-of", "2026-03-31T08:00:00Z", "--json")

    assert done.code == 0
    assert {row["window"] for row in done.rows} == {"2026-03-01T08:00:00Z to 2026-03-31T08:00:00Z"}


def test_compliance_for_people_names_the_rule_of_each_line(local: Plant) -> None:
    tell(local)

    done = local.run("pm", "compliance", "--period", "2026-02", *AS_OF)

    lines = [line.split() for line in done.out.splitlines()]
    assert [line[2] for line in lines[1:]] == ["plan", "smrp_20_percent", "ten_percent"]
    assert lines[1][3:5] == ["100.00%", "1"]
    assert "done in time / had to be done" in done.said


def test_a_month_is_cut_where_the_site_is(local: Plant) -> None:
    """Due on 31 January in Auckland: its day ends there with January, at 11:00 UTC."""
    (local.home / "connections.toml").write_text(
        '[connections.plant]\nsource = "unified"\ntime_zone = "Pacific/Auckland"\nsecrets = [{ ref = "env:PLANT" }]\n'
    )
    (local.home / "pm_plans.toml").write_text(
        '[plans.P]\nconnection = "plant"\nevery = "1 year"\nfrom = 2026-01-31\n[plans.Q]\nconnection = "plant"\n'
        'every = "1 year"\nfrom = 2026-02-01\n'
    )

    january = local.run("pm", "compliance", "--period", "2026-01", "--by", "plan", "--rule", "none", *AS_OF, "--json")

    assert [(row["plan_key"], row["due"]) for row in january.rows] == [("P", 1), ("Q", 0)]


def test_plans_are_shown_as_they_are_understood(plant: Plant) -> None:
    tell(plant)
    plant.send(event("work_order.created", "W9", "2026-03-01T00:00:00Z", pm_plan_key="LOST", due_date="2026-03-30"))

    found = {row["plan_key"]: row for row in plant.run("pm", "plan", *AS_OF, "--json").rows}
    look = plant.run("pm", "plan", "LOOK", *AS_OF, "--json").row

    told = {key: (row["told_by"], row["rule"], row["mode"], row["next_due"]) for key, row in found.items()}
    assert told == {
        "GREASE": ("file", "every 1 month", "fixed", "2026-03-15"),
        "LOOK": ("events+file", "every 10 weeks", "floating from completion", "2026-05-14"),
        "LOST": ("orders", None, "fixed", "2026-03-30"),
    }
    assert [(each["id"], each["state"], each["on_time"]) for each in look["occurrences"]] == [
        ("LOOK/2026-03-01", "completed", True),
        ("LOOK/2026-05-14", "planned", None),
    ]
    assert (look["grace"], look["crew_hours"], look["site"]) == ("ten_percent", "1", "NORTH")


def test_a_plan_that_cannot_be_scheduled_says_what_is_missing(local: Plant) -> None:
    local.send(
        event("pm_plan.created", "BARE", "08:00"),
        event("pm_plan.created", "METER", "08:00", trigger_kind="meter"),
        event("pm_plan.created", "UNANCHORED", "08:00", cycles=[{"interval": "1", "unit": "week"}]),
        event("pm_plan.created", "SECONDS", "08:00", cycles=[{"interval": "90", "unit": "second"}]),
        event(
            "pm_plan.created",
            "MANY",
            "08:00",
            start_date="2026-03-01",
            cycles=[
                {"interval": "3", "unit": "month"},
                {"interval": "1", "unit": "month"},
            ],
        ),
    )

    found = {row["plan_key"]: row["problems"] for row in local.run("pm", "plan", "--json").rows}

    assert found == {
        "BARE": ["nobody said how often: no cycle and no days of the week"],
        "MANY": ["has 2 cycles; the shortest, 1 month, counts"],
        "METER": ["nobody said which meter, or every how many units"],
        "SECONDS": ["a cycle of 90 second is no whole number of days or more"],
        "UNANCHORED": ["nobody said from when: no start_date and no next_due_at"],
    }


def test_the_coming_weeks_have_their_hours(plant: Plant) -> None:
    tell(plant)

    rows = plant.run("pm", "forecast", "--months", "3", *AS_OF, "--json").rows
    lines = plant.run("pm", "forecast", "--months", "1", "--by", "plan", *AS_OF).out.splitlines()

    assert [(row["starts_on"], row["week"], row["due"], row["overdue"], row["crew_hours"]) for row in rows] == [
        ("2026-03-16", "2026-W12", 1, 1, "3"),
        ("2026-04-13", "2026-W16", 1, 0, "3"),
        ("2026-05-11", "2026-W20", 2, 0, "4"),
        ("2026-06-15", "2026-W25", 1, 0, "3"),
    ]
    assert {row["site"] for row in rows} == {"NORTH"}
    assert [line.split()[:3] for line in lines[1:]] == [
        ["plant", "GREASE", "2026-03-16"],
        ["plant", "GREASE", "2026-04-13"],
    ]


def test_a_floating_plan_is_foreseen_as_if_done_on_its_day(local: Plant) -> None:
    tell(local)

    rows = local.run("pm", "forecast", "--months", "12", "--by", "plan", *AS_OF, "--json").rows

    look = [(row["starts_on"], row["projected"]) for row in rows if row["plan_key"] == "LOOK"]
    assert look == [("2026-05-11", 0), ("2026-07-20", 1), ("2026-09-28", 1), ("2026-12-07", 1), ("2027-02-15", 1)]


def test_a_meter_plan_goes_by_its_readings(plant: Plant) -> None:
    readings: list[Any] = [
        event("meter_reading.recorded", f"R{day}", f"2026-03-{day:02}T08:00:00Z", meter_key="M", value=str(value))
        for day, value in ((1, 0), (6, 500), (11, 1000))
    ]
    plant.send(*reversed(readings))
    (plant.home / "pm_plans.toml").write_text(
        '[plans.OIL]\nconnection = "plant"\nmissed = "stack"\nmeter = { key = "M", every = 500, from = 0 }\n'
    )

    found = plant.run("pm", "due", *AS_OF, "--within", "0", "--json").rows

    assert [(row["id"], row["due_date"], row["state"], row["is_estimated"]) for row in found] == [
        ("OIL/meter:500", "2026-03-06", "overdue", False),
        ("OIL/meter:1000", "2026-03-11", "overdue", False),
        ("OIL/meter:1500", "2026-03-16", "planned", True),
    ]


def test_a_sandbox_counts_only_when_it_is_named(local: Plant) -> None:
    (local.home / "pm_plans.toml").write_text('[plans.P]\nconnection = "trial"\nevery = "1 month"\nfrom = 2026-03-15\n')

    unnamed = local.run("pm", "due", *AS_OF)
    named = local.run("pm", "due", *AS_OF, "--connection", "trial", "--json")

    assert (unnamed.code, "--connection trial" in unnamed.said) == (4, True)
    assert named.rows[0]["id"] == "P/2026-03-15"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["compliance", "--from", "2026-03-01"], "--period"),
        (["compliance", "--period", "2026-03", "--by", "crew"], "--by: one of site, asset, plan, connection, customer"),
        (["compliance", "--period", "2026-03", "--rule", "soon"], "--rule: one of plan, none, day, smrp_20_percent"),
        (["forecast", "--by", "crew"], "--by: one of site"),
        (["due", "--as-of", "now"], "--as-of: give a date"),
        (["due", "--as-of", "9999-12-31"], "--as-of: give a year from 1970 to 2199"),
        (["compliance", "--period", "2026-03", "--as-of", "0001-01-01"], "--as-of: give a year from 1970 to 2199"),
        (["forecast", "--months", "0"], "Invalid value for '--months'"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_exit_code_2(local: Plant, arguments: list[str], why: str) -> None:
    done = local.run("pm", *arguments)

    assert (done.code, done.out) == (2, "")
    assert why in done.said
    assert len(done.said.splitlines()) == 1


def test_a_bad_file_of_plans_is_refused_with_its_mend(local: Plant) -> None:
    (local.home / "pm_plans.toml").write_text('[plans.P]\nevery = "1 month"\n')

    done = local.run("pm", "due")

    assert (done.code, done.out) == (2, "")
    assert 'pm_plans.toml:1: plans.P.connection: is missing; say whose plan it is: connection = "ID"' in done.said


@pytest.mark.parametrize("command", ["due", "compliance", "plan", "forecast"])
def test_each_command_teaches_itself(local: Plant, command: str) -> None:
    done = local.run("pm", command, "--help")

    assert done.code == 0
    assert f"maintenworks pm {command}" in done.out
    assert "Example:" in done.out


def test_a_rebuild_changes_nothing_of_it(plant: Plant) -> None:
    tell(plant)
    before = plant.run("pm", "plan", "GREASE", *AS_OF, "--json").raw

    rebuilt = plant.run("rebuild", "--connection", "plant", "--reason", "to see")

    assert (rebuilt.code, plant.run("rebuild", "--check").code) == (0, 0)
    assert plant.run("pm", "plan", "GREASE", *AS_OF, "--json").raw == before


def test_nothing_known_is_nothing_matched(local: Plant) -> None:
    codes = [local.run("pm", *each).code for each in (["due"], ["plan"], ["plan", "X"], ["forecast"])]

    assert codes == [4, 4, 4, 4]
    assert local.run("pm", "compliance", "--period", "2026-03").code == 4
