"""A disk that fills while events come: what was answered 200 stays, and all goes on by itself once there is room.

On a small file system of its own, which only root can mount.
"""

import contextlib
import os
import random
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from handlers.store.schema import assets, dead_letters, events
from tests.journeys.installation import Installation
from tests.journeys.roles import Role, eventually
from tests.journeys.sender import Sender
from tests.journeys.small_disk import MIB, Filler, NoSmallDiskError, small_disk

DISK_BYTES = 96 * MIB
MINIMUM_BYTES = 16 * MIB
EVENTS = 1200
BEFORE = 300
"""Events taken before the disk fills; the others meet it full."""

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root can mount a small file system to fill"
)


@contextlib.contextmanager
def _small(**settings: str) -> Iterator[tuple[Installation, Filler]]:
    """An installation whose home is a small disk of its own."""
    with tempfile.TemporaryDirectory(prefix="mw-") as folder:
        made = Installation(Path(folder), MAINTENWORKS_MIN_FREE_BYTES=str(MINIMUM_BYTES), **settings)
        try:
            with small_disk(made.home, DISK_BYTES) as filler, contextlib.closing(made):
                yield made, filler
        except NoSmallDiskError as error:
            pytest.skip(str(error))


def _bodies() -> list[dict[str, Any]]:
    return [_body(number, "x" * 2000) for number in range(EVENTS)]


def _body(number: int, name: str) -> dict[str, Any]:
    return {
        "id": f"evt-{number}",
        "type": "asset.created",
        "occurred_at": "2026-03-01T08:00:00Z",
        "data": {"key": f"A-{number}", "name": name},
    }


@contextlib.contextmanager
def _sending(sender: Sender, filler: Filler) -> Iterator[None]:
    """All is being posted, and on its way the disk fills; at the end there is room again, and all has been taken."""
    failures: list[BaseException] = []

    def send() -> None:
        try:
            sender.deliver(_bodies(), at_once=16, on_accepted=lambda taken: filler.fill() if taken == BEFORE else None)
        except BaseException as error:  # noqa: BLE001  # it is raised again in the test's own thread
            failures.append(error)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        filler.go()
        thread.join()
    if failures:
        raise failures[0]


def _broker_died(role: Role) -> bool:
    return any(line["name"] == "broker" for line in role.logged("role_ended"))


def _refuses(sender: Sender) -> bool:
    """Whether a whole new event is answered 503; one that is taken meanwhile is remembered like any other."""
    answer = sender.post({"type": "asset.updated", "occurred_at": "2026-03-01T09:00:00Z", "data": {"key": "A-0"}})
    assert answer.status in {200, 503}
    return answer.status == 503


def _failing(sender: Sender) -> list[str]:
    found: list[str] = httpx.get(f"{sender.address}/readyz", timeout=30).json()["failing"]
    return found


def _whole(here: Installation, file: Path | None) -> None:
    """Each event was recorded once, none was buried, each asset is there, and the file is sound."""
    recorded = here.ask(sa.select(events.c.event_id).where(events.c.type == "asset.created"))
    assert sorted(row.event_id for row in recorded) == sorted(f"evt-{number}" for number in range(EVENTS))
    assert {row.key for row in here.ask(sa.select(assets.c.key))} == {f"A-{number}" for number in range(EVENTS)}
    assert here.ask(sa.select(dead_letters.c.code)) == []
    if file is not None:
        with contextlib.closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_disk_that_fills_loses_nothing_and_once_there_is_room_all_goes_on_by_itself() -> None:
    """Broker and database on the same disk: nothing can go on until there is room."""
    with _small() as (here, filler):
        acme = here.connect("acme")
        ballast = here.home / "broker" / "ballast"
        with here.up() as role:
            assert ballast.exists()
            with _sending(acme, filler):
                eventually(lambda: _broker_died(role))
                eventually(lambda: _refuses(acme))
                assert len(acme.accepted) < EVENTS
                eventually(lambda: not ballast.exists())
                filler.fill()
                eventually(lambda: "disk_full" in _failing(acme))
            eventually(ballast.exists)
            here.settle(acme)
            assert not _refuses(acme)
            here.settle(acme)
        _whole(here, here.home / "maintenworks.db")


def test_with_the_database_elsewhere_the_ballast_lets_workers_drain_a_disk_that_stays_full(postgres_url: str) -> None:
    with _small(MAINTENWORKS_DATABASE_URL=postgres_url) as (here, filler):
        acme = here.connect("acme")
        with here.up() as role:
            with _sending(acme, filler):
                eventually(lambda: _broker_died(role))
                eventually(lambda: _refuses(acme))
                assert len(acme.accepted) < EVENTS
                here.settle(acme)
                assert filler.free() < MINIMUM_BYTES
                eventually(lambda: "disk_full" in _failing(acme))  # the receiver looks once a second
                assert _refuses(acme)
            here.settle(acme)
        _whole(here, None)


def test_a_backlog_that_fills_the_disk_to_the_minimum_drains_by_itself_though_it_grows_on_its_way() -> None:
    """Broker and database on the same disk; what waits in the one is written to the other before it goes."""
    dice = random.Random(3)
    bodies = [_body(number, dice.randbytes(10_000).hex()) for number in range(5000)]  # which cannot be compressed
    with _small() as (here, _):
        acme = here.connect("acme")
        with here.up():
            with contextlib.closing(sqlite3.connect(here.home / "maintenworks.db", timeout=30)) as barring:
                barring.execute("BEGIN IMMEDIATE")
                acme.deliver(bodies, at_once=16, insists=False)
                assert BEFORE <= len(acme.accepted) < len(bodies)
                assert acme.post(bodies[-1]).json["type"] == "backlog_full"
            here.settle(acme)
            eventually(lambda: acme.post(bodies[-1]).status == 200)
            here.settle(acme)


def test_a_role_that_dies_on_a_full_disk_is_started_again_and_still_refuses_in_order() -> None:
    """Its metrics are files mapped into memory: without a page for them it would end by SIGBUS, again and again."""
    with _small() as (here, filler):
        acme = here.connect("acme")
        with here.up() as role:
            acme.deliver([_bodies()[0]])
            here.settle(acme)
            filler.fill()
            eventually(lambda: "disk_full" in _failing(acme))
            first = role.parts()["receiver"]
            first.kill()
            eventually(lambda: role.parts().get("receiver", first) != first)
            assert _refuses(acme)
            filler.go()
            eventually(lambda: not _refuses(acme))
            here.settle(acme)
