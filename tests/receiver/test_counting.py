"""What a request may end with is known before it happens, and no stranger adds to it."""

from pathlib import Path

from handlers.connections import Registry
from handlers.signatures import base
from receiver.counting import OF_ADDRESS, OUR_FAULT, UNVERIFIED
from receiver.health import Health, Watch
from tests.receiver.harness import Running, write_connections
from worker.streams_server import CLASSES, WORDS
from worker.telemetry import REGISTRY


async def _fine() -> None:
    return


def _unresolved(name: str) -> float | None:
    return REGISTRY.get_sample_value("maintenworks_secret_unresolved", {"connection": name})


def test_whatever_the_broker_may_answer_is_known() -> None:
    assert {code for _, code in CLASSES} | set(WORDS.values()) | {"broker_unavailable"} < OUR_FAULT
    faults = {base.NO_SIGNATURE, base.MALFORMED_SIGNATURE, base.WRONG_SIGNATURE, base.STALE_TIMESTAMP}
    assert faults == UNVERIFIED


def test_an_address_shows_zeroes_as_soon_as_it_is_known(running: Running) -> None:
    assert running.request("GET", "/livez").status == 200
    for outcome in OF_ADDRESS:
        labels = {"connection": "standard", "outcome": outcome}
        assert REGISTRY.get_sample_value("maintenworks_webhooks_received_total", labels) is not None, outcome
    for position in ("0", "1"):
        labels = {"connection": "rotated", "position": position}
        assert REGISTRY.get_sample_value("maintenworks_signature_secret_used_total", labels) is not None


def test_a_secret_that_cannot_be_had_is_shown_until_it_can_or_its_address_is_gone(tmp_path: Path) -> None:
    file = tmp_path / "connections.toml"
    lost = {"secrets": [{"ref": f"file:{tmp_path / 'lost'}"}]}
    write_connections(file, here={}, mended=lost, gone=lost)
    watch = Watch(Health(_fine), Registry(file, tmp_path), [tmp_path], min_free_bytes=0)
    watch.look()
    assert (_unresolved("here"), _unresolved("mended"), _unresolved("gone")) == (0, 1, 1)

    write_connections(file, here={}, mended={})
    watch.look()
    assert (_unresolved("here"), _unresolved("mended"), _unresolved("gone")) == (0, 0, 0)
