"""A batch is committed whole, each event ends once, and what fails costs nobody else anything."""

import dataclasses
import gzip
import random
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from handlers import effects
from handlers.connections import Registry
from handlers.errors import TransientError
from handlers.events import WHOLE_BODY, Delivery, MappingOptions, Reading
from handlers.rules.facts import Fact
from handlers.sources import Source, load
from handlers.store import deliveries, retries, schema
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests import folding
from worker.dispatch import Dispatcher
from worker.queue import Undecodable
from worker.retries import MAX_ATTEMPTS
from worker.streams_leases import Envelope
from worker.units import Reader

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CONNECTIONS = """
[connections.plant]
source = "unified"
secrets = [{ ref = "env:PLANT" }]
[connections.asleep]
source = "unified"
secrets = [{ ref = "env:PLANT" }]
paused = true
"""


class Clock:
    """Now, until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Works:
    """A dispatcher with everything around it.

    Attributes:
        database: what it writes.
        clock: its time.
        dispatcher: it.
    """

    def __init__(self, database: Database, folder: Path, sources: Mapping[str, Source] | None = None) -> None:
        path = folder / "connections.toml"
        path.write_text(CONNECTIONS)
        self.path = path
        self.database = database
        self.clock = Clock()
        self.registry = Registry(path, folder)
        reader = Reader(self.registry, sources or load(), max_body_bytes=4096)
        self.dispatcher = Dispatcher(database, reader, clock=self.clock, dice=random.Random(1))

    def process(self, batch: Sequence[Delivery | Undecodable]) -> None:
        self.dispatcher.process(batch, Envelope("live", "1-0", batch))

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        with self.database.read() as connection:
            found = connection.execute(sa.select(table).order_by(*table.primary_key.columns))
            return [dict(row._mapping) for row in found]

    def outcomes(self) -> dict[str, str]:
        return {row["event_id"]: row["outcome"] for row in self.rows(schema.events)}

    def due(self) -> list[retries.RowId]:
        """What the scheduler would ring for now."""
        with self.database.write() as connection:
            return retries.lease_due(Transaction(connection), now=self.clock.now, lease=timedelta(minutes=1), limit=100)


@pytest.fixture
def works(database: Database, tmp_path: Path) -> Works:
    return Works(database, tmp_path)


def delivery(name: str, *bodies: dict[str, Any] | bytes, connection: str = "plant") -> Delivery:
    """A delivery of one raw body, of one event, or of an array of events."""
    if len(bodies) == 1:
        raw = bodies[0] if isinstance(bodies[0], bytes) else orjson.dumps(bodies[0])
    else:
        raw = orjson.dumps(list(bodies))
    return Delivery(name, connection, NOW, raw, {"content-type": "application/json"})


def order(
    id_: str, key: str = "WO-1", *, minute: int = 0, type_: str = "work_order.updated", **data: Any
) -> dict[str, Any]:
    return {"id": id_, "type": type_, "occurred_at": f"2026-03-01T08:{minute:02d}:00Z", "data": {"key": key, **data}}


def test_a_delivery_is_archived_byte_for_byte_with_its_event(works: Works) -> None:
    sent = delivery("d1", order("e1", status="approved", title="Seal"))

    works.process([sent])

    [archived] = works.rows(schema.deliveries)
    assert bytes(archived["body"]) == sent.body
    assert archived["headers"] == sent.headers
    assert archived["received_at"] == NOW
    [kept] = works.rows(schema.work_orders)
    assert (kept["key"], kept["status"], kept["title"]) == ("WO-1", "approved", "Seal")


def test_a_repeat_changes_nothing_and_keeps_no_second_copy_of_the_bytes(works: Works) -> None:
    first = delivery("d1", order("e1", status="approved"))
    works.process([first])
    before = folding.state(works.database)

    works.process([first])
    works.process([Delivery("d2", "plant", NOW + timedelta(hours=1), first.body)])

    assert folding.state(works.database) == before
    assert len(works.rows(schema.events)) == 1
    assert [row["body"] is None for row in works.rows(schema.deliveries)] == [False, True]
    with works.database.read() as connection:
        assert deliveries.load(Transaction(connection), ["d2"])["d2"].body == first.body


def test_an_event_that_is_older_than_what_is_known_is_stale_and_one_that_nothing_handles_is_ignored(
    works: Works,
) -> None:
    works.process(
        [
            delivery("d1", order("new", minute=9, status="in_progress")),
            delivery("d2", order("old", minute=1, status="approved")),
            delivery("d3", order("odd", type_="work_order.exploded")),
        ]
    )

    assert works.outcomes() == {"new": "applied", "old": "stale", "odd": "ignored"}


def test_an_id_with_other_bytes_is_a_second_fact_and_flagged(works: Works) -> None:
    works.process([delivery("d1", order("e1", status="approved"))])
    works.process([delivery("d2", order("e1", minute=5, status="in_progress"))])

    flags = sorted(row["event_id_reused"] for row in works.rows(schema.events))
    assert flags == [False, True]
    assert works.rows(schema.work_orders)[0]["status"] == "in_progress"


def test_a_bad_event_is_a_dead_letter_and_its_siblings_are_applied(works: Works) -> None:
    bad = {"id": "bad", "type": "work_order.updated", "occurred_at": "yesterday", "data": {"key": "WO-2"}}

    works.process([delivery("d1", order("e1"), bad, order("e3", "WO-3"))])

    assert works.outcomes() == {"e1": "applied", "e3": "applied"}
    [letter] = works.rows(schema.dead_letters)
    assert (letter["delivery_id"], letter["event_index"], letter["state"]) == ("d1", 1, "open")
    assert letter["path"] == "$[1].occurred_at"
    assert "yesterday" not in str(letter)


def test_bytes_that_already_have_an_open_letter_add_an_attempt_to_it(works: Works) -> None:
    works.process([delivery("d1", b"{not json"), delivery("d2", b"{not json")])
    works.process([delivery("d3", b"{not json")])

    [letter] = works.rows(schema.dead_letters)
    assert [attempt["delivery"] for attempt in letter["attempts"]] == ["d1", "d2", "d3"]


def test_a_delivery_for_a_connection_that_is_gone_is_a_dead_letter_until_it_is_back(works: Works) -> None:
    works.process([delivery("d1", order("e1"), connection="new")])
    [letter] = works.rows(schema.dead_letters)
    assert letter["code"] == "unknown_connection"


def test_a_connection_that_the_receiver_knew_a_second_earlier_is_looked_up_once_more(works: Works) -> None:
    """Each role reads the registry in its own time; a new connection's first events must not be buried for that."""
    works.path.write_text(CONNECTIONS + '[connections.new]\nsource = "unified"\nsecrets = [{ ref = "env:NEW" }]\n')

    works.process([delivery("d1", order("e1"), connection="new")])

    assert works.outcomes() == {"e1": "applied"}


