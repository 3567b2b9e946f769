"""Deliveries to an address that several connections share: whose each event is, its payload says."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from handlers.connections import Registry
from handlers.events import WHOLE_BODY, Delivery
from handlers.sources import load
from handlers.store import letter_acts, read_deliveries, schema
from handlers.store.engine import Database
from handlers.store.rowset import Transaction
from tests import folding
from tests.worker.letters import NOW, Yard, order, zoneless
from worker.units import Reader

HUB = '[endpoints.hub]\nsource = "unified"\nid = "/connection_id"\nsecrets = [{ ref = "env:H" }]\n'


class Hub(Yard):
    """An installation with one endpoint; `join` registers those that share it."""

    def _write(self, name: str, *options: str) -> None:
        super()._write(name, *options)
        self._path.write_text(HUB + self._path.read_text())

    def join(self, name: str, *options: str) -> None:
        """Has a connection, whose external id is its name in capitals."""
        self.connect(name, 'endpoint = "hub"', f'external_id = "{name.upper()}"', *options)

    def join_unseen(self, name: str) -> None:
        """The same, and the worker has not noticed yet."""
        self._write(name, 'endpoint = "hub"', f'external_id = "{name.upper()}"')

    def beat(self) -> int:
        """As the scheduler's, for what shares an address."""
        there = [each for each in self._registry.all().values() if not (each.paused or each.revoked)]
        members = [(each.endpoint, each.external_id) for each in there if each.endpoint and each.external_id]
        sent = letter_acts.send_waiting(self.database, [each.id for each in there], self.now, 500, members)
        self.work()
        return sent

    @property
    def registry(self) -> Registry:
        """The registry."""
        return self._registry

    def told(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Of each event, by connection and id, its outcome and its place."""
        rows = self.rows(schema.events)
        return {(row["connection_id"], row["event_id"]): (row["outcome"], row["event_index"]) for row in rows}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """On SQLite: what is told apart here is told before any SQL."""
    database = folding.sqlite(tmp_path)
    yield peopled(database, tmp_path)
    database.close()


def peopled(database: Database, folder: Path) -> Hub:
    found = Hub(database, folder)
    found.join("north")
    found.join("south")
    return found


def of(external_id: object, event: dict[str, Any]) -> dict[str, Any]:
    """An event as a shared sender tells it."""
    return {**event, "connection_id": external_id}


def test_one_event_is_its_connections_and_the_archive_has_the_body_under_the_endpoint(hub: Hub) -> None:
    name = hub.send(of("NORTH", order("e1", status="approved")), to="hub")

    assert hub.told() == {("north", "e1"): ("applied", 0)}
    [kept] = hub.rows(schema.deliveries)
    assert (kept["delivery_id"], kept["connection_id"]) == (name, "hub")
    [record] = hub.rows(schema.work_orders)
    assert (record["connection_id"], record["status"]) == ("north", "approved")


def test_the_same_key_in_one_body_is_a_record_of_each_connection(hub: Hub) -> None:
    hub.send(of("NORTH", order("e1", status="approved")), of("SOUTH", order("e1", status="on_hold")), to="hub")

    assert hub.told() == {("north", "e1"): ("applied", 0), ("south", "e1"): ("applied", 1)}
    assert [(row["connection_id"], row["status"]) for row in hub.rows(schema.work_orders)] == [
        ("north", "approved"),
        ("south", "on_hold"),
    ]


def test_an_event_keeps_its_place_for_the_id_that_a_header_gives_it(hub: Hub) -> None:
    nameless = {key: value for key, value in order("x").items() if key != "id"}

    hub.send(of("NORTH", order("e1")), of("SOUTH", nameless), of("NORTH", nameless), to="hub")

    places = {event: place for event, (_, place) in hub.told().items()}
    assert places == {("north", "e1"): 0, ("south", "m#1"): 1, ("north", "m#2"): 2}


def test_each_is_read_with_the_options_of_its_own_connection(hub: Hub) -> None:
    hub.join("south", 'time_zone = "Europe/Berlin"')

    hub.send(of("SOUTH", zoneless("e1")), of("NORTH", zoneless("e2")), to="hub")

    assert list(hub.told()) == [("south", "e1")]
    letter = hub.letter()
    assert (letter.connection_id, letter.event_index, letter.path) == ("north", 1, "$[1].occurred_at")


def test_an_id_that_nobody_registered_waits_for_it_and_is_replayed_by_itself(
    database: Database, tmp_path: Path
) -> None:
    """Given events of one connection and two ids that are none; when one is registered; then nothing was lost."""
    hub = peopled(database, tmp_path)
    name = hub.send(of("NORTH", order("e1")), of("WEST", order("e2")), of("EAST", order("e3")), to="hub")
    west, east = hub.letters()
    assert set(hub.told()) == {("north", "e1")}
    assert (west.key, west.connection_id, west.code, west.waits_for) == (
        (name, 1),
        "hub",
        "unknown_connection",
        "WEST",
    )
    assert (west.path, east.waits_for, "WEST" in west.message) == ("$[1].connection_id", "EAST", False)
    assert read_deliveries.own_bytes(*_brought(hub, name), west.digest) == orjson.dumps(of("WEST", order("e2")))
    assert hub.beat() == 0

    hub.join("west")
    assert hub.beat() == 1

    assert hub.told()["west", "e2"] == ("applied", 1)
    west, east = hub.letters()
    assert (west.state, east.state, len(east.attempts)) == ("replayed", "open", 1)
    assert (hub.beat(), hub.rows(schema.retries)) == (0, [])


def _brought(hub: Hub, name: str) -> tuple[Delivery, int]:
    found = read_deliveries.delivery(hub.database, name)
    assert found is not None
    return found, 1


def test_a_whole_body_waits_likewise_and_a_repeat_of_it_is_one_letter(hub: Hub) -> None:
    for _ in range(2):
        hub.send(of("WEST", order("e1")), to="hub")
    letter = hub.letter()
    assert (letter.event_index, letter.waits_for, len(letter.attempts)) == (WHOLE_BODY, "WEST", 2)

    hub.join("west")
    assert hub.beat() == 1
    assert hub.told() == {("west", "e1"): ("applied", 0)}


def test_a_letter_tried_in_vain_by_hand_is_sent_soon_after_its_connection_is_there(hub: Hub) -> None:
    hub.send(of("WEST", order("e1")), to="hub")
    for _ in range(5):
        with hub.database.write() as connection:
            letter_acts.send_again(Transaction(connection), [hub.letter().key], hub.now, None)
        hub.work()
    assert len(hub.letter().attempts) == 6

    hub.join("west")
    hub.now += timedelta(seconds=10)

    assert hub.beat() == 1
    assert hub.told() == {("west", "e1"): ("applied", 0)}


def test_a_connection_that_the_receiver_knew_first_is_looked_up_before_anything_is_buried(hub: Hub) -> None:
    hub.join_unseen("west")

    hub.send(of("WEST", order("e1")), to="hub")

    assert hub.told() == {("west", "e1"): ("applied", 0)}


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        (b"{", "malformed_json", "$"),
        (b"7", "wrong_type", "$"),
        (b"\x1f\x8b no gzip", "malformed_gzip", "$"),
        (b"[" + b"0," * 1000 + b"0]", "too_many_events", "$"),
        (orjson.dumps(order("e1")), "missing_field", "$.connection_id"),
        (orjson.dumps(of(None, order("e1"))), "missing_field", "$.connection_id"),
        (orjson.dumps([order("e1")]), "missing_field", "$[0].connection_id"),
        (b"[7]", "missing_field", "$[0].connection_id"),
    ],
)
def test_a_body_that_does_not_say_whose_it_is_is_the_endpoints_letter(
    hub: Hub, body: bytes, code: str, path: str
) -> None:
    hub.send(body, to="hub")

    letter = hub.letter()
    assert (letter.connection_id, letter.code, letter.path, letter.waits_for) == ("hub", code, path, None)


def test_an_empty_array_is_archived_and_nothing_else(hub: Hub) -> None:
    hub.send(b"[]", to="hub")

    assert len(hub.rows(schema.deliveries)) == 1
    assert (hub.told(), hub.letters(), hub.rows(schema.retries)) == ({}, [], [])


def test_a_gzip_body_is_inflated_before_it_says_whose_it_is(hub: Hub) -> None:
    hub.send(gzip.compress(orjson.dumps(of("SOUTH", order("e1")))), to="hub")

    assert hub.told() == {("south", "e1"): ("applied", 0)}


def test_a_paused_connections_events_wait_and_the_others_do_not(hub: Hub) -> None:
    hub.join("south", "paused = true")
    hub.send(of("NORTH", order("e1")), of("SOUTH", order("e2")), to="hub")
    assert set(hub.told()) == {("north", "e1")}
    [row] = hub.rows(schema.retries)
    assert (row["connection_id"], row["event_index"], row["attempt"]) == ("south", 1, 0)

    hub.join("south")
    hub.now += timedelta(seconds=30)
    hub.work()

    assert hub.told()["south", "e2"] == ("applied", 1)


def test_a_revoked_connections_events_are_buried_until_it_is_taken_in_again(hub: Hub) -> None:
    hub.join("south", "revoked = true")
    hub.send(of("NORTH", order("e1")), of("SOUTH", order("e2")), to="hub")
    letter = hub.letter()
    assert (letter.connection_id, letter.code, set(hub.told())) == ("south", "revoked_connection", {("north", "e1")})
    assert hub.beat() == 0
    (line,) = hub.plan().lines
    assert line.why_not == "connection_revoked"

    hub.join("south")
    hub.replay()
    assert hub.told()["south", "e2"] == ("applied", 1)


def test_a_plan_knows_what_waits_for_whom(hub: Hub) -> None:
    hub.send(of("WEST", order("e1")), of(None, order("e2")), of("EAST", order("e3")), to="hub")
    hub.join("west")

    planned = hub.plan()

    told = {(line.error, line.why_not): line.letters for line in planned.lines}
    assert told == {
        ("unknown_connection", None): 1,
        ("missing_field", None): 1,
        ("unknown_connection", "connection_unknown"): 1,
    }


def test_a_source_that_fails_on_one_share_costs_no_other(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Reader._items  # where a bug in a source would come out

    def failing(reader: Reader, body: Delivery, connection: Any) -> Any:
        if connection.id == "south":
            raise ZeroDivisionError
        return read(reader, body, connection)

    monkeypatch.setattr(Reader, "_items", failing)
    hub.send(of("NORTH", order("e1")), of("SOUTH", order("e2")), of("SOUTH", order("e3")), to="hub")

    assert set(hub.told()) == {("north", "e1")}
    rows = hub.rows(schema.retries)
    assert [(row["connection_id"], row["event_index"], row["attempt"]) for row in rows] == [
        ("south", 1, 1),
        ("south", 2, 1),
    ]
    monkeypatch.undo()
    hub.now += timedelta(hours=1)
    hub.work()
    assert set(hub.told()) == {("north", "e1"), ("south", "e2"), ("south", "e3")}


def test_the_archive_is_read_anew_for_one_connection_without_the_others(hub: Hub) -> None:
    body = orjson.dumps([of("NORTH", order("e1")), of("SOUTH", order("e2")), of("WEST", order("e3"))])
    reader = Reader(hub.registry, load(), max_body_bytes=4096)
    delivery = Delivery("d", "hub", NOW, body)

    units = list(reader.read(delivery, hub.registry.all()["south"]))

    assert [(unit.connection_id, unit.index, unit.delivery) for unit in units] == [("south", 1, delivery)]


def test_however_many_share_a_body_each_of_its_elements_is_read_once(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read whole for each, a thousand events of as many members took nine seconds."""
    read = Reader._items
    sizes: list[int] = []

    def measured(reader: Reader, body: Delivery, connection: Any) -> Any:
        sizes.append(len(body.body))
        return read(reader, body, connection)

    monkeypatch.setattr(Reader, "_items", measured)
    names = [f"m{number:02}" for number in range(40)]
    for name in names:
        hub.join(name)
    events = [of(name.upper(), order(f"e-{name}")) for name in names]

    hub.send(*events, to="hub")

    assert hub.told() == {(name, f"e-{name}"): ("applied", place) for place, name in enumerate(names)}
    assert sum(sizes) == sum(len(orjson.dumps(event)) + len("[]") for event in events)
