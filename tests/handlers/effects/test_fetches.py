"""What a thin event wants fetched, and what settles it."""

import itertools
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from handlers.events import Event
from handlers.store import schema
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
    return _due(database)


def came(database: Database, minute: int, *events: Event) -> bool:
    """Whether anything is to be fetched after events that came so many minutes after noon."""
    folding.apply(database, [events], folding.NOON + timedelta(minutes=minute))
    return bool(_due(database))


def _due(database: Database) -> list[tuple[str, str, str | None]]:
    rows = [each for each in folding.state(database)["fetches"] if each["is_due"]]
    return [(each["kind"], each["key"], each["source_entity"]) for each in rows]


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


def test_a_repeat_of_a_thin_event_without_an_id_asks_again(database: Database) -> None:
    """Two changes of one thing may be told in the same bytes."""
    assert came(database, 5, thin(5))
    assert not came(database, 6, full(6))
    _asked(database)

    assert came(database, 7, thin(5))

    [row] = folding.state(database)["fetches"]
    assert row["asked_at"] is None


def test_a_repeat_of_one_with_an_id_is_the_same_wish(database: Database) -> None:
    named = folding.event("vendor.updated", "K", at=5, id_="evt-1", thin=True)
    assert came(database, 5, named)
    assert not came(database, 6, full(6))

    assert not came(database, 7, named)


@pytest.mark.parametrize("id_", [None, "header#0"])
def test_a_wish_without_a_time_is_granted_by_a_record_that_came_since_however_old_it_is(
    database: Database, id_: str | None
) -> None:
    bare = folding.event("vendor.updated", "K", at=60, id_=id_, thin=True)
    assert came(database, 60, bare)
    assert came(database, 59, full(1))

    assert not came(database, 61, full(2))


def test_a_record_that_is_fetched_and_has_not_changed_grants_it_too(database: Database) -> None:
    assert not came(database, 1, full(1))
    assert came(database, 60, folding.event("vendor.updated", "K", at=60, thin=True))

    assert not came(database, 61, full(1))


def test_a_wish_that_tells_its_time_waits_for_a_record_as_new_whenever_that_comes(database: Database) -> None:
    """What was on its way for long may tell of a time before the wish."""
    assert came(database, 6, folding.event("vendor.updated", "K", at=5, id_="evt-1", thin=True))
    assert came(database, 60, full(4))
    assert not came(database, 61, full(6))


def test_what_is_asked_for_again_is_only_what_somebody_wants_anew(database: Database) -> None:
    came(database, 5, thin(5, source_entity="VendorV2"))
    _asked(database)

    came(database, 5, thin(5, source_entity="VendorV2"))
    assert folding.state(database)["fetches"][0]["asked_at"] is not None
    came(database, 6, thin(6))
    assert folding.state(database)["fetches"][0]["asked_at"] is None


def test_arrivals_in_any_order_come_to_the_same(database: Database) -> None:
    bare = folding.event("vendor.updated", "K", {"source_entity": "x"}, at=60, thin=True)
    same = msgspec.structs.replace(bare, occurred_at=folding.NOON + timedelta(minutes=62))
    arrivals = [(60, bare), (61, full(1)), (62, same), (63, full(1))]
    found = []
    for order in itertools.permutations(arrivals):
        folding.empty(database)
        for minute, event in order:
            came(database, minute, event)
        found.append(folding.state(database)["fetches"])
    assert all(rows == found[0] for rows in found)


def _asked(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.update(schema.fetches).values(asked_at=folding.NOON))
