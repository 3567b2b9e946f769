"""`connections`: added, shown, rotated, paused, revoked and explained, by the real commands on a real broker."""

import hashlib
import hmac
import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from handlers.connections import Registry
from tests.servers import BrokerServer
from tests.worker.cli.at_home import Home
from worker.main import build
from worker.streams_server import REVOKED

NOBODY = "redis://127.0.0.1:1/0"
SECRET = "0123456789abcdef0123456789abcdef"
BODY = b'{"type": "asset.updated"}'
COMMANDS = ("add", "list", "show", "rotate", "revoke", "pause", "resume", "check", "verify")


@pytest.fixture
def home(tmp_path: Path, valkey: BrokerServer) -> Home:
    """A home whose broker runs."""
    return Home(tmp_path, MAINTENWORKS_BROKER_URL=valkey.url, ACME=SECRET)


@pytest.fixture
def acme(home: Home) -> Home:
    """The same with one connection."""
    assert home.run("connections", "add", "acme", "--source", "unified", "--secret", "env:ACME").code == 0
    return home


def _revoked(valkey: BrokerServer) -> set[bytes | str]:
    with valkey.client() as client:
        return client.smembers(REVOKED)


def _signature(body: bytes = BODY, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(command: str) -> None:
    done = CliRunner().invoke(build(), ["connections", command, "--help"])
    assert done.exit_code == 0
    assert f"maintenworks connections {command}" in " ".join(done.output.split())


def test_a_generated_secret_is_kept_privately_and_printed_once(home: Home) -> None:
    done = home.run("connections", "add", "acme", "--source", "unified", "--generate-secret")

    kept = home.folder / "secrets" / "acme"
    secret = kept.read_text().strip()
    assert done.code == 0
    assert done.out.count(secret) == 1
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert Registry(home.folder / "connections.toml", home.folder).all()["acme"].secrets[0].text == "file:secrets/acme"
    later = [home.run("connections", each, *more) for each, more in (("list", ()), ("show", ("acme",)), ("check", ()))]
    assert all(secret not in each.out + each.said for each in later)


def test_a_connection_is_added_with_all_that_was_said_of_it(home: Home) -> None:
    options = ("--scheme", "github", "--customer", "Acme Corp", "--environment", "sandbox", "--secret", "env:ACME")

    added = home.run("connections", "add", "acme", "--source", "unified", *options, "--json").row

    shown = home.run("connections", "show", "acme", "--json").row
    assert (added["done"], added["ref"], "secret" in added) == ("added", "env:ACME", False)
    wanted = {
        "connection": "acme",
        "path": "/webhooks/acme",
        "source": "unified",
        "customer": "Acme Corp",
        "environment": "sandbox",
        "scheme": "github",
        "paused": False,
        "revoked": False,
    }
    assert {name: shown[name] for name in wanted} == wanted
    assert shown["secrets"] == [{"ref": "env:ACME", "not_before": None, "not_after": None}]
    assert home.run("connections", "list", "--json").rows == [shown]


def test_a_scheme_may_be_given_with_options_as_in_the_file(home: Home) -> None:
    scheme = '{ hmac = { header = "X-Sig", encoding = "base64" } }'

    done = home.run("connections", "add", "acme", "--source", "unified", "--secret", "env:ACME", "--scheme", scheme)

    assert done.code == 0
    assert Registry(home.folder / "connections.toml", home.folder).all()["acme"].scheme.secret_headers == {"x-sig"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "either --secret REF or --generate-secret"),
        (("--secret", "env:ACME", "--generate-secret"), "either --secret REF or --generate-secret"),
        (("--secret", "env:ACME", "--scheme", "{ hmac = "), "as in the file"),
        (("--secret", "env:ACME", "--scheme", "rot13"), "rot13"),
        (("--secret", "env:ACME", "--environment", "moon"), "environment"),
        (("--secret", "hunter2hunter2hunter2"), "literal"),
    ],
)
def test_what_cannot_be_added_is_a_usage_error_and_changes_nothing(
    home: Home, options: tuple[str, ...], said: str
) -> None:
    done = home.run("connections", "add", "acme", "--source", "unified", *options)

    assert done.code == 2
    assert said in " ".join(done.said.replace("│", " ").split())
    assert "hunter2" not in done.out + done.said
    assert home.run("connections", "list", "--json").rows == []


def test_an_id_that_is_taken_is_not_added_again(acme: Home) -> None:
    before = acme.connections

    done = acme.run("connections", "add", "acme", "--source", "unified", "--generate-secret")

    assert done.code == 2
    assert "is there already" in done.said
    assert acme.connections == before


