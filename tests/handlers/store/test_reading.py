"""Long lists are walked along an index, a page a transaction; looking never makes or changes a database."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from handlers.errors import ServiceUnreachableError
from handlers.events import Json
from handlers.store import read_events, reading
from handlers.store.engine import Database
from handlers.store.read_deliveries import source_record, stories
from handlers.store.read_downtime import kept_downtime
from handlers.store.read_events import Wanted, events_of_delivery, events_of_id, listed_events
from handlers.store.read_history import history
from handlers.store.read_orders import kept_orders
from handlers.store.read_records import Chosen, kept_records
from handlers.store.read_spans import Window
from handlers.store.read_today import day
from handlers.store.read_uptime import asset_figures, connections_with_assets, data_as_of
from handlers.store.reading import PAGE, Part, connection_ids, open_database, walk
from handlers.store.rowset import Transaction
from handlers.store.schema import assets
from handlers.store.searching import Search
from tests import folding
from tests.plans import heard, read_whole
from tests.plans import plan as plan_of

WINDOW = Window(folding.NOON, folding.NOON + timedelta(days=1), folding.NOON + timedelta(days=2))
SEARCHED = Part(size=1, search=Search())
Question = Callable[[Database], Iterable[object]]
QUESTIONS: dict[str, Question] = {
    "orders": lambda database: kept_records(database, "work_order", Chosen()),
    "orders of a connection": lambda database: kept_records(database, "work_order", Chosen(connection="c")),
    "an order": lambda database: kept_records(database, "work_order", Chosen(key="WO-1")),
    "assets": lambda database: kept_records(database, "asset", Chosen(deleted=True)),
    "down time": lambda database: kept_downtime(database, Chosen()),
    "an interval": lambda database: kept_downtime(database, Chosen(key="D-1")),
    "events": lambda database: listed_events(database, Wanted()),
    "events of a connection": lambda database: listed_events(database, Wanted(connection="c", outcome="applied")),
    "events searched for": lambda database: listed_events(database, Wanted(type="downtime.started"), SEARCHED),
    "events of some days": lambda database: listed_events(
        database, Wanted(connection="c", outcome="applied", since=folding.NOON), SEARCHED
    ),
    "events of a key": lambda database: listed_events(database, Wanted(subject_key="WO-1"), SEARCHED),
    "orders searched for": lambda database: kept_records(
        database, "work_order", Chosen("c", filters={"status": "approved"}, part=SEARCHED)
    ),
    "orders on an asset": lambda database: kept_records(
        database, "work_order", Chosen(filters={"asset": "PUMP-1"}, part=SEARCHED)
    ),
    "events of a subject": lambda database: listed_events(
        database, Wanted(subject_kind="work_order", subject_key="WO-1")
    ),
    "events of an id": lambda database: events_of_id(database, "a"),
    "events of a delivery": lambda database: events_of_delivery(database, "d"),
    "history": lambda database: history(database, "c", "PUMP-1"),
    "today": lambda database: day(database, ["c", "d"], lambda *_: ZoneInfo("UTC"), folding.NOON).stops,
    "orders with their times": lambda database: kept_orders(
        database, Chosen(), lambda *_: ZoneInfo("UTC"), folding.NOON
    ),
    "uptime": lambda database: asset_figures(database, "c", WINDOW),
    "connections": connections_with_assets,
    "newest facts": lambda database: data_as_of(database, ["c"]).items(),
}
SORTED = {"events of a subject", "events of a key", "events of an id", "orders on an asset"}
"""Few rows, found by an index and then sorted."""
LONG = {"orders", "orders of a connection", "assets", "down time", "events", "events of a connection", "history"}
"""So many rows that a page must be looked up where the last one ended."""


@pytest.fixture
def database(database: Database) -> Database:
    asset: dict[str, Json] = {"asset_ref": {"key": "PUMP-1", "label": None}}
    order: dict[str, Json] = {"asset_down": True, "status": {"value": "approved"}}
    batch = [
        folding.event("work_order.created", "WO-1", asset | order, id_="a"),
        folding.event("downtime.started", "D-1", asset, id_="b"),
        folding.event("asset.status_changed", "PUMP-1", {"status": "down"}, id_="c"),
    ]
    folding.apply(database, [batch])
    return database


@pytest.fixture
def database_url(database: Database) -> str:
    return database.engine.url.set(drivername=database.dialect).render_as_string(hide_password=False)


def test_no_question_reads_a_whole_table_or_sorts_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is one row here, so that the statement of a following page is among them."""
    monkeypatch.setattr(reading, "PAGE", 1)
    monkeypatch.setattr(read_events, "FEW", 0)
    for name, question in QUESTIONS.items():
        plans = _plans(database, question)
        assert plans, name
        for plan in plans:
            assert not any(map(read_whole, plan)), (name, plan)
            named = any("SCAN e" in line for line in plan)  # rows looked up by name, as many as one page names
            if name not in SORTED and not named and database.dialect == "sqlite":
                # Only lines of one instant are sorted, in an asset's history.
                assert not any("TEMP B-TREE" in line and "RIGHT PART" not in line for line in plan), (name, plan)
        if name in LONG and database.dialect == "sqlite":
            assert any({">", "<"} & set(plan[0]) for plan in plans), (name, plans)


