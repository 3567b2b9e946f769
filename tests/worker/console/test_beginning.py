"""A console over an empty home teaches how the first event comes; over a filled one it does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.connections import Registry
from tests.worker.cli.plant import Plant, event
from worker.console.access.principal import Principal
from worker.console.ask import Ask
from worker.console.house import House, utc_now
from worker.console.pages import connections, events, overview, today
from worker.console.replaying import Runner
from worker.settings import WorkerSettings

STEPS = "Nothing has come yet"
PAGES = {"/": overview.overview, "/events": events.listing, "/today": today.show}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An installation in which nothing ever happened, and which has no connection."""
    plant = Plant(tmp_path, f"sqlite:///{tmp_path / 'maintenworks.db'}", connections="")
    settings = WorkerSettings(home=tmp_path)
    yield House(
        plant.database, Registry(settings.connections_path, tmp_path), settings, Runner(plant.database, utc_now)
    )
    plant.database.close()


def shown(house: House, path: str, **query: str) -> str:
    """The page of that path."""
    does = {**PAGES, "/connections": connections.listed}[path]
    ask = Ask(house, Principal("anna", "viewer", None), path, {}, query, {}, is_fragment=False)
    return bytes(does(ask).body).decode()


@pytest.mark.parametrize("path", [*PAGES, "/connections"])
def test_an_empty_home_says_what_to_do_first(house: House, path: str) -> None:
    page = shown(house, path)
    assert STEPS in page
    assert "maintenworks connections add acme" in page


def test_a_connection_that_is_there_is_named_in_what_comes_next(house: House) -> None:
    text = '[connections.mill]\nsource = "unified"\nsecrets = [{ ref = "env:MILL" }]\n'
    house.settings.connections_path.write_text(text)
    house.registry.refresh()
    page = shown(house, "/")
    assert "maintenworks send mill -" in page
    assert "connections add acme" not in page
    assert STEPS not in shown(house, "/connections")


def test_whoever_filters_or_has_events_is_taught_nothing(house: House) -> None:
    assert STEPS not in shown(house, "/events", type="asset.created")
    plant = Plant(house.settings.home, str(house.settings.database))
    plant.send(event("asset.created", "PUMP-1", "08:00"))
    plant.database.close()
    for path in PAGES:
        assert STEPS not in shown(house, path), path


@pytest.mark.parametrize("came", [b"not json", event("vendor.created", "V-1", "08:00")], ids=["a letter", "a vendor"])
def test_whatever_came_first_nobody_is_told_that_nothing_has(house: House, came: Any) -> None:
    plant = Plant(house.settings.home, str(house.settings.database))
    plant.send(came)
    plant.database.close()
    for path in PAGES:
        assert STEPS not in shown(house, path), path


def test_a_connection_at_a_shared_address_is_told_that_one(house: House) -> None:
    text = (
        '[endpoints.hub]\nsource = "unified"\nid = "/plant"\nsecrets = [{ ref = "env:HUB" }]\n'
        '[connections.mill]\nsource = "unified"\nendpoint = "hub"\nexternal_id = "m"\n'
    )
    house.settings.connections_path.write_text(text)
    house.registry.refresh()
    page = shown(house, "/")
    assert "/webhooks/hub" in page
    assert "maintenworks send" not in page
