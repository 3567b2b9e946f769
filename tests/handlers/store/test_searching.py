"""A search looks at so many rows at most, says how far it came, and goes on from there."""

import itertools
from datetime import datetime, timedelta

import pytest

from handlers.store import read_events, searching
from handlers.store.arrival import id_at
from handlers.store.engine import Database
from handlers.store.read_events import Wanted, listed_events
from handlers.store.read_letters import Wanted as WantedLetters
from handlers.store.read_letters import chosen
from handlers.store.read_records import Chosen, kept_records
from handlers.store.reading import Part
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, events
from handlers.store.searching import Search
from tests import folding
from tests.plans import heard

SECOND = timedelta(seconds=1)
COUNT = 60
BUSY, QUIET = "busy", "quiet"


@pytest.fixture
def database(database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Assets of two connections, every seventh of them down, and an event of each, a second apart."""
    monkeypatch.setattr(searching, "FIRST_LOOK", 3)
    rows = [
        {
            "connection_id": QUIET if number % 20 == 0 else BUSY,
            "key": f"A-{number:03d}",
            "status": "down" if number % 7 == 0 else "operating",
        }
        for number in range(COUNT)
    ]
    moments = [_at(number) for number in range(COUNT)]
    with database.write() as connection:
        tx = Transaction(connection)
        tx.insert(assets, rows)
        tx.insert(
            events,
            [
                {
                    "connection_id": row["connection_id"],
                    "event_id": row["key"],
                    "digest": "0" * 64,
                    "delivery_id": f"{id_at(at)}-{row['key']}",
                    "event_index": 0,
                    "type": f"asset.{row['status']}",
                    "subject_kind": "asset" if row["status"] == "down" else "meter",
                    "subject_key": "P",
                    "occurred_at": at,
                    "received_at": at,
                    "processed_at": at,
                    "outcome": "applied",
                    "event_id_reused": False,
                    "map": "m",
                }
                for row, at in zip(rows, moments, strict=True)
            ],
        )
    return database


@pytest.mark.parametrize("rows", [1, 4, 7, 1_000])
@pytest.mark.parametrize("connection", [None, BUSY])
def test_pages_of_a_search_make_the_whole_list(database: Database, connection: str | None, rows: int) -> None:
    """However few rows are looked at for a page: some come short, none is wanting, and none comes twice."""
    whole = [(each.connection, each.key) for each in kept_records(database, "asset", _down(connection, Part()))]
    assert len(whole) > 5
    found, pages, after = [], 0, None
    while pages <= 2 * COUNT:
        search = Search(rows)
        kept = list(itertools.islice(kept_records(database, "asset", _down(connection, Part(after, 3, search))), 3))
        found += [(each.connection, each.key) for each in kept]
        pages += 1
        after = (kept[-1].connection, kept[-1].key) if len(kept) == 3 else search.stopped
        if after is None:
            break
    assert found == whole
    assert pages > 2


def test_a_search_looks_at_no_more_than_it_may_and_tells_how_far_it_came(database: Database) -> None:
    search = Search(20)
    assert list(listed_events(database, Wanted(type="none.such"), Part(size=5, search=search))) == []
    assert (search.looked_at, search.stopped) == (20, (f"{id_at(_at(40))}-A-040", 0))
    assert read_events.arrived_at(database, search.stopped or ()) == _at(40)

    search = Search(1_000)
    assert list(listed_events(database, Wanted(type="none.such"), Part(size=5, search=search))) == []
    assert search.stopped is None


def test_a_stretch_of_time_is_looked_up_and_not_searched_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows outside are not even looked at: a row of an hour later would be, for a clock may be put back."""
    monkeypatch.setattr(read_events, "PUT_BACK", SECOND)
    search = Search(16)
    wanted = Wanted(since=_at(10), until=_at(20), type="asset.operating")
    found = list(listed_events(database, wanted, Part(size=50, search=search)))
    assert [each.event_id for each in found] == [f"A-{number:03d}" for number in range(19, 9, -1) if number % 7]
    assert search.stopped is None


@pytest.mark.parametrize("few", [0, COUNT])
def test_events_of_a_connection_are_the_same_whether_sorted_or_searched_for(
    database: Database, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(read_events, "FEW", few)
    search = Search()
    found = [each.event_id for each in listed_events(database, Wanted(connection=QUIET), Part(None, 2, search))]
    assert found == ["A-040", "A-020", "A-000"]
    assert (search.looked_at > 0) == (few == 0)


def test_a_key_is_found_whatever_kinds_of_records_have_it(database: Database) -> None:
    with heard(database) as statements:
        found = list(listed_events(database, Wanted(subject_key="P", connection=BUSY), Part(size=COUNT + 1)))
    assert len(found) == COUNT - 3
    assert len(found) == len({each.event_id for each in found})
    assert {each.subject_kind for each in found} == {"asset", "meter"}
    assert sum("events" in each.statement for each in statements) == 2


def test_a_list_that_names_its_letters_searches_for_nothing(database: Database) -> None:
    search = Search(1)
    wanted = WantedLetters(keys=(("d", 1),), state=None)
    assert list(chosen(database, wanted, ("delivery_id", "event_index"), Part(size=2, search=search))) == []
    assert search.looked_at == 0


def _down(connection: str | None, part: Part) -> Chosen:
    return Chosen(connection, filters={"status": "down"}, part=part)


def _at(number: int) -> datetime:
    return folding.NOON + number * SECOND