def test_a_reader_that_pauses_holds_no_transaction_open(database_url: str, database: Database) -> None:
    """With one connection in its pool, a database can only be written to while no page is being read."""
    _put_assets(database, 2 * PAGE + 1)
    single = Database(database_url, pool_size=1)
    rows = kept_records(single, "asset", Chosen())

    first = next(rows)
    with single.write() as connection:
        connection.execute(sa.update(assets).values(name="renamed"))
    rest = [kept.key for kept in rows]
    single.close()

    assert first.key == "A-00000"
    assert rest == [f"A-{number:05d}" for number in range(1, 2 * PAGE + 1)]


def test_every_row_is_walked_once_whatever_the_page(database: Database) -> None:
    order = (assets.c.connection_id, assets.c.key)
    statement = sa.select(*order)
    for count in (0, 1, PAGE - 1, PAGE, PAGE + 1):
        _put_assets(database, count)

        forwards = [row.key for row in walk(database, statement, order)]
        backwards = [row.key for row in walk(database, statement, order, newest_first=True)]

        assert forwards == [f"A-{number:05d}" for number in range(count)]
        assert backwards == forwards[::-1]


def test_connections_are_found_by_their_rows(database: Database) -> None:
    with database.write() as connection:
        connection.execute(sa.delete(assets))
        rows = [{"connection_id": each, "key": "A"} for each in ("é", "a", "b", "B")]
        Transaction(connection).insert(assets, rows)

    assert connection_ids(database, assets.c.connection_id) == ["B", "a", "b", "é"]


def test_a_database_is_opened_only_with_this_versions_schema(database_url: str, database: Database) -> None:
    opened = open_database(database_url)
    opened.close()
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0000'"))

    with pytest.raises(ServiceUnreachableError, match=r"is at 0000, .* run `maintenworks migrate`"):
        open_database(database_url)


def test_an_event_whose_delivery_is_not_kept_has_no_story(database: Database) -> None:
    assert [event.event_id for event in events_of_id(database, "a")] == ["a"]
    assert list(stories(database, "a")) == []
    assert source_record(database, "c", "0.61.0") is None


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnreachableError, match="there is no database at"):
        open_database(f"sqlite:///{tmp_path / 'none.db'}")

    assert not list(tmp_path.iterdir())


def _put_assets(database: Database, count: int) -> None:
    with database.write() as connection:
        connection.execute(sa.delete(assets))
        Transaction(connection).insert(
            assets, [{"connection_id": "c", "key": f"A-{number:05d}"} for number in range(count)]
        )


def _plans(database: Database, question: Question) -> list[list[str]]:
    """The plan of each statement that a question runs, which must find something."""
    with heard(database) as statements:
        assert list(question(database))
    return [plan_of(database, each) for each in statements if each.statement.startswith(("SELECT", "WITH"))]