def test_a_letter_is_superseded_when_a_repeat_of_its_event_is_applied(database: Database, tmp_path: Path) -> None:
    """As when the map was mended in between: the same bytes, which could not be read, now can."""
    unified = load()["unified"]
    mended = threading.Event()

    def read(sent: Delivery, options: MappingOptions) -> Reading:
        return unified.read(sent if mended.is_set() else sent_with_bad_time(sent), options)

    def sent_with_bad_time(sent: Delivery) -> Delivery:
        return Delivery(sent.delivery_id, sent.connection_id, NOW - timedelta(days=30), sent.body)

    works = Works(database, tmp_path, {"unified": dataclasses.replace(unified, read=read)})
    works.process([delivery("d1", order("e1"))])
    assert [row["code"] for row in works.rows(schema.dead_letters)] == ["clock_skew"]
    mended.set()

    works.process([delivery("d2", order("e1"))])

    assert [row["state"] for row in works.rows(schema.dead_letters)] == ["superseded"]
    assert works.outcomes() == {"e1": "applied"}


def test_a_gzip_body_is_inflated_up_to_the_limit_and_archived_as_it_was_signed(works: Works) -> None:
    small, bomb = gzip.compress(orjson.dumps(order("e1"))), gzip.compress(b" " * 5_000)

    works.process([delivery("d1", small), delivery("d2", bomb)])

    assert works.outcomes() == {"e1": "applied"}
    assert [row["code"] for row in works.rows(schema.dead_letters)] == ["too_large"]
    assert sorted(bytes(row["body"]) for row in works.rows(schema.deliveries)) == sorted([small, bomb])


def test_a_message_that_cannot_be_decoded_is_buried_with_its_bytes(works: Works) -> None:
    works.process([Undecodable("plant", b"\x07\xff\x00", "wire version 7")])
    works.process([Undecodable("plant", b"\x07\xff\x00", "wire version 7")])

    [letter] = works.rows(schema.dead_letters)
    [archived] = works.rows(schema.deliveries)
    assert (letter["code"], letter["event_index"]) == ("undecodable_message", WHOLE_BODY)
    assert bytes(archived["body"]) == b"\x07\xff\x00"


