"""`tokens`: made and shown once, kept as digests, taken back at once; each act in the audit log."""

from pathlib import Path

import pytest

from tests.servers import free_port
from tests.worker.cli.at_home import Home
from worker import tokens
from worker.tokens import Tokens


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which nothing was made yet."""
    return Home(tmp_path / "home")


def test_a_token_is_shown_once_and_only_its_digest_is_kept(home: Home) -> None:
    made = home.run(
        "tokens", "add", "anna", "--role", "operator", "--reason", "shift lead", "--by", "ben", "--json"
    ).row
    shown = home.run("tokens", "add", "grafana")
    assert (made["name"], made["role"], made["token"].startswith("mwt_")) == ("anna", "operator", True)
    assert shown.out.startswith("grafana, viewer; the token, shown this once: mwt_")
    kept = home.folder / tokens.FILE
    assert (kept.stat().st_mode & 0o777, made["token"] in kept.read_text()) == (0o600, False)
    found = Tokens(home.folder).find(made["token"])
    assert found is not None
    assert (found.name, found.may("operator"), found.may("viewer")) == ("anna", True, True)
    assert [(row["name"], row["role"]) for row in home.run("tokens", "list", "--json").rows] == [
        ("anna", "operator"),
        ("grafana", "viewer"),
    ]
    assert "mwt_" not in home.run("tokens", "list").out
    log = home.run("audit", "list", "--json")
    first = log.rows[0]
    assert (first["act"], first["who"], first["plan"]) == ("tokens.add", "ben", {"token": "anna", "role": "operator"})
    assert made["token"] not in log.out


def test_a_revoked_token_is_none_at_once(home: Home) -> None:
    made = home.run("tokens", "add", "anna", "--json").row["token"]
    held = Tokens(home.folder)
    assert held.find(made) is not None
    done = home.run("tokens", "revoke", "anna", "--reason", "left the plant")
    assert (done.code, done.out, held.find(made)) == (0, "revoked anna\n", None)
    assert home.run("tokens", "revoke", "anna").code == 4
    assert home.run("tokens", "list").code == 4
    assert home.run("audit", "list", "--json").rows[-1]["reason"] == "left the plant"


def test_the_token_of_up_is_listed_and_taken_back_too(home: Home) -> None:
    home.folder.mkdir()
    path = tokens.make_operator_token(home.folder)
    assert home.run("tokens", "list", "--json").row["name"] == "operator"
    assert home.run("tokens", "add", "operator", "--role", "viewer").code == 2
    assert home.run("tokens", "revoke", "operator").code == 0
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("anna", "--role", "boss"), "--role"),
        (("an na",), "names are like"),
        (("a" * 65,), "names are like"),
        (("anna",), "already"),
    ],
)
def test_what_cannot_be_a_token_is_refused_and_not_logged(home: Home, arguments: tuple[str, ...], word: str) -> None:
    home.run("tokens", "add", "anna")
    refused = home.run("tokens", "add", *arguments)
    assert (refused.code, word in refused.said) == (2, True)
    assert len(home.run("audit", "list", "--json").rows) == 1


def test_revoking_does_not_wait_for_the_database_and_making_does(home: Home) -> None:
    made = home.run("tokens", "add", "anna", "--json").row["token"]
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    assert home.run("tokens", "add", "ben", MAINTENWORKS_DATABASE_URL=away).code == 69
    done = home.run("tokens", "revoke", "anna", MAINTENWORKS_DATABASE_URL=away)
    assert (done.code, Tokens(home.folder).find(made)) == (3, None)
    assert [row["name"] for row in home.run("tokens", "list", "--json").rows] == []
