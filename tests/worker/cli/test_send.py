"""`send`: what a real receiver is sent, and what is said of its answer."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from handlers.events import Delivery
from handlers.settings import load
from tests.receiver.harness import Running, receiver
from tests.servers import BrokerServer, free_port
from tests.worker.cli.at_home import Home
from worker.cli.send import address, own_url
from worker.main import build
from worker.queue import decode
from worker.settings import UpSettings

BODY = b'{"type": "asset.updated",\r\n "data": {}}\xff'
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path, valkey: BrokerServer) -> Home:
    """A home with a connection of each kind of scheme, and a file to send."""
    home = Home(tmp_path, MAINTENWORKS_BROKER_URL=valkey.url, ACME=SECRET)
    for name in ("makini", "standard-webhooks", "stripe", "github"):
        home.run("connections", "add", name, "--source", "unified", "--secret", "env:ACME", "--scheme", name)
    (tmp_path / "body").write_bytes(BODY)
    return home


@pytest.fixture
def running(home: Home, valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A receiver of that home's connections."""
    monkeypatch.setenv("ACME", SECRET)
    with capture_logs(), receiver(home.folder, valkey.url) as found:  # else its log were the command's output
        yield found


def _deliveries(valkey: BrokerServer) -> list[Delivery]:
    with valkey.client() as client:
        entries: Any = client.xrange("maintenworks:lane:live")
    found = [decode(raw) for _, fields in entries for raw in fields.values()]
    assert all(isinstance(each, Delivery) for each in found)
    return [each for each in found if isinstance(each, Delivery)]


def _url(running: Running) -> str:
    return f"http://127.0.0.1:{running.port}"


def test_the_help_has_an_example() -> None:
    done = CliRunner().invoke(build(), ["send", "--help"])
    assert "maintenworks send acme event.json" in " ".join(done.output.split())


@pytest.mark.parametrize("connection", ["makini", "standard-webhooks", "stripe", "github"])
def test_a_file_arrives_byte_for_byte_and_verified(
    home: Home, running: Running, valkey: BrokerServer, connection: str
) -> None:
    done = home.run("send", connection, str(home.folder / "body"), "--url", _url(running))

    (delivery,) = _deliveries(valkey)
    assert (done.code, done.out) == (0, f"200 delivery {delivery.delivery_id}\n")
    assert (delivery.connection_id, delivery.body) == (connection, BODY)


def test_standard_input_is_sent_as_it_is_and_the_answer_printed_as_json(
    home: Home, running: Running, valkey: BrokerServer
) -> None:
    done = home.run("send", "makini", "-", "--url", _url(running), "--json", given=BODY)

    (delivery,) = _deliveries(valkey)
    assert delivery.body == BODY
    assert done.row == {
        "status": 200,
        "delivery_id": delivery.delivery_id,
        "problem": None,
        "url": f"{_url(running)}/webhooks/makini",
    }


@pytest.mark.parametrize(
    ("connection", "header"),
    [("makini", "webhook-id"), ("standard-webhooks", "webhook-id"), ("github", "x-github-delivery")],
)
def test_an_event_id_goes_into_the_header_that_sources_read(
    home: Home, running: Running, valkey: BrokerServer, connection: str, header: str
) -> None:
    home.run("send", connection, "-", "--url", _url(running), "--event-id", "evt-7", given=BODY)

    (delivery,) = _deliveries(valkey)
    assert delivery.headers[header] == "evt-7"


def test_the_receiver_of_the_settings_is_the_default(home: Home, running: Running, valkey: BrokerServer) -> None:
    done = home.run("send", "makini", "-", given=BODY, MAINTENWORKS_PUBLIC_PORT=str(running.port))
    assert (done.code, len(_deliveries(valkey))) == (0, 1)


def test_a_refusal_is_exit_1_with_its_status_and_reason(home: Home, running: Running) -> None:
    stranger = Home(home.folder / "stranger", MAINTENWORKS_BROKER_URL="redis://127.0.0.1:1", WRONG=SECRET[::-1])
    stranger.run("connections", "add", "makini", "--source", "unified", "--secret", "env:WRONG")

    done = stranger.run("send", "makini", "-", "--url", _url(running), given=BODY)
    row = stranger.run("send", "makini", "-", "--url", _url(running), "--json", given=BODY).row

    assert done.code == 1
    assert done.out.startswith("401 unauthorized: ")
    assert (row["status"], row["delivery_id"], row["problem"]) == (401, None, "unauthorized")


def test_nobody_there_is_exit_69(home: Home) -> None:
    done = home.run("send", "makini", "-", "--url", f"http://127.0.0.1:{free_port()}", given=BODY)
    assert (done.code, done.out) == (69, "")
    assert "maintenworks up" in done.said


def test_a_connection_that_is_not_there_is_exit_4(home: Home) -> None:
    assert home.run("send", "nobody", "-", given=BODY).code == 4


def test_a_file_that_is_not_there_is_named(home: Home) -> None:
    done = home.run("send", "makini", str(home.folder / "nothing"))
    assert done.code == 1
    assert str(home.folder / "nothing") in done.said
    assert "Traceback" not in done.said


def test_a_secret_that_cannot_be_had_is_named_by_its_reference(home: Home) -> None:
    done = home.run("send", "makini", "-", given=BODY, ACME="")
    assert done.code == 1
    assert "env:ACME" in done.said


def test_a_revoked_connection_has_no_secret_to_sign_with(home: Home) -> None:
    home.run("connections", "revoke", "makini")
    done = home.run("send", "makini", "-", given=BODY)
    assert done.code == 1
    assert "it is revoked" in done.said


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://host", "http://", "http://host:port", "http://[::1"])
def test_what_is_no_address_is_a_usage_error(home: Home, url: str) -> None:
    done = home.run("send", "makini", "-", "--url", url, given=BODY)
    assert (done.code, done.out) == (2, "")


def test_a_port_that_is_picked_at_the_start_has_to_be_given(home: Home) -> None:
    done = home.run("send", "makini", "-", given=BODY, MAINTENWORKS_PUBLIC_PORT="0")
    assert done.code == 2
    assert "--url" in done.said


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://h:1", "http://h:1/webhooks/a.b"),
        ("https://h/", "https://h/webhooks/a.b"),
        ("https://h/hooks/", "https://h/hooks/webhooks/a.b"),
        ("https://h/webhooks/other?x=1", "https://h/webhooks/other?x=1"),
    ],
)
def test_an_address_is_the_receivers_or_a_whole_webhooks(given: str, expected: str) -> None:
    assert address(given, "a.b") == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [("0.0.0.0", "http://127.0.0.1:81"), ("::", "http://[::1]:81"), ("hooks.local", "http://hooks.local:81")],
)
def test_a_listener_on_every_address_is_reached_on_this_machine(host: str, expected: str) -> None:
    assert own_url(load(UpSettings, public_host=host, public_port=81)) == expected


def test_two_sends_are_two_deliveries_in_order(home: Home, running: Running, valkey: BrokerServer) -> None:
    before = datetime.now(UTC)
    for _ in range(2):
        assert home.run("send", "makini", "-", "--url", _url(running), given=BODY).code == 0
    first, second = _deliveries(valkey)
    assert first.delivery_id < second.delivery_id
    assert before <= first.received_at <= second.received_at