@pytest.mark.parametrize(
    "arguments",
    [("show",), ("rotate",), ("pause",), ("resume",), ("revoke",), ("check",), ("verify", "-", "-H", "A: b")],
)
def test_a_connection_that_is_not_there_is_exit_4(acme: Home, valkey: BrokerServer, arguments: tuple[str, ...]) -> None:
    command, *more = arguments

    done = acme.run("connections", command, "nobody", *more)

    assert (done.code, done.out) == (4, "")
    assert "'nobody'" in done.said
    assert _revoked(valkey) == set()


def test_a_rotated_secret_comes_first_and_the_old_one_ends_with_the_grace(acme: Home) -> None:
    began = datetime.now(UTC)

    done = acme.run("connections", "rotate", "acme", "--grace", "7d", "--json").row

    new, old = done["secrets"]
    end = datetime.fromisoformat(old["not_after"])
    assert new == {"ref": "file:secrets/acme", "not_before": None, "not_after": None}
    assert old["ref"] == "env:ACME"
    assert abs(end - began - timedelta(days=7)) < timedelta(minutes=1)
    assert (acme.folder / "secrets" / "acme").read_text().strip() == done["secret"]
    assert "until 2" in acme.run("connections", "show", "acme").out


def test_a_grace_that_is_no_length_of_time_is_a_usage_error(acme: Home) -> None:
    before = acme.connections
    assert acme.run("connections", "rotate", "acme", "--grace", "soon").code == 2
    assert acme.connections == before


def test_a_connection_is_paused_and_resumed(acme: Home) -> None:
    assert acme.run("connections", "pause", "acme").out == "paused acme\n"
    assert acme.run("connections", "show", "acme", "--json").row["paused"] is True
    assert "paused" in acme.run("connections", "list").out
    assert acme.run("connections", "resume", "acme", "--json").row == {"done": "resumed", "connection": "acme"}
    assert acme.run("connections", "show", "acme", "--json").row["paused"] is False


def test_a_revoked_connection_is_refused_by_broker_and_file_until_it_is_added_again(
    acme: Home, valkey: BrokerServer
) -> None:
    assert acme.run("connections", "revoke", "acme").code == 0
    assert _revoked(valkey) == {b"acme"}
    assert acme.run("connections", "show", "acme", "--json").row["revoked"] is True

    assert acme.run("connections", "add", "acme", "--source", "unified", "--generate-secret").code == 0
    assert _revoked(valkey) == set()
    assert acme.run("connections", "show", "acme", "--json").row["revoked"] is False


def test_revoking_fails_and_changes_nothing_where_the_broker_does_not_answer(acme: Home) -> None:
    before = acme.connections

    done = acme.run("connections", "revoke", "acme", MAINTENWORKS_BROKER_URL=NOBODY)

    assert done.code == 69
    assert "acme is not revoked" in done.said
    assert acme.connections == before


def test_revoking_works_in_the_broker_whatever_the_files_state_and_is_then_partly_done(
    acme: Home, valkey: BrokerServer
) -> None:
    bad = acme.connections + "[connections.acme\n"
    (acme.folder / "connections.toml").write_text(bad)

    done = acme.run("connections", "revoke", "acme")

    assert done.code == 3
    assert _revoked(valkey) == {b"acme"}
    assert acme.connections == bad


def test_a_revoked_connection_is_not_taken_in_again_without_the_broker(acme: Home) -> None:
    acme.run("connections", "revoke", "acme")
    before = acme.connections

    done = acme.run(
        "connections", "add", "acme", "--source", "unified", "--generate-secret", MAINTENWORKS_BROKER_URL=NOBODY
    )

    assert (done.code, done.out) == (69, "")
    assert "acme is still revoked" in done.said
    assert acme.connections == before


def test_a_new_connection_is_added_without_the_broker_and_its_secret_still_shown(home: Home) -> None:
    """A revocation of an id that is in no file any more could not be taken back: that is partly done."""
    done = home.run(
        "connections", "add", "acme", "--source", "unified", "--generate-secret", MAINTENWORKS_BROKER_URL=NOBODY
    )

    assert done.code == 3
    assert (home.folder / "secrets" / "acme").read_text().strip() in done.out


def test_a_first_connection_needs_no_broker_before_the_embedded_one_ever_ran(tmp_path: Path) -> None:
    done = Home(tmp_path).run("connections", "add", "acme", "--source", "unified", "--generate-secret")
    assert (done.code, done.out.splitlines()[0]) == (0, "added acme: POST /webhooks/acme, signed as makini")


