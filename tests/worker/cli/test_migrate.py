"""`migrate`: once, twice, at once, and for a database that is just starting."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tenacity import RetryCallState
from typer.testing import CliRunner

from handlers.store import migrate
from tests.servers import PostgresServer, free_port
from tests.worker.cli.at_home import Home
from worker.cli import migrate as command
from worker.main import build

NEWEST = migrate.newest()
AT_ONCE = 3


def test_the_help_has_an_example() -> None:
    done = CliRunner().invoke(build(), ["migrate", "--help"])
    assert "maintenworks migrate --wait 2min" in " ".join(done.output.split())


def test_a_fresh_home_gets_a_database(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")

    done = home.run("migrate")

    assert (done.code, done.out) == (0, f"schema at {NEWEST}, was at nothing\n")
    assert (home.folder / "maintenworks.db").exists()


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.run("migrate")
    assert home.run("migrate").out == f"schema at {NEWEST}\n"
    assert home.run("migrate", "--json").row == {"before": NEWEST, "version": NEWEST}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_several_at_once_do_no_harm(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    settings = {"MAINTENWORKS_HOME": str(tmp_path)}
    if kind == "postgresql":
        settings["MAINTENWORKS_DATABASE_URL"] = request.getfixturevalue("postgres_url")
    arguments = [sys.executable, "-P", "-c", "from worker.main import main; main()", "migrate"]

    started = [
        subprocess.Popen(arguments, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(AT_ONCE)
    ]
    told = [each.communicate(timeout=120) for each in started]

    assert [each.returncode for each in started] == [0] * AT_ONCE, told
    assert all(out.startswith(f"schema at {NEWEST}".encode()) for out, _ in told)
    assert Home(tmp_path, **settings).run("migrate").out == f"schema at {NEWEST}\n"


def test_a_server_that_is_just_starting_is_waited_for(
    tmp_path: Path, postgres_session: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is started once the command has said that it waits."""
    say = command._say_once

    def say_and_start(state: RetryCallState) -> None:
        say(state)
        if not postgres_session.answers():
            postgres_session.start()

    monkeypatch.setattr(command, "_say_once", say_and_start)
    home = Home(tmp_path, MAINTENWORKS_DATABASE_URL=postgres_url)
    postgres_session.stop()
    try:
        done = home.run("migrate", "--wait", "60s")
    finally:
        if not postgres_session.answers():
            postgres_session.start()

    assert (done.code, done.out) == (0, f"schema at {NEWEST}, was at nothing\n")
    assert done.said.count("does not answer yet") == 1


def test_a_server_that_never_answers_is_exit_69_once_the_wait_is_over(tmp_path: Path) -> None:
    url = f"postgresql://postgres:hunter2@127.0.0.1:{free_port()}/plant"

    done = Home(tmp_path, MAINTENWORKS_DATABASE_URL=url).run("migrate", "--wait", "1s")

    assert (done.code, done.out) == (69, "")
    assert done.said.splitlines()[-1].startswith(
        "maintenworks: MAINTENWORKS_DATABASE_URL: the database does not answer"
    )
    assert "hunter2" not in done.said


def test_a_sqlite_file_that_cannot_be_made_is_not_waited_for(tmp_path: Path) -> None:
    done = Home(tmp_path, MAINTENWORKS_DATABASE_URL=f"sqlite:///{tmp_path}/nowhere/x.db").run("migrate")
    assert done.code == 69
    assert "does not answer yet" not in done.said


def test_a_wait_that_is_no_length_of_time_is_a_usage_error(tmp_path: Path) -> None:
    assert Home(tmp_path).run("migrate", "--wait", "long").code == 2
