"""Addresses that several connections share: how they are written, what is refused, how they are edited."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.connections import Connection, Endpoint, Registry, edits
from handlers.connections.parsing import Entries, parse
from handlers.errors import ConfigurationError
from handlers.sources import load

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMED = "write the id by which the endpoint's payloads name this connection"
OWN = "the endpoint's serves here: drop it, or add secrets"
NAME = "use up to 64 letters, digits and . _ -, a letter or digit first, and not unknown"
HUB = """
[endpoints.hub]
source = "unified"
id = "/connection_id"
secrets = [{ ref = "env:HUB_SECRET" }]
rate_limit = "200/s"
"""
NORTH = """
[connections.north]
source = "unified"
endpoint = "hub"
external_id = "conn-7"
"""


def read(text: str) -> Entries:
    return parse(text, "connections.toml", load())


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    return [problem.split(": ", maxsplit=1)[1] for problem in caught.value.problems]


def endpoint(lines: str) -> str:
    return f'[endpoints.hub]\nsecrets = [{{ ref = "env:A" }}]\n{lines}\n'


def test_connections_join_an_endpoint_by_an_id_of_its_payloads() -> None:
    entries = read(NORTH + HUB)
    hub, north = entries.endpoints["hub"], entries.connections["north"]

    assert (hub.id, hub.source, hub.pointer.text, hub.rate_limit) == ("hub", "unified", "/connection_id", 200.0)
    assert (north.endpoint, north.external_id, north.secrets, north.has_address) == ("hub", "conn-7", (), False)
    assert north.scheme == hub.scheme


def test_scheme_and_pointer_serve_without_a_source() -> None:
    lines = 'scheme = "token"\ntoken = { header = "X-Token" }\nid = "/value/*/subscriptionId"'
    hub = read(endpoint(lines)).endpoints["hub"]

    assert (hub.source, hub.scheme.name, hub.pointer.many) == (None, "token", True)


def test_a_connection_with_secrets_keeps_an_address_of_its_own_beside() -> None:
    own = 'secrets = [{ ref = "env:OWN" }]\nscheme = "github"\nrate_limit = "1/s"\n'
    north = read(HUB + NORTH + own).connections["north"]

    assert (north.has_address, north.scheme.name, north.endpoint) == (True, "github", "hub")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (
            'source = "unified"',
            ['id: is missing, and the source names no place of its own; write id = "/connection_id", a JSON Pointer'],
        ),
        ('id = "/a"', ['scheme: is missing; write scheme = "…", or the source whose own it is']),
        (
            'scheme = "makini"',
            ['id: is missing, and the source is not named; write id = "/connection_id", a JSON Pointer'],
        ),
        (
            'scheme = "makini"\nid = "connection"',
            ['id: is no JSON Pointer; write one like "/connection_id" or "/value/0/clientState"'],
        ),
        ('scheme = "makini"\nid = 7', ["id: is a number; write a string"]),
        (
            'scheme = "makini"\nid = "/a"\nexternal_id = "x"',
            ["external_id: is no field here; there are source, id, scheme, hmac, token, secrets, rate_limit, revoked"],
        ),
        (
            'id = "/a"\nscheme = "makini"\ntoken = { query = "t" }',
            ['token: are options of scheme = "token"; drop them, or the other scheme'],
        ),
        (
            'id = "/a"\nscheme = { token = { query = "t", basic = "u" } }',
            ["scheme.token: is in basic and query at once; keep the one place where the sender puts it"],
        ),
        ('id = "/a"\ntoken = { header = "X Y" }', ['token.header: is no header name; write one like "X-Signature"']),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_told_with_its_mend(lines: str, told: list[str]) -> None:
    assert problems(endpoint(lines)) == [f"endpoints.hub.{line}" for line in told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            HUB + NORTH.replace('external_id = "conn-7"\n', ""),
            [f"connections.north.external_id: is missing; {NAMED}"],
        ),
        (
            HUB + NORTH.replace('"hub"', '"hubs"'),
            ["connections.north.endpoint: is no endpoint; there are hub; write [endpoints.hubs], or name another"],
        ),
        (
            HUB + NORTH + NORTH.replace("north", "south"),
            ["connections.south.external_id: is the one of north at hub already; each connection there has its own"],
        ),
        (
            HUB + NORTH + 'scheme = "github"\nrate_limit = "1/s"\n',
            [f"connections.north.{name}: goes with an address of its own; {OWN}" for name in ("scheme", "rate_limit")],
        ),
        (
            "[endpoints.unknown]\nx = 1\n",
            [f"endpoints.unknown: is no id for an endpoint; {NAME}"],
        ),
    ],
)
def test_what_is_wrong_with_a_joining_connection_is_told_with_its_mend(text: str, told: list[str]) -> None:
    assert problems(text) == told


def test_the_same_id_at_two_endpoints_is_two_connections() -> None:
    text = HUB + HUB.replace("hub]", "rim]") + NORTH + NORTH.replace("north", "south").replace('"hub"', '"rim"')

    assert list(read(text).connections) == ["north", "south"]


def written(home: Path, text: str) -> Registry:
    (home / "connections.toml").write_text(text)
    (home / "secret").write_text("a secret of the hub's own\n")
    return Registry(home / "connections.toml", home)


def test_a_registry_knows_addresses_and_members(tmp_path: Path) -> None:
    registry = written(tmp_path, HUB.replace("env:HUB_SECRET", f"file:{tmp_path / 'secret'}") + NORTH)
    hub = registry.address("hub")

    assert isinstance(hub, Endpoint)
    assert registry.address("north") is None
    assert registry.get("hub") is None
    assert registry.member("hub", "conn-7") is registry.get("north")
    assert registry.member("hub", "conn-8") is None
    assert registry.secrets(hub, NOW) == (b"a secret of the hub's own",)
    assert registry.secrets(registry.all()["north"], NOW) == ()
    assert registry.unresolved(NOW) == {}


def test_a_new_member_and_a_new_endpoint_are_known_once_the_file_is_read_again(tmp_path: Path) -> None:
    registry = written(tmp_path, HUB)
    (tmp_path / "connections.toml").write_text(HUB + NORTH + HUB.replace("hub]", "rim]"))

    assert registry.refresh()
    assert registry.member("hub", "conn-7") is not None
    assert sorted(registry.addresses()) == ["hub", "rim"]
    assert not registry.refresh()
    (tmp_path / "connections.toml").write_text(HUB.replace("200/s", "100/s") + NORTH)
    assert registry.refresh()
    assert registry.endpoints()["hub"].rate_limit == 100.0


def test_an_emptied_file_keeps_endpoints_that_have_no_member_yet(tmp_path: Path) -> None:
    registry = written(tmp_path, HUB)
    (tmp_path / "connections.toml").write_text("")

    assert not registry.refresh()
    assert registry.address("hub") is not None


def test_an_endpoint_and_its_members_are_added_rotated_revoked_and_taken_in_again(tmp_path: Path) -> None:
    path = tmp_path / "connections.toml"
    made = edits.add(path, tmp_path, "hub", {"source": "unified", "id": "/connection_id"}, kind="endpoints")
    joining = {"source": "unified", "endpoint": "hub", "external_id": "conn-7"}
    joined = edits.add(path, tmp_path, "north", joining, own_secret=False)
    registry = Registry(path, tmp_path)
    hub = registry.endpoints()["hub"]
    assert (made.ref, joined.ref, joined.secret) == ("file:secrets/hub", None, None)
    assert registry.secrets(hub, NOW) == (str(made.secret).encode(),)

    edits.rotate(path, tmp_path, "hub", grace=timedelta(hours=1), now=NOW)
    edits.pause(path, "north")
    edits.revoke(path, "north")
    edits.revoke(path, "hub")
    registry.refresh()
    hub, north = registry.endpoints()["hub"], registry.all()["north"]
    assert [ref.text for ref in hub.secrets] == ["file:secrets/hub~2", "file:secrets/hub"]
    assert (hub.revoked, north.revoked, north.paused) == (True, True, True)

    edits.add(path, tmp_path, "north", joining, own_secret=False)
    edits.add(path, tmp_path, "hub", {}, kind="endpoints")
    registry.refresh()
    hub, north = registry.endpoints()["hub"], registry.all()["north"]
    assert (hub.revoked, len(hub.secrets), north.revoked, north.secrets) == (False, 1, False, ())


def test_a_member_with_an_address_of_its_own_can_give_it_up(tmp_path: Path) -> None:
    path = tmp_path / "connections.toml"
    edits.add(path, tmp_path, "hub", {"source": "unified", "id": "/c"}, kind="endpoints")
    fields = {"source": "unified", "endpoint": "hub", "external_id": "7"}
    edits.add(path, tmp_path, "north", fields)
    assert isinstance(Registry(path, tmp_path).address("north"), Connection)

    edits.revoke(path, "north")
    edits.add(path, tmp_path, "north", fields, own_secret=False)
    assert Registry(path, tmp_path).address("north") is None


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ("pause", "endpoints.hub: cannot be paused; name the connections that joined it, each by itself"),
        ("rotate", "connections.north: has no secret of its own; rotate its endpoint hub"),
        ("endpoint", "connections.north: is there already; rotate or revoke it"),
        ("connection", "endpoints.hub: is there already; rotate or revoke it"),
        ("twice", "connections.south.external_id: is the one of north at hub already"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_nothing_written(tmp_path: Path, edit: str, told: str) -> None:
    path = tmp_path / "connections.toml"
    path.write_text(HUB + NORTH)
    joining = {"source": "unified", "endpoint": "hub", "external_id": "conn-7"}

    acts: dict[str, Callable[[], object]] = {
        "pause": lambda: edits.pause(path, "hub"),
        "rotate": lambda: edits.rotate(path, tmp_path, "north", grace=timedelta(hours=1), now=NOW),
        "endpoint": lambda: edits.add(path, tmp_path, "north", {"source": "unified"}, kind="endpoints"),
        "connection": lambda: edits.add(path, tmp_path, "hub", {"source": "unified"}),
        "twice": lambda: edits.add(path, tmp_path, "south", joining, own_secret=False),
    }

    with pytest.raises(ConfigurationError, match=re.escape(told)):
        acts[edit]()

    assert path.read_text() == HUB + NORTH
    assert not (tmp_path / "secrets").exists()