def test_no_connections_are_no_failure_and_the_mend_is_said(home: Home) -> None:
    done = home.run("connections", "list")
    assert (done.code, done.out) == (0, "")
    assert "connections add" in done.said


def test_check_says_which_secret_cannot_be_had(acme: Home) -> None:
    acme.run("connections", "add", "other", "--source", "unified", "--secret", "env:OTHER")

    done = acme.run("connections", "check", "--json")

    good, bad = done.rows
    assert done.code == 1
    assert good == {"connection": "acme", "ok": True, "problem": None}
    assert (bad["connection"], bad["ok"]) == ("other", False)
    assert "env:OTHER" in bad["problem"]
    assert acme.run("connections", "check", "acme").code == 0
    assert acme.run("connections", "check", OTHER=SECRET).code == 0


def test_check_says_that_all_secrets_have_expired(acme: Home) -> None:
    text = acme.connections.replace('"env:ACME"', '"env:ACME", not_after = 2020-01-01T00:00:00Z')
    (acme.folder / "connections.toml").write_text(text)

    done = acme.run("connections", "check")

    assert done.code == 1
    assert "no secret is valid now" in done.out


def test_verify_tells_that_a_saved_webhook_verifies(acme: Home) -> None:
    (acme.folder / "body").write_bytes(BODY)

    done = acme.run(
        "connections", "verify", "acme", str(acme.folder / "body"), "-H", f"X-Webhook-Signature:{_signature()}"
    )

    assert done.code == 0
    assert done.out.splitlines()[-1] == "verified for acme with the secret at position 0"


def test_verify_tells_the_step_that_fails_and_what_may_be_wrong(acme: Home) -> None:
    signature = _signature(BODY + b"\n")

    done = acme.run(
        "connections", "verify", "acme", "-", "-H", f"X-Webhook-Signature: {signature}", "--json", given=BODY
    )

    steps = {step["step"]: step["ok"] for step in done.row["steps"]}
    assert done.code == 1
    assert (done.row["verified"], done.row["reason"]) == (False, "wrong_signature")
    assert steps == {"header": True, "form": True, "secrets": True, "signature": False}
    assert any("line break" in hint for hint in done.row["hints"])
    assert SECRET not in done.out
    assert signature not in done.out


def test_verify_judges_a_timestamp_by_the_time_of_arrival(home: Home) -> None:
    home.run("connections", "add", "pay", "--source", "unified", "--secret", "env:ACME", "--scheme", "stripe")
    at = datetime(2026, 3, 1, 8, tzinfo=UTC)
    stamp = int(at.timestamp())
    header = f"Stripe-Signature: t={stamp},v1={_signature(f'{stamp}.'.encode() + BODY)}"

    late = home.run("connections", "verify", "pay", "-", "-H", header, given=BODY)
    then = home.run("connections", "verify", "pay", "-", "-H", header, "--at", "2026-03-01T08:01:00Z", given=BODY)

    assert (late.code, late.out.splitlines()[-1]) == (1, "refused: stale_timestamp")
    assert then.code == 0


@pytest.mark.parametrize("arguments", [("-H", "no colon"), ("-H", ": x"), ("-H", "A: b", "--at", "noon"), ()])
def test_what_verify_cannot_read_is_a_usage_error(acme: Home, arguments: tuple[str, ...]) -> None:
    done = acme.run("connections", "verify", "acme", "-", *arguments, given=BODY)
    assert (done.code, done.out) == (2, "")


def test_a_secret_that_cannot_be_had_is_named_by_its_reference(acme: Home) -> None:
    done = acme.run("connections", "verify", "acme", "-", "-H", "A: b", given=BODY, ACME="")
    assert done.code == 1
    assert "env:ACME" in done.said


def test_a_bad_file_is_a_usage_error_with_a_line_for_each_mistake(home: Home) -> None:
    (home.folder / "connections.toml").write_text('[connections.a]\nsource = "x"\n[connections.b]\nsecrets = []\n')

    done = home.run("connections", "list")

    assert (done.code, done.out) == (2, "")
    assert all("connections.toml:" in line for line in done.said.splitlines())
    assert len(done.said.splitlines()) > 2


def test_what_a_connection_is_called_is_printed_without_markup(acme: Home) -> None:
    text = acme.connections.replace('source = "unified"', 'source = "unified"\ncustomer = "[red]Acme[/red]"')
    (acme.folder / "connections.toml").write_text(text)
    assert "[red]Acme[/red]" in acme.run("connections", "list").out
    assert json.loads(acme.run("connections", "list", "--json").out)["customer"] == "[red]Acme[/red]"
