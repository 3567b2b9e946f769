"""`pm add` and `pm remove`: plans by command, in a file in which comments stay."""

import pytest

from handlers.connections.plan_file import read_plan_file
from tests.worker.cli.plant import Plant, event

GREASE = ("--connection", "plant", "--asset", "PUMP-1", "--every", "1 month", "--from", "2026-01-15")
WHY = ("--reason", "manual, 4.2")
THEIRS = '# ours, not upstream\'s\n[plans.LOOK]\nconnection = "plant"\nhours = 1 # a guess\n'


def test_a_plan_that_is_added_makes_something_due_and_one_that_is_removed_does_not(plant: Plant) -> None:
    plant.send(event("asset.created", "PUMP-1", "2026-01-01T00:00:00Z"))
    file = plant.home / "pm_plans.toml"
    file.write_text(THEIRS)

    added = plant.run("pm", "add", "GREASE 1/2", *GREASE, "--set", "lead_days=3", "--hours", "1.5", *WHY)

    assert added.code == 0, added.said
    assert file.read_text().startswith(THEIRS)
    due = plant.run("pm", "plan", "GREASE 1/2", "--as-of", "2026-03-20T00:00:00Z", "--json").rows
    assert "GREASE 1/2/2026-03-15" in {each["id"] for each in due[0]["occurrences"]}
    acts = plant.run("audit", "list", "--json").rows
    assert [(each["act"], each["reason"]) for each in acts if each["act"].startswith("pm.")] == [("pm.add", WHY[1])]

    assert plant.run("pm", "remove", "GREASE 1/2", *WHY).code == 0
    assert file.read_text().strip() == THEIRS.strip()
    assert plant.run("pm", "remove", "GREASE 1/2", *WHY).code == 2


def test_season_meter_and_every_other_field_of_the_file_can_be_set(plant: Plant) -> None:
    told = plant.run(
        *("pm", "add", "OIL", "--connection", "plant", "--meter", "HOURS", "--meter-every", "500"),
        *(
            "--set",
            'season = { first = "04-01", last = "10-31" }',
            "--set",
            "open_limit = 2",
            "--set",
            'missed = "stack"',
        ),
        *WHY,
    )

    assert told.code == 0, told.said
    (plan,) = read_plan_file(plant.home / "pm_plans.toml")
    assert (str(plan.states["meter"].interval), plan.states["open_limit"]) == ("500", 2)
    assert plan.states["working"].season == ((4, 1), (10, 31))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((*GREASE, "--from", "soon"), "--from from=soon: is none; write a day like 2026-01-31"),
        (("--connection", "plant", "--every", "often"), 'plans.GREASE.every: is no interval; write one like "10 days"'),
        ((*GREASE, "--set", "every='2 weeks'"), "--set every: is given twice"),
        ((*GREASE, "--set", "colour='red'"), "plans.GREASE.colour"),
        ((*GREASE, "--meter", "HOURS"), "--meter and --meter-every go together"),
        (("--connection", "nobody", "--every", "1 month"), "no connection 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_mend_and_nothing_is_written(
    plant: Plant, options: tuple[str, ...], said: str
) -> None:
    refused = plant.run("pm", "add", "GREASE", *options, *WHY)

    assert refused.code != 0
    assert said in " ".join(refused.said.split())
    assert not (plant.home / "pm_plans.toml").exists()


def test_a_plan_is_not_added_twice(plant: Plant) -> None:
    assert plant.run("pm", "add", "GREASE", *GREASE, *WHY).code == 0

    assert "plans.GREASE: is there already" in plant.run("pm", "add", "GREASE", *GREASE, *WHY).said
