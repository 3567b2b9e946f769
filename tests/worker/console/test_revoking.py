"""Revoking from the console: by whom, how sure they must be, and what is left of it if half of it cannot be done."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.servers import BrokerServer
from tests.worker.console.house import Site, bearer, site
from worker.console.access.sessions import COOKIE
from worker.streams_server import REVOKED

ACT = "connections.revoke"


@pytest.fixture
def acted(tmp_path: Path, valkey: BrokerServer) -> Iterator[Site]:
    """An installation of the test's own, for what changes it."""
    with site(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", broker_url=valkey.url) as found:
        yield found


def revoked(broker: BrokerServer) -> set[bytes]:
    """What the broker refuses."""
    with redis.Redis.from_url(broker.url) as client:
        found = client.smembers(REVOKED)
        assert isinstance(found, set)
        return found


def test_a_connection_is_revoked_by_an_operator_who_names_it_twice(acted: Site, valkey: BrokerServer) -> None:
    address = "/connections/second/revoke"
    assert acted.post(address, reason="why", again="plant").status_code == 400
    assert acted.post(address, reason="why").status_code == 400
    assert acted.post(address, token=acted.viewer, reason="why", again="second").status_code == 403
    assert (revoked(valkey), acted.acts()) == (set(), [])

    assert acted.post(address, reason="why", again="second").json() == {"connection": "second", "revoked": True}

    assert revoked(valkey) == {b"second"}
    assert acted.get("/connections/second").json()["revoked"]
    [row] = acted.acts()
    assert (row["act"], row["who"], row["reason"]) == (ACT, "operator-anna", "why")
    assert row["outcome"] == {"broker": "revoked", "file": "marked"}
    assert acted.post("/connections/none/revoke", reason="why", again="none").status_code == 404


def test_its_page_asks_the_same_and_says_afterwards_what_may_be_done_about_what_it_sent(acted: Site) -> None:
    token = acted.door.tokens.named("operator-anna")
    assert token is not None
    cookie = {"cookie": f"{COOKIE}={acted.door.sessions.begin(token)}"}
    shown = acted.client.get("/connections/show?id=second", headers=cookie).text
    csrf = re.search(r'name="csrf" value="([^"]+)"', shown)
    assert csrf is not None
    fields = {"id": "second", "act": "revoke", "reason": "why", "csrf": csrf[1]}

    assert acted.client.post("/connections/show", data={**fields, "again": "plant"}, headers=cookie).status_code == 400
    assert acted.client.post("/connections/show", data={**fields, "again": "second"}, headers=cookie).status_code == 303

    shown = acted.client.get("/connections/show?id=second", headers=cookie).text
    assert "--distrust-since" in shown
    assert 'value="revoke"' not in shown


def test_a_file_that_cannot_be_edited_keeps_nobody_from_being_revoked(acted: Site, valkey: BrokerServer) -> None:
    """Given a file that has become bad meanwhile, so that the last good one is what is known."""
    acted.house.settings.connections_path.write_text("[connections")

    answer = acted.post("/connections/second/revoke", reason="why", again="second")

    assert (answer.status_code, "not marked" in answer.text) == (409, True)
    assert revoked(valkey) == {b"second"}
    assert acted.acts()[0]["outcome"] == {"broker": "revoked", "file": "not marked"}


def test_nothing_is_done_without_the_broker(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/none.sock"
    with site(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", broker_url=nowhere) as found:
        answer = found.post("/connections/second/revoke", reason="why", again="second")
        assert answer.status_code == 503
        assert not found.client.get("/api/v1/connections/second", headers=bearer(found.viewer)).json()["revoked"]
        assert found.acts() == []
