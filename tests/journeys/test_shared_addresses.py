"""One address for several connections, and a sender that cannot sign: with real processes, from adding to revoking."""

import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from handlers.store.schema import dead_letters, events
from tests.journeys.installation import Installation, installation
from tests.journeys.roles import eventually
from tests.worker.cli.plant import event

MEMBERS = {"north": "N-1", "south": "S-1"}
LATE = ("west", "W-1")


def _join(here: Installation, name: str, external_id: str) -> None:
    here.run("connections", "add", name, "--source", "unified", "--endpoint", "hub", "--external-id", external_id)


def _applied(here: Installation) -> set[tuple[str, str]]:
    rows = here.ask(sa.select(events.c.connection_id, events.c.event_id))
    return {(row.connection_id, row.event_id) for row in rows}


@pytest.fixture(scope="module")
def here() -> Iterator[Installation]:
    """An `up` that says all it can, with an endpoint and a sender that cannot sign."""
    with installation(MAINTENWORKS_LOG_LEVEL="debug") as fresh:
        fresh.connect("hub", "--shared", "--id", "/connection_id")
        fresh.connect("clerk", "--scheme", '{ token = { query = "token" } }')
        with fresh.up():
            yield fresh


def test_an_endpoint_from_its_first_delivery_to_its_revocation(here: Installation) -> None:
    """Given two connections of an endpoint; when events of both come, and one of a third; then that one waits."""
    hub, _ = here.senders
    for name, external_id in MEMBERS.items():
        _join(here, name, external_id)
    ids = [*MEMBERS.values(), LATE[1]]
    told = [event("work_order.created", "WO-1", "08:00", f"e-{each}", title=each) for each in ids]
    body = json.dumps([{**each, "connection_id": id_} for each, id_ in zip(told, ids, strict=True)]).encode()

    assert hub.post(body).status == 200

    here.settle(hub)
    eventually(lambda: _applied(here) == {("north", "e-N-1"), ("south", "e-S-1")})
    (letter,) = here.run("dead-letters", "list", "--json").rows
    assert (letter["connection"], letter["error"], letter["waits_for"]) == ("hub", "unknown_connection", "W-1")

    _join(here, *LATE)
    eventually(lambda: ("west", "e-W-1") in _applied(here))
    states = {row.state for row in here.ask(sa.select(dead_letters.c.state))}  # one of each that came too early
    titles = {row["connection"]: row["title"] for row in here.run("get", "work-orders", "--json").rows}
    assert (states, titles) == ({"replayed"}, {"north": "N-1", "south": "S-1", "west": "W-1"})

    more = {**event("work_order.updated", "WO-1", "09:00", "e-2", title="sent"), "connection_id": "S-1"}
    sent = here.run("send", "south", "-", "--url", hub.address, "--json", given=json.dumps(more).encode()).row
    assert sent["url"].endswith("/webhooks/hub")
    eventually(lambda: ("south", "e-2") in _applied(here))
    seen = "maintenworks_webhooks_received_total"
    assert (here.metric(seen, connection="hub", outcome="accepted"), here.metric(seen, connection="south")) == (2, 0)

    here.run("connections", "revoke", "hub")
    assert hub.post(body).status == 401


def test_a_sender_that_cannot_sign_posts_its_token_and_nobody_writes_it_down(here: Installation) -> None:
    _, clerk = here.senders
    body = json.dumps(event("work_order.created", "WO-1", "08:00", "e-1")).encode()

    sent = here.run("send", "clerk", "-", "--url", clerk.address, "--json", given=body).row

    assert (sent["status"], sent["url"]) == (200, f"{clerk.address}/webhooks/clerk")
    eventually(lambda: ("clerk", "e-1") in _applied(here))
    assert clerk.post(body).status == 401
    eventually(lambda: bool(here.run("connections", "rejections", "clerk").out))
    assert clerk.secret not in here.written()
