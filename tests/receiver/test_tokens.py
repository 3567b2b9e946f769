"""Senders that cannot sign: the token opens the door, and is written down nowhere."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.events import Delivery
from tests.receiver.harness import SECRET, Running, receiver, write_connections
from tests.receiver.test_webhooks import kept, unauthorized
from tests.servers import BrokerServer
from tests.worker.brokers import until
from worker.queue import rejections

WRONG = "not_the_secret_but_as_long"
BODY = b'{"value": [{"clientState": "%b"}]}'
PLACES = {
    "header": {"header": "X-Request-Id"},
    "basic": {"basic": "user"},
    "query": {"query": "token"},
    "pointer": {"pointer": "/value/0/clientState"},
}
every_place = pytest.mark.parametrize("place", PLACES)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("tokens")
    write_connections(found / "connections.toml", **{name: {"token": where} for name, where in PLACES.items()})
    return found


@pytest.fixture(scope="module")
def tokens(valkey_session: BrokerServer, home: Path) -> Iterator[Running]:
    """A receiver with a connection for each place."""
    with receiver(home, valkey_session.url, log_level="debug") as running:
        yield running


def posted(running: Running, place: str, token: str, name: str | None = None) -> tuple[int, bytes]:
    """Posts as such a sender would; answers the status and all that came back."""
    login = base64.b64encode(f"user:{token}".encode()).decode()
    headers = {"header": {"x_request_id": token}, "basic": {"authorization": f"Basic {login}"}}.get(place, {})
    query = f"?token={token}&other=1" if place == "query" else ""
    body = BODY % (token.encode() if place == "pointer" else b"")
    answer = running.request("POST", f"/webhooks/{name or place}{query}", body, **headers)
    return answer.status, json.dumps(dict(answer.headers)).encode() + answer.body


@every_place
def test_the_token_opens_and_another_does_not(tokens: Running, valkey: BrokerServer, place: str) -> None:
    assert posted(tokens, place, SECRET)[0] == 200
    assert posted(tokens, place, WRONG)[0] == 401
    (delivery,) = kept(valkey)
    assert (delivery.connection_id, delivery.secret_position) == (place, 0)


def test_a_refusal_is_the_same_wherever_the_token_should_be_and_for_a_name_nobody_has(tokens: Running) -> None:
    answers = [tokens.request("POST", f"/webhooks/{name}?token={WRONG}", b"{}") for name in (*PLACES, "nobody")]

    assert len({str(unauthorized(answer)) for answer in answers}) == 1


@every_place
def test_the_token_is_in_no_kept_header_no_log_no_answer_and_no_list_of_refusals(
    tokens: Running, valkey: BrokerServer, place: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """In the body it stays: those bytes are kept as they came, and so `events raw` shows them."""
    _, accepted = posted(tokens, place, SECRET)
    _, refused = posted(tokens, place, WRONG)
    _, unknown = posted(tokens, place, WRONG, "nobody")
    until(lambda: bool(rejections(valkey.url, place)) and bool(rejections(valkey.url, "unknown")), "the refusals")
    said = capfd.readouterr()
    (delivery,) = kept(valkey)
    assert isinstance(delivery, Delivery)
    lists = [repr(rejections(valkey.url, name)) for name in (place, "unknown")]

    written = " ".join([said.out, said.err, repr(delivery.headers), *lists])
    assert "delivery_refused" in written
    for token in (SECRET, WRONG):
        assert token not in written
        assert token.encode() not in accepted + refused + unknown
        assert base64.b64encode(f"user:{token}".encode()).decode() not in written
    assert ":query" not in written
    assert (SECRET.encode() in delivery.body) == (place == "pointer")
