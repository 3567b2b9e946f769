"""Replays seen, stopped and resumed from another terminal than the one that runs them."""

import json
import os
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from handlers.store import schema
from tests.worker.cli.plant import Plant, event
from worker.main import build

SCRIPT = "import sys; from worker.main import main; sys.argv[0] = 'maintenworks'; main()"
ZONELESS = "2026-03-01T08:00:00"
LETTERS = 250
"""So many that the slow replay has work for two minutes."""


def _plant(plant: Plant, letters: int = LETTERS) -> None:
    plant.send([event("asset.created", f"A-{n}", ZONELESS, f"e{n}") for n in range(letters)])


def _sent(plant: Plant) -> int:
    with plant.database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(schema.retries)).scalar_one()


def test_one_that_runs_is_seen_and_stopped_from_another_terminal_and_goes_on_when_it_is_resumed(local: Plant) -> None:
    _plant(local)
    environment = {**os.environ, "MAINTENWORKS_HOME": str(local.home), "MAINTENWORKS_DATABASE_URL": local.url}
    command = [sys.executable, "-c", SCRIPT, "dead-letters", "replay", "--reason", "r", "--rate", "2/s", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        deadline = time.monotonic() + 120
        while not _sent(local):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        (seen,) = local.run("dead-letters", "replay", "--list", "--json").rows
        stop = ("dead-letters", "replay", "--stop", seen["replay"])
        stopped = local.run(*stop, "--by", "bert", "--reason", "workers are slow", "--json")
        out, said = running.communicate(timeout=120)

    last = json.loads(out.splitlines()[-1])
    assert (seen["state"], seen["total"], seen["rate_per_s"], seen["reason"]) == ("running", LETTERS, 2, "r")
    assert (stopped.code, stopped.row["state"]) == (0, "stopped")
    assert (running.returncode, last["state"], last["sent"]) == (3, "stopped", stopped.row["sent"])
    assert 0 < last["sent"] < LETTERS
    assert f"--resume {seen['replay']}" in stopped.said
    assert f"--resume {seen['replay']}" in said.decode()
    assert local.run(*stop).code == 0

    done = local.run("dead-letters", "replay", "--resume", seen["replay"], "--rate", "100000/s", "--json")

    assert (done.code, done.row["state"], done.row["sent"]) == (0, "done", LETTERS)
    assert local.run(*stop, "--json").row["state"] == "done"
    acts = [(row["act"].partition(".")[2], row["who"]) for row in local.run("audit", "list", "--json").rows]
    assert [act for act, _ in acts] == ["replay", "replay_stopped", "replay_resumed", "replay_done"]
    assert acts[1] == ("replay_stopped", "bert")


def test_replays_are_listed_the_newest_last_for_people_too(plant: Plant) -> None:
    _plant(plant, 3)
    (name,) = {row["delivery_id"] for row in plant.run("dead-letters", "list", "--json").rows}
    for number in range(2):
        plant.run("dead-letters", "replay", "--id", f"{name}/{number}", "--reason", f"try [{number}] \x1b[31m")

    rows = plant.run("dead-letters", "replay", "--list", "--json").rows
    told = plant.run("dead-letters", "replay", "--list")

    assert [row["reason"] for row in rows] == ["try [0] \x1b[31m", "try [1] \x1b[31m"]
    assert [row["plan"]["filters"]["ids"] for row in rows] == [[f"{name}/0"], [f"{name}/1"]]
    heading, first, second = told.out.splitlines()
    assert heading.split()[:3] == ["replay", "state", "sent"]
    assert first.startswith(f"{rows[0]['replay']}  done ")
    assert second.startswith(f"{rows[1]['replay']}  done ")
    assert "\x1b" not in told.out


def test_what_is_not_there_is_code_4_and_two_wishes_at_once_are_code_2(local: Plant) -> None:
    assert local.run("dead-letters", "replay", "--list").code == 4
    assert local.run("dead-letters", "replay", "--stop", "x").code == 4
    for arguments in (["--stop", "x", "--resume", "y"], ["--list", "--stop", "x"], ["--list", "--resume", "y"]):
        assert local.run("dead-letters", "replay", *arguments).code == 2


@pytest.mark.parametrize("command", ["list", "export", "discard", "replay"])
def test_the_filters_are_the_same_in_every_command(command: str) -> None:
    done = CliRunner().invoke(build(), ["dead-letters", command, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    filters = ("--connection", "--type", "--error", "--fingerprint", "--since", "--until", "--id")
    assert all(option in done.output for option in filters)
    assert ("--state" in done.output) == (command != "discard")
