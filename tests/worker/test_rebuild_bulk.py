"""What a rebuild does in bulk: rows put by the thousand, and labels of maps told while others write."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from handlers.errors import PermanentError, TransientError
from handlers.store import bulk, labels, replace, schema
from handlers.store.engine import Database
from handlers.store.memory import defaults
from handlers.store.rowset import Transaction
from tests import folding
from tests.worker.letters import Yard, order, zoneless
from tests.worker.rebuilding import archive, check, cleared, edited, everything, rebuilt

AWKWARD = (
    "back\\slash",
    "tab\there",
    "line\nand\rreturn",
    "\\N",
    "\\.",
    "",
    "{\"quoted\": 'twice'}",
    "\u00a0\u2028",
    "\u001f \u007f",
    "ünï 泵 😀",
)
"""What stands for something else in one text format or another."""


@pytest.fixture
def session(database: Database) -> Iterator[Connection]:
    """A transaction on each of them."""
    with database.write() as connection:
        yield connection


@pytest.mark.parametrize("text", AWKWARD)
def test_a_row_put_in_bulk_is_the_row_that_is_inserted(session: Connection, text: str) -> None:
    table = schema.inventory_items
    stated: list[dict[str, Any]] = [
        {"connection_id": "plant", "key": f"K{text}", "name": text, "fields": {"name": text, text: [None, True, 1]}},
        {"connection_id": "plant", "key": "bare"},
        {"connection_id": "plant", "key": "other", "name": "plain", "below_reorder_point": False},
    ]
    whole = [{**defaults(table), **row} for row in stated]
    Transaction(session).insert(table, whole)
    inserted = session.execute(sa.select(table).order_by(table.c.key)).all()
    session.execute(sa.delete(table))

    target = table if session.dialect.name == "sqlite" else table.to_metadata(sa.MetaData(), schema="public")
    for part in bulk.texts(session.dialect.name, table, stated, defaults(table)):
        bulk.put(session, target, part)

    assert session.execute(sa.select(table).order_by(table.c.key)).all() == inserted
    assert len(inserted) == len(stated)


def test_a_key_that_is_there_already_is_refused_as_a_statement_would_have_it(database: Database) -> None:
    row = {"connection_id": "plant", "key": "V-1"}
    name = None if database.dialect == "sqlite" else "public"
    table = schema.vendors if name is None else schema.vendors.to_metadata(sa.MetaData(), schema=name)
    [text] = bulk.texts(database.dialect, schema.vendors, [row, row], defaults(schema.vendors))

    with pytest.raises(PermanentError) as refused, database.write() as session:
        bulk.put(session, table, text)

    assert refused.value.code == "refused_by_database"
    with database.read() as session:
        assert session.execute(sa.select(schema.vendors)).all() == []


def test_texts_of_any_kind_come_back_from_the_archive(yard: Yard) -> None:
    for number, text in enumerate(AWKWARD):
        yard.send(order(f"evt-{number}", f"WO-{number}", title=text, asset_key=f"A {text or 0}", **{text or "x": text}))
    before = everything(yard)
    cleared(yard, *folding.STATE, schema.events)

    rebuilt(yard)

    assert everything(yard) == before
    assert check(yard).findings == []


def test_events_say_by_which_map_they_were_read_once_everybody_may_write_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where that cannot be told, state is of the map of now all the same, and the next rebuild tells it."""
    for number in range(5):
        yard.send(order(f"evt-{number}", f"WO-{number}", asset_key="PUMP-7"))
    yard.send(zoneless("evt-9", "WO-9", title="unread"))
    yard.connect("plant", 'time_zone = "Europe/Berlin"')
    monkeypatch.setattr(labels, "AT_ONCE", 2)

    with monkeypatch.context() as broken:
        broken.setattr(replace, "relabel", _away)
        rebuilt(yard)
    left = check(yard)
    assert (left.findings, left.checked.older_map, left.checked.older_map_events) == ([], 0, 5)

    rebuilt(yard)

    told = check(yard)
    assert (told.findings, told.checked.older_map_events) == ([], 0)
    assert len({row["map"] for row in yard.rows(schema.events)}) == 1


def test_an_event_that_was_told_its_map_meanwhile_keeps_it(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    yard.send(order("evt-1"))
    yard.send(order("evt-2", "WO-2"))
    yard.connect("plant", 'time_zone = "Europe/Berlin"')

    def beside(*asked: Any) -> None:
        edited(yard, sa.update(schema.events).values(map="newer").where(schema.events.c.event_id == "evt-2"))
        labels.relabel(*asked)

    monkeypatch.setattr(replace, "relabel", beside)
    rebuilt(yard)

    told = {row["event_id"]: row["map"] for row in yard.rows(schema.events)}
    assert (told["evt-2"], told["evt-1"]) == ("newer", archive(yard).fingerprint)


def _away(*_: object) -> None:
    raise TransientError("database_unavailable", "the server was stopped")
