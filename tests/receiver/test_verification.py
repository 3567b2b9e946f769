"""Neither the answer nor the work tells a stranger which names exist."""

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.connections import Registry
from handlers.errors import TransientError
from receiver.verification import Verifier
from tests.receiver.harness import SECRET, makini, write_connections

BODY = b'{"id": 1}'
NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every comparison of digests made."""
    made: list[Any] = []
    compare = hmac.compare_digest

    def count(a: bytes, b: bytes) -> bool:
        made.append(a)
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", count)
    return made


def _verifier(home: Path, **connections: Mapping[str, object]) -> tuple[Registry, Verifier]:
    write_connections(home / "connections.toml", **connections)
    registry = Registry(home / "connections.toml", home)
    return registry, Verifier(registry)


@pytest.mark.parametrize("signature", ["", "nonsense", "0" * 64, makini(BODY)])
@pytest.mark.parametrize("number", [1, 3])
def test_an_unknown_name_costs_what_a_known_one_costs(
    tmp_path: Path, compared: list[Any], signature: str, number: int
) -> None:
    secret = {"ref": f"file:{tmp_path / 'secret'}"}
    registry, verifier = _verifier(tmp_path, acme={"secrets": [secret] * number})
    headers = {"x-webhook-signature": signature}
    verifier.verify(registry.all()["acme"], headers, BODY, NOW)
    known = len(compared)
    verifier.pretend("nobody", headers, BODY, NOW)
    assert (known >= number, len(compared)) == (True, 2 * known)


def test_a_name_always_costs_the_same_and_names_cost_what_the_registry_has(tmp_path: Path, compared: list[Any]) -> None:
    secret = {"ref": f"file:{tmp_path / 'secret'}"}
    _, verifier = _verifier(tmp_path, one={"secrets": [secret]}, five={"secrets": [secret] * 5})

    def cost(name: str) -> int:
        before = len(compared)
        verifier.pretend(name, {"x-webhook-signature": "0" * 64}, BODY, NOW)
        return len(compared) - before

    costs = [cost(f"name-{n}") for n in range(50)]
    assert [cost(f"name-{n}") for n in range(50)] == costs
    assert set(costs) == {1, 5}


def test_work_is_done_for_an_empty_registry_and_for_one_without_secrets(tmp_path: Path, compared: list[Any]) -> None:
    _, nobody = _verifier(tmp_path)
    nobody.pretend("nobody", {"x-webhook-signature": "0" * 64}, BODY, NOW)
    assert len(compared) == 1
    registry, unresolved = _verifier(tmp_path, acme={"secrets": [{"ref": "file:/nowhere"}]})
    unresolved.pretend("nobody", {"x-webhook-signature": "0" * 64}, BODY, NOW)
    assert len(compared) == 2
    with pytest.raises(TransientError):
        unresolved.verify(registry.all()["acme"], {}, BODY, NOW)


@pytest.mark.parametrize(
    "token", [{"header": "X-Token"}, {"basic": "user"}, {"query": "token"}, {"pointer": "/value/*/clientState"}]
)
@pytest.mark.parametrize("given", ["", "wrong", "right"])
def test_an_unknown_name_costs_what_a_sender_that_cannot_sign_costs(
    tmp_path: Path, compared: list[Any], token: dict[str, str], given: str
) -> None:
    secret = {"ref": f"file:{tmp_path / 'secret'}"}
    registry, verifier = _verifier(tmp_path, acme={"token": token, "secrets": [secret] * 3})
    value = {"": "", "wrong": "another", "right": SECRET}[given]
    headers = {"x-token": value, "authorization": f"Basic {base64.b64encode(f'user:{value}'.encode()).decode()}"}
    body = b'{"value": [{"clientState": "%b"}]}' % value.encode()

    verdict = verifier.verify(registry.all()["acme"], headers, body, NOW, f"token={value}".encode())
    known = len(compared)
    verifier.pretend("nobody", headers, body, NOW, f"token={value}".encode())

    assert verdict.ok == (given == "right")
    assert (known, len(compared)) == (3, 6)


def test_an_unknown_name_costs_what_an_endpoint_costs_and_its_members_have_no_door_of_their_own(
    tmp_path: Path, compared: list[Any]
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    secrets = ", ".join([f'{{ ref = "file:{tmp_path / "secret"}" }}'] * 3)
    hub = f'[endpoints.hub]\nsource = "unified"\nid = "/c"\nsecrets = [{secrets}]\n'
    member = '[connections.north]\nsource = "unified"\nendpoint = "hub"\nexternal_id = "7"\n'
    (tmp_path / "connections.toml").write_text(hub + member)
    verifier = Verifier(Registry(tmp_path / "connections.toml", tmp_path))

    for number in range(20):
        verifier.pretend(f"name-{number}", {"x-webhook-signature": "0" * 64}, BODY, NOW)

    assert len(compared) == 60
