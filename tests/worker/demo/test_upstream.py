"""A simulated system against a real receiver: what it counts as accepted, refused and failed."""

import random
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from handlers.signatures import SCHEMES, scheme
from tests.receiver.harness import SECRET, receiver, write_connections
from tests.servers import BrokerServer, free_port
from worker.demo import upstream
from worker.demo.disorder import traffic
from worker.demo.play import MANNERS
from worker.http_client import Patience

PLANT, LINE = traffic(MANNERS[0], 100, 7)
GENUINE = [each for each in LINE if not each.forged]


def _system(address: str, secret: str = SECRET) -> upstream.Upstream:
    return upstream.Upstream("acme", SCHEMES["makini"], secret.encode(), address, random.Random(7))


def test_genuine_posts_are_accepted_and_forged_ones_refused(
    tmp_path: Path, valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "ANSWER_LOST", 0.5)
    write_connections(tmp_path / "connections.toml", acme={})
    with capture_logs(), receiver(tmp_path, valkey.url) as running:
        system = _system(f"http://127.0.0.1:{running.port}/webhooks/acme")
        system.send(LINE)

    figures = system.figures
    assert (figures.failed, figures.believed) == ({}, 0)
    assert figures.refused == len(LINE) - len(GENUINE) > 0
    assert figures.distinct == {digest for each in GENUINE for digest in each.digests}
    assert len({each.delivery_id for each in figures.accepted}) == len(figures.accepted) == figures.events
    assert figures.posted == figures.refused + len(figures.accepted)
    assert len(figures.accepted) > len(GENUINE), "an answer that was lost makes a second post"


def test_a_genuine_post_that_is_refused_has_failed_and_a_forged_one_that_is_accepted_was_believed(
    tmp_path: Path, valkey: BrokerServer
) -> None:
    write_connections(tmp_path / "connections.toml", acme={})
    with capture_logs(), receiver(tmp_path, valkey.url) as running:
        address = f"http://127.0.0.1:{running.port}/webhooks/acme"
        stranger, dupe = _system(address, SECRET[::-1]), _system(address)
        stranger.send(GENUINE[:3])
        dupe._forged = SECRET.encode()
        dupe.send([each for each in LINE if each.forged])

    assert set(stranger.figures.failed) == {"401"}
    assert stranger.figures.accepted == []
    assert dupe.figures.believed == dupe.figures.posted == len(LINE) - len(GENUINE)


def test_a_receiver_that_is_not_there_is_tried_again_and_then_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "PATIENCE", Patience(tries=2, first_wait=0.001))
    monkeypatch.setattr(upstream, "ANSWER_LOST", 0.0)
    system = _system(f"http://127.0.0.1:{free_port()}/webhooks/acme")
    system.send(GENUINE[:5])
    assert system.figures.failed == {"http_unreachable": 5}
    assert system.figures.posted == 5


def test_nothing_is_begun_once_it_is_told_to_stop() -> None:
    system = _system(f"http://127.0.0.1:{free_port()}")
    system.send(GENUINE, stopped=lambda: True)
    assert system.figures.posted == 0


def test_each_plants_system_signs_in_its_own_way() -> None:
    assert len({scheme(manner.scheme).name for manner in MANNERS}) == len(MANNERS)
