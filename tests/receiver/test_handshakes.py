"""What a sender asks before it sends: answered for those that declare it, kept by nobody, echoed to no stranger."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from handlers.connections import registry
from handlers.sources import Handshake, load
from tests.receiver.harness import SECRET, Answer, Running, makini, receiver, write_connections
from tests.servers import BrokerServer
from worker.queue import LANES
from worker.streams_server import stream
from worker.telemetry import REGISTRY


@pytest.fixture(scope="module")
def greeting(valkey_session: BrokerServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A receiver whose source `unified` declares every handshake, and `limble` none."""
    home = tmp_path_factory.mktemp("greeting")
    write_connections(
        home / "connections.toml",
        willing={},
        slow={"rate_limit": "2/s"},
        slack={"scheme": "slack"},
        revoked={"revoked": True},
        unresolved={"secrets": [{"ref": f"file:{home / 'nowhere'}"}]},
        silent={"source": "limble", "scheme": "makini"},
    )
    path = home / "connections.toml"
    secret = f'secrets = [{{ ref = "file:{home / "secret"}" }}]'
    path.write_text(f'{path.read_text()}[endpoints.hub]\nsource = "unified"\nid = "/c"\n{secret}\n')
    known = load()
    sources = {**known, "unified": replace(known["unified"], handshakes=tuple(Handshake))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", lambda: sources)
        with receiver(home, valkey_session.url) as running:
            yield running


def waiting(valkey: BrokerServer) -> int:
    """How much is in the broker."""
    with valkey.client() as client:
        lengths: list[Any] = [client.xlen(stream(lane)) for lane in LANES]
    return sum(lengths)


def plain(answer: Answer) -> str:
    """The text of a greeting; checks that no browser would take it for anything else."""
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    return answer.body.decode()


def asked(running: Running, name: str, query: str, method: str = "POST", **headers: str) -> Answer:
    return running.request(method, f"/webhooks/{name}?{query}", b"" if method == "POST" else None, **headers)


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("name", ["willing", "hub", "unresolved"])
def test_a_validation_token_is_given_back_as_plain_text_and_nothing_is_kept(
    greeting: Running, valkey: BrokerServer, method: str, name: str
) -> None:
    labels = {"connection": name, "outcome": "handshake"}
    before = REGISTRY.get_sample_value("maintenworks_webhooks_received_total", labels) or 0.0
    query = "validationToken=Validation%3A+Testing%20client%20reachability"

    assert plain(asked(greeting, name, query, method)) == "Validation: Testing client reachability"
    assert waiting(valkey) == 0
    assert REGISTRY.get_sample_value("maintenworks_webhooks_received_total", labels) == before + 1


@pytest.mark.parametrize("name", ["nobody", "revoked", "silent"])
def test_nobody_else_is_answered_and_none_of_them_can_be_told_from_another(greeting: Running, name: str) -> None:
    posted = asked(greeting, name, "validationToken=abc")
    assert (posted.status, posted.problem["type"]) == (401, "unauthorized")
    assert posted.body == greeting.request("POST", "/webhooks/nobody", b"").body
    for method, headers in (("GET", {}), ("OPTIONS", {"webhook_request_origin": "eventgrid.azure.net"})):
        other = asked(greeting, name, "validationToken=abc", method, **headers)
        assert (other.status, other.headers["allow"], other.problem["type"]) == (405, "POST", "method_not_allowed")


@pytest.mark.parametrize(
    "query",
    [
        "validationToken=",
        "validationToken=%3Cscript%3E",
        "validationToken=a%0D%0Ab",
        "validationToken=%C3%A4",
        "validationToken=%00",
        "validationToken=" + "a" * 1025,
        "validationToken=a&validationToken=b",
        "validationtoken=a",
        "a&" * 65 + "validationToken=a",
    ],
)
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_what_is_no_token_is_not_echoed(greeting: Running, query: str, method: str) -> None:
    answer = asked(greeting, "willing", query, method)

    assert answer.status == (401 if method == "POST" else 405)
    assert b"script" not in answer.body


def test_a_webhook_that_verifies_is_kept_whatever_its_query(greeting: Running, valkey: BrokerServer) -> None:
    answer = asked(greeting, "willing", "validationToken=abc", x_webhook_signature=makini(b""))

    assert list(json.loads(answer.body)) == ["delivery_id"]
    assert waiting(valkey) == 1


@pytest.mark.parametrize(("name", "rate"), [("willing", "*"), ("slow", "120"), ("hub", "*")])
def test_an_origin_is_allowed_at_the_rate_of_its_connection(greeting: Running, name: str, rate: str) -> None:
    answer = asked(greeting, name, "", "OPTIONS", webhook_request_origin="eventgrid.azure.net")

    assert plain(answer) == ""
    allowed = {name: answer.headers[name] for name in ("webhook-allowed-origin", "webhook-allowed-rate", "allow")}
    assert allowed == {
        "webhook-allowed-origin": "eventgrid.azure.net",
        "webhook-allowed-rate": rate,
        "allow": "POST",
    }


@pytest.mark.parametrize("origin", ["", "a b", "https://x/y", "x" * 254, "<x>", "-x"])
def test_what_is_no_origin_is_not_echoed(greeting: Running, origin: str) -> None:
    answer = asked(greeting, "willing", "", "OPTIONS", webhook_request_origin=origin)

    assert (answer.status, answer.headers["allow"]) == (405, "POST")
    assert "webhook-allowed-origin" not in answer.headers


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_other_methods_are_405_also_where_a_handshake_is_declared(greeting: Running, method: str) -> None:
    answer = asked(greeting, "willing", "validationToken=abc", method)

    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def slack(body: bytes) -> dict[str, str]:
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"x_slack_request_timestamp": stamp, "x_slack_signature": f"v0={digest}"}


def test_a_challenge_is_given_back_once_its_signature_is_right(greeting: Running, valkey: BrokerServer) -> None:
    body = b'{"token": "old", "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY", "type": "url_verification"}'

    assert greeting.post("slack", body).status == 401
    assert plain(greeting.post("slack", body, **slack(body))) == "3eZbrw1aBm2rZgRNFdxV2595E9CY"
    assert waiting(valkey) == 0


@pytest.mark.parametrize(
    "body",
    [
        b'{"type": "url_verification"}',
        b'{"type": "url_verification", "challenge": "<b>"}',
        b'{"type": "event_callback", "challenge": "abc", "text": "url_verification"}',
        b'["url_verification"]',
        b"url_verification",
    ],
)
def test_what_asks_nothing_is_a_webhook_like_any_other(greeting: Running, valkey: BrokerServer, body: bytes) -> None:
    answer = greeting.post("slack", body, **slack(body))

    assert list(json.loads(answer.body)) == ["delivery_id"]
    assert waiting(valkey) == 1