def test_an_effect_that_fails_on_one_event_costs_only_that_one(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given an effect with a bug; when a batch of 20 hits it once; then 19 are applied and one is tried again."""
    broken = _with_a_bug(monkeypatch, on="WO-13")
    works.process([delivery(f"d{n}", order(f"e{n}", f"WO-{n}")) for n in range(20)])

    assert set(works.outcomes()) == {f"e{n}" for n in range(20)} - {"e13"}
    [row] = works.rows(schema.retries)
    assert (row["delivery_id"], row["event_index"], row["attempt"]) == ("d13", 0, 1)
    assert row["attempts"][0]["code"] == "unclassified"
    assert NOW <= row["due_at"] <= NOW + timedelta(seconds=1)

    broken.set()
    works.clock.now += timedelta(seconds=2)
    works.dispatcher.process_rows(works.due())

    assert set(works.outcomes()) == {f"e{n}" for n in range(20)}
    assert works.rows(schema.retries) == []


def test_what_fails_every_time_is_buried_after_the_last_attempt_with_all_of_them(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_a_bug(monkeypatch, on="WO-1")
    works.process([delivery("d1", order("e1", "WO-1"))])
    for _ in range(MAX_ATTEMPTS - 1):
        works.clock.now += timedelta(hours=2)
        works.dispatcher.process_rows(works.due())

    assert works.rows(schema.retries) == []
    [letter] = works.rows(schema.dead_letters)
    assert len(letter["attempts"]) == MAX_ATTEMPTS
    assert letter["class"] == "RuntimeError"
    assert "in apply" in letter["traceback"]
    assert "secret value" not in str(letter)


def test_a_row_that_another_worker_holds_or_has_done_is_nothing_to_do(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = _with_a_bug(monkeypatch, on="WO-1")
    works.process([delivery("d1", order("e1", "WO-1"))])
    broken.set()
    works.clock.now += timedelta(seconds=2)
    ids = works.due()
    assert works.due() == []

    works.dispatcher.process_rows(ids)
    works.dispatcher.process_rows(ids)

    assert works.outcomes() == {"e1": "applied"}


def test_data_that_the_database_refuses_is_found_by_halves_and_buried(works: Works) -> None:
    _refusing(works, key="WO-5")
    works.process([delivery("d", *(order(f"e{n}", f"WO-{n}") for n in range(9)))])

    assert set(works.outcomes()) == {f"e{n}" for n in range(9)} - {"e5"}
    [letter] = works.rows(schema.dead_letters)
    assert (letter["code"], letter["event_index"]) == ("refused_by_database", 5)


def test_a_paused_connections_deliveries_are_kept_and_applied_on_resume_without_an_attempt(works: Works) -> None:
    works.process([delivery("d1", order("e1"), order("e2", "WO-2"), connection="asleep")])
    [row] = works.rows(schema.retries)
    assert (row["event_index"], row["attempt"]) == (WHOLE_BODY, 0)
    assert works.outcomes() == {}

    works.path.write_text(CONNECTIONS.replace("paused = true", "paused = false"))
    works.registry.refresh()
    works.clock.now += timedelta(minutes=1)
    works.dispatcher.process_rows(works.due())

    assert works.outcomes() == {"e1": "applied", "e2": "applied"}
    assert works.rows(schema.retries) == []


def test_one_bad_event_of_a_resumed_delivery_is_tried_alone(works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
    works.process([delivery("d1", order("e1"), order("e2", "WO-2"), connection="asleep")])
    broken = _with_a_bug(monkeypatch, on="WO-2")
    works.path.write_text(CONNECTIONS.replace("paused = true", "paused = false"))
    works.registry.refresh()
    for _ in range(2):
        works.clock.now += timedelta(minutes=1)
        works.dispatcher.process_rows(works.due())
    assert works.outcomes() == {"e1": "applied"}

    broken.set()
    works.clock.now += timedelta(minutes=1)
    works.dispatcher.process_rows(works.due())

    assert works.outcomes() == {"e1": "applied", "e2": "applied"}
    assert works.rows(schema.retries) == []


def test_nothing_is_written_and_no_attempt_counted_while_the_database_is_away(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    with pytest.raises(TransientError) as raised:
        Works(database, tmp_path).process([delivery("d1", order("e1"))])
    assert raised.value.code == "database_unavailable"


def test_two_workers_that_set_different_fields_of_one_new_work_order_lose_neither(
    migrated_url: str, tmp_path: Path
) -> None:
    """Select-then-insert would: each would find no row and write its own."""
    database = Database(migrated_url)
    works = Works(database, tmp_path)
    start = threading.Barrier(2)

    def work(field: str) -> None:
        start.wait()
        for n in range(40):
            works.process([delivery(f"{field}{n}", {**order(f"{field}{n}"), "data": {"key": f"WO-{n}", field: "x"}})])

    threads = [threading.Thread(target=work, args=(field,)) for field in ("title", "description")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kept = [row["fields"] for row in works.rows(schema.work_orders)]
    database.close()
    assert [(row.get("title"), row.get("description")) for row in kept] == [("x", "x")] * 40


def _with_a_bug(monkeypatch: pytest.MonkeyPatch, on: str) -> threading.Event:
    """Breaks the effect of work orders for one key until the event is set."""
    mended = threading.Event()
    whole = effects.load()
    sound = next(effect for effect in whole if effect.name == "work_orders")

    def apply(tx: Transaction, facts: Sequence[Fact]) -> None:
        if not mended.is_set() and any(fact.event.key == on for fact in facts):
            raise RuntimeError("secret value")
        sound.apply(tx, facts)

    patched = tuple(sound._replace(apply=apply) if effect is sound else effect for effect in whole)
    monkeypatch.setattr(effects, "load", lambda: patched)
    return mended


def _refusing(works: Works, key: str) -> None:
    """Makes the database itself refuse a value, by a constraint on a table of the fold."""
    with works.database.write() as connection:
        if works.database.dialect == "postgresql":
            connection.exec_driver_sql(f"ALTER TABLE work_orders ADD CHECK (key <> '{key}')")
        else:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON work_orders WHEN new.key = "
                f"'{key}' BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
