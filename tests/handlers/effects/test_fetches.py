"""What a thin event wants fetched, and what settles it."""

import itertools
from pathlib import Path

import pytest

from handlers.events import Event
from handlers.store.engine import Database
from tests import folding


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return folding.sqlite(tmp_path)


def thin(at: int, kind: str = "vendor", **fields: str) -> Event:
    return folding.event(f"{kind}.updated", "K", {**fields}, at=at, thin=True)


def full(at: int, kind: str = "vendor") -> Event:
    return folding.event(f"{kind}.updated", "K", at=at, full_fields=("name",))


def wanted(database: Database, *events: Event) -> list[tuple[str, str, str | None]]:
    """(kind, key, source entity) of what is to be fetched after events that came one by one."""
    folding.apply(database, [[event] for event in events])
    return [(each["kind"], each["key"], each["source_entity"]) for each in folding.state(database)["fetches"]]


@pytest.mark.parametrize("kind", ["work_order", "asset", "purchase_order", "vendor", "meter"])
def test_a_thin_event_wants_its_subject_until_a_full_record_as_new_comes(database: Database, kind: str) -> None:
    assert wanted(database, thin(5, kind, source_entity="VendorV2")) == [(kind, "K", "VendorV2")]
    assert wanted(database, full(4, kind)) == [(kind, "K", "VendorV2")]
    assert wanted(database, full(6, kind)) == []


def test_a_thin_event_older_than_the_full_record_wants_nothing(database: Database) -> None:
    assert wanted(database, full(6), thin(5)) == []
    assert wanted(database, thin(7)) == [("vendor", "K", None)]


def test_neither_a_partial_event_nor_a_second_thin_one_adds_a_row(database: Database) -> None:
    partial = folding.event("vendor.updated", "K", {"name": "Seals"}, at=9)
    assert wanted(database, thin(5), thin(7, source_entity="v"), thin(6), partial) == [("vendor", "K", "v")]


def test_a_full_record_between_two_thin_events_settles_the_older_alone(database: Database) -> None:
    assert wanted(database, thin(7), full(6)) == [("vendor", "K", None)]
    folding.apply(database, [[full(4), thin(5)]])
    assert wanted(database) == [("vendor", "K", None)]


def test_any_order_and_batch_gives_the_same_rows(database: Database) -> None:
    facts = (thin(1), full(2), thin(3, source_entity="x"), full(3))
    found = []
    for order in itertools.permutations(facts):
        folding.empty(database)
        folding.apply(database, [order[:2], order[2:]])
        found.append(folding.state(database)["fetches"])
    assert all(rows == found[0] for rows in found)
