"""Shared addresses and senders that cannot sign, as an operator meets them."""

import base64
from pathlib import Path

import pytest

from handlers.connections import Registry
from tests.worker.cli.at_home import Home
from worker.cli.send import with_query

TOKEN = "a-token-of-more-than-16-bytes"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HUB_SECRET", "a secret of the hub's own")
    monkeypatch.setenv("A_TOKEN", TOKEN)
    return Home(tmp_path)


@pytest.fixture
def hub(home: Home) -> Home:
    shared = ("--shared", "--source", "unified", "--id", "/connection_id", "--secret", "env:HUB_SECRET")
    assert home.run("connections", "add", "hub", *shared).code == 0
    joining = ("--source", "unified", "--endpoint", "hub", "--external-id", "conn-7")
    assert home.run("connections", "add", "north", *joining).code == 0
    return home


def test_an_endpoint_is_added_and_a_connection_joins_it_without_a_secret(hub: Home) -> None:
    registry = Registry(hub.folder / "connections.toml", hub.folder)
    member = registry.member("hub", "conn-7")
    assert member is not None
    assert (member.id, member.secrets) == ("north", ())

    shown = hub.run("connections", "show", "north", "--json").row
    assert (shown["path"], shown["endpoint"], shown["external_id"], shown["secrets"]) == (
        "/webhooks/hub",
        "hub",
        "conn-7",
        [],
    )
    shown = hub.run("connections", "show", "hub", "--json").row
    assert (shown["endpoint"], shown["path"], shown["id"]) == ("hub", "/webhooks/hub", "/connection_id")
    assert [row.get("connection") for row in hub.run("connections", "list", "--json").rows] == ["north", None]
    assert "(endpoint)" in hub.run("connections", "list").out


def test_both_are_checked_where_their_secrets_are(hub: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hub.run("connections", "check").code == 0
    monkeypatch.delenv("HUB_SECRET")

    found = hub.run("connections", "check", "--json")

    assert found.code == 1
    assert {row["connection"]: row["ok"] for row in found.rows} == {"north": True, "hub": False}


def test_a_saved_webhook_of_a_member_is_verified_as_its_endpoints(hub: Home) -> None:
    (hub.folder / "body.json").write_bytes(b"{}")
    signature = "0" * 64

    found = hub.run(
        "connections",
        "verify",
        "north",
        str(hub.folder / "body.json"),
        "-H",
        f"X-Webhook-Signature: {signature}",
        "--json",
    )

    assert (found.code, found.row["connection"], found.row["reason"]) == (1, "hub", "wrong_signature")


def test_an_endpoints_secret_is_rotated_and_a_members_is_not(hub: Home) -> None:
    assert hub.run("connections", "rotate", "hub").code == 0
    refused = hub.run("connections", "rotate", "north")

    assert (refused.code, "rotate its endpoint hub" in refused.said) == (2, True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--endpoint", "hub"), "external_id"),
        (("--endpoint", "rim", "--external-id", "7"), "is no endpoint; there are hub"),
        (("--endpoint", "hub", "--external-id", "conn-7"), "is the one of north at hub already"),
        (("--external-id", "7", "--secret", "env:A_TOKEN"), "has no endpoint to come in at"),
        (("--shared", "--secret", "env:A_TOKEN"), "id: is missing"),
        (("--endpoint", "hub", "--external-id", "7", "--secret", "env:A", "--generate-secret"), "either --secret REF"),
    ],
)
def test_what_cannot_join_is_a_usage_error_and_changes_nothing(hub: Home, options: tuple[str, ...], said: str) -> None:
    before = (hub.folder / "connections.toml").read_text()

    refused = hub.run("connections", "add", "south", "--source", "unified", *options)

    assert (refused.code, said in refused.said) == (2, True), refused
    assert (hub.folder / "connections.toml").read_text() == before


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ('header = "X-Token"', ("-H", f"X-Token: {TOKEN}")),
        ('basic = "u"', ("-H", f"Authorization: Basic {base64.b64encode(f'u:{TOKEN}'.encode()).decode()}")),
        ('query = "token"', ("--query", f"?token={TOKEN}")),
        ('pointer = "/t"', ()),
    ],
)
def test_a_token_is_found_where_it_should_be_and_never_printed(home: Home, place: str, given: tuple[str, ...]) -> None:
    scheme = ("--scheme", f"{{ token = {{ {place} }} }}", "--secret", "env:A_TOKEN")
    assert home.run("connections", "add", "plant", "--source", "unified", *scheme).code == 0
    (home.folder / "body.json").write_text(f'{{"t": "{TOKEN}"}}')

    found = home.run("connections", "verify", "plant", str(home.folder / "body.json"), *given)

    assert (found.code, "verified for plant" in found.out) == (0, True), found
    refused = home.run("connections", "verify", "plant", "-", *given[:1], *(each[:-3] for each in given[1:]))
    assert refused.code == 1
    assert TOKEN not in found.out + found.said + refused.out + refused.said


def test_a_query_is_added_to_the_one_that_an_address_has() -> None:
    assert with_query("https://x/webhooks/a", "") == "https://x/webhooks/a"
    assert with_query("https://x/webhooks/a?b=1", "token=s%20t") == "https://x/webhooks/a?b=1&token=s%20t"
