"""Canaries, one a minute, do not hide what a quiet plant tells; whoever asks for them sees them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.store import canaries, schema
from handlers.store.arrival import id_at
from handlers.store.rowset import Transaction
from tests.worker.console.house import NOW, Site, bearer, site

BEAT = """
[connections.beat]
source = "canary"
secrets = [{ ref = "env:BEAT" }]
"""
MANY = 3


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation in which nothing has come of late but canaries."""
    home: Path = tmp_path_factory.mktemp("quiet")
    with site(home, f"sqlite:///{home / 'maintenworks.db'}") as found:
        path = found.house.settings.connections_path
        path.write_text(path.read_text() + BEAT)
        found.house.registry.refresh()
        with found.house.database.write() as session:
            Transaction(session).insert(schema.events, [_canary(number) for number in range(MANY)])
        yield found


def _canary(number: int) -> dict[str, object]:
    at = NOW + timedelta(minutes=number + 1)
    return {
        "connection_id": "beat",
        "event_id": f"beat-{number}",
        "digest": f"{number:064x}",
        "delivery_id": f"{id_at(at)}-{number:08d}",
        "event_index": 0,
        "type": canaries.TYPE,
        "subject_kind": "canary",
        "subject_key": f"beat-{number}",
        "occurred_at": at,
        "received_at": at,
        "processed_at": at,
        "outcome": "ignored",
        "event_id_reused": False,
        "map": "",
    }


def _canaries(found: Site, **query: str) -> int:
    return sum(each["type"] == canaries.TYPE for each in found.items("/events", **query))


def test_a_list_of_events_leaves_canaries_out_unless_they_are_asked_for(quiet: Site) -> None:
    assert _canaries(quiet) == _canaries(quiet, outcome="ignored") == 0
    assert len(quiet.items("/events")) > MANY
    for asked in (
        {"canaries": "true"},
        {"connection": "beat"},
        {"type": canaries.TYPE},
        {"outcome": "ignored", "canaries": "true"},
    ):
        assert _canaries(quiet, **asked) == MANY, asked
    assert _canaries(quiet, subject="beat-1") == 1


def test_the_page_says_that_they_are_left_out_and_shows_them_by_a_link(quiet: Site) -> None:
    def page(address: str) -> str:
        return quiet.client.get(address, headers=bearer(quiet.viewer)).text

    plain = page("/events?outcome=ignored")
    assert (plain.count(canaries.TYPE), "are left out" in plain) == (0, True)
    link = re.search(r'href="(/events\?[^"]*canaries=[^"]*)"', plain)
    assert link is not None
    shown = page(link[1].replace("&amp;", "&"))
    assert "beat-1" in shown
    assert 'name="canaries"' in shown  # another filter keeps them
    assert "are left out" not in page("/events?connection=beat")


def test_the_command_does_likewise_and_says_so_beside_the_data(quiet: Site) -> None:
    done = quiet.plant.run("events", "list", "--json")
    assert [each["type"] for each in done.rows if each["type"] == canaries.TYPE] == []
    assert "canaries are left out; --canaries shows them" in done.said
    every = quiet.plant.run("events", "list", "--canaries", "--json")
    assert sum(each["type"] == canaries.TYPE for each in every.rows) == MANY
    assert "left out" not in every.said
