"""What operators do to connections is in the audit log: who, what, why and what it came to."""

import stat
from pathlib import Path
from typing import Any

import pytest

from handlers.store import audit as log
from handlers.store.engine import Database
from tests.servers import BrokerServer, free_port
from tests.worker.cli.at_home import Home
from worker import audit
from worker.streams_server import REVOKED

SECRET = "0123456789abcdef0123456789abcdef"
ADD = ("connections", "add", "acme", "--source", "unified", "--secret", "env:ACME")


@pytest.fixture
def home(tmp_path: Path, valkey: BrokerServer) -> Home:
    """A home whose broker runs, and that no database was made in yet."""
    return Home(tmp_path / "home", MAINTENWORKS_BROKER_URL=valkey.url, ACME=SECRET)


def _rows(home: Home) -> list[dict[str, Any]]:
    return home.run("audit", "list", "--json").rows


def _away() -> str:
    return f"postgresql://nobody@127.0.0.1:{free_port()}/none"


def test_each_act_leaves_a_row_in_a_chain_that_is_whole(home: Home) -> None:
    codes = [
        home.run(*ADD, "--customer", "Acme Corp", "--reason", "contract 7", "--by", "anna").code,
        home.run("connections", "rotate", "acme", "--grace", "1h", "--reason", "yearly").code,
        home.run("connections", "pause", "acme").code,
        home.run("connections", "resume", "acme").code,
        home.run("connections", "revoke", "acme", "--reason", "key leaked", "--by", "bert").code,
    ]

    rows = _rows(home)
    assert codes == [0] * 5
    assert [row["act"].removeprefix("connections.") for row in rows] == ["add", "rotate", "pause", "resume", "revoke"]
    assert {row["plan"]["connection"] for row in rows} == {"acme"}
    first, rotated, *_, last = rows
    assert (first["who"], first["reason"], first["plan"]["customer"]) == ("anna", "contract 7", "Acme Corp")
    assert first["outcome"] == {"ref": "env:ACME", "admitted": True}
    assert (rotated["plan"]["grace"], rotated["outcome"]) == ("1h", {"ref": "file:secrets/acme"})
    assert (last["who"], last["outcome"]) == ("bert", {"broker": "revoked", "file": "marked"})
    database = Database(f"sqlite:///{home.folder}/maintenworks.db")
    assert audit.verify(log.entries(database), log.head(database)).findings == []
    database.close()


def test_no_secret_is_in_a_row(home: Home) -> None:
    made = home.run("connections", "add", "acme", "--source", "unified", "--generate-secret", "--json").row["secret"]
    new = home.run("connections", "rotate", "acme", "--json").row["secret"]
    told = home.run("audit", "list", "--json").out
    assert made not in told
    assert new not in told


def test_the_database_that_the_first_connection_makes_is_private(home: Home) -> None:
    assert home.run(*ADD).code == 0
    assert stat.S_IMODE((home.folder / "maintenworks.db").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700


def test_an_empty_postgresql_database_gets_its_schema_too(home: Home, postgres_url: str) -> None:
    home.settings["MAINTENWORKS_DATABASE_URL"] = postgres_url
    assert home.run(*ADD).code == 0
    assert [row["act"] for row in _rows(home)] == ["connections.add"]


@pytest.mark.parametrize(
    "arguments",
    [ADD[1:], ("rotate", "beta"), ("pause", "beta"), ("resume", "beta")],
)
def test_what_can_wait_is_not_done_without_the_database(home: Home, arguments: tuple[str, ...]) -> None:
    home.run("connections", "add", "beta", "--source", "unified", "--secret", "env:ACME")
    before = home.connections

    done = home.run("connections", *arguments, MAINTENWORKS_DATABASE_URL=_away())

    assert (done.code, done.out) == (69, "")
    assert "the database does not answer" in done.said
    assert home.connections == before


def test_revoking_does_not_wait_for_the_database_and_says_that_its_row_is_missing(
    home: Home, valkey: BrokerServer
) -> None:
    home.run(*ADD)

    done = home.run("connections", "revoke", "acme", MAINTENWORKS_DATABASE_URL=_away())

    assert (done.code, done.out) == (3, "revoked acme\n")
    assert "connections.revoke is done, but its row in the audit log could not be written" in done.said
    with valkey.client() as client:
        assert client.smembers(REVOKED) == {b"acme"}
    assert home.run("connections", "show", "acme", "--json").row["revoked"] is True
    assert [row["act"] for row in _rows(home)] == ["connections.add"]


def test_a_revocation_that_could_not_be_marked_in_the_file_is_told_as_it_was(home: Home) -> None:
    home.run(*ADD)
    (home.folder / "connections.toml").write_text(home.connections + "[connections.acme\n")

    assert home.run("connections", "revoke", "acme").code == 3

    assert _rows(home)[-1]["outcome"] == {"broker": "revoked", "file": "not marked"}


def test_a_home_that_no_database_can_be_made_in_is_said(home: Home) -> None:
    home.folder.write_text("")
    done = home.run(*ADD, MAINTENWORKS_CONNECTIONS=str(home.folder.with_name("connections.toml")))
    assert (done.code, done.out) == (69, "")
    assert "the database cannot be made" in done.said


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "acme", "--source", "unified", "--secret", "env:ACME"),
        ("add", "beta", "--source", "nothing", "--secret", "env:ACME"),
        ("pause", "nobody"),
        ("revoke", "nobody"),
        ("rotate", "acme", "--grace", "soon"),
    ],
)
def test_what_was_refused_leaves_no_row(home: Home, arguments: tuple[str, ...]) -> None:
    home.run(*ADD)
    assert home.run("connections", *arguments).code in {2, 4}
    assert [row["act"] for row in _rows(home)] == ["connections.add"]
