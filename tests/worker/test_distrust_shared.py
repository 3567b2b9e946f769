"""Distrust where an address is shared: a connection's part of what came in there, or all of it for everybody."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from handlers.events import Delivery
from handlers.store import schema
from handlers.store.engine import Database
from handlers.store.read_deliveries import delivery
from tests import folding
from tests.worker.letters import ANNA, NOW, order, zoneless
from tests.worker.rebuilding import check, distrust, everything, rebuilt
from tests.worker.test_endpoints import Hub, of, peopled
from worker import acts

MINUTE = timedelta(minutes=1)
LATER = "2026-03-01T09:00:00Z"


@pytest.fixture
def hub(database: Database, tmp_path: Path) -> Hub:
    """Two that share an address, a quarter of an hour later, on each database by turns."""
    return _later(peopled(database, tmp_path))


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Hub]:
    """The same on SQLite."""
    database = folding.sqlite(tmp_path)
    yield _later(peopled(database, tmp_path))
    database.close()


def _later(hub: Hub) -> Hub:
    hub.now = NOW + 15 * MINUTE
    return hub


def _came(name: str, minute: float, *events: dict[str, Any], to: str = "hub") -> Delivery:
    return Delivery(name, to, NOW + minute * MINUTE, orjson.dumps(list(events)))


def _titles(hub: Hub) -> dict[tuple[str, str], str]:
    return {(row["connection_id"], row["key"]): row["title"] for row in hub.rows(schema.work_orders)}


def test_a_connections_part_of_what_came_in_there_leaves_the_set_and_the_others_stays(hub: Hub) -> None:
    hub.process(_came("d1", 0, of("NORTH", order("n1", title="seal")), of("SOUTH", order("s1", title="seal"))))
    belt, gone = order("n2", at=LATER, title="belt"), order("s2", at=LATER, title="gone")
    hub.process(
        _came("d2", 10, of("NORTH", belt), of("SOUTH", gone)),
        _came("d3", 11, of("SOUTH", zoneless("s3"))),
        _came("d4", 12, order("s4", "WO-2", title="gone"), to="south"),
    )

    reached, _ = distrust(hub, NOW + 5 * MINUTE, of="south")

    assert (reached.deliveries, reached.shared, reached.events, reached.letters) == (1, 2, 2, 1)
    assert _titles(hub) == {("north", "WO-1"): "belt", ("south", "WO-1"): "seal"}
    assert set(hub.told()) == {("north", "n1"), ("north", "n2"), ("south", "s1")}
    assert hub.letter().state == "discarded"
    assert {row["delivery_id"] for row in hub.rows(schema.deliveries) if row["distrusted_at"]} == {"d4"}
    assert [check(hub, connection_id=each).findings for each in ("north", "south")] == [[], []]
    assert delivery(hub.database, "d2") is not None
    before = everything(hub)
    assert distrust(hub, NOW + 5 * MINUTE, of="south")[0] == (0, 1, 0, 0, 0, 0)
    assert everything(hub) == before


def test_what_of_it_is_still_on_its_way_leaves_the_set_as_it_comes_and_what_comes_later_counts(hub: Hub) -> None:
    hub.join("south", "paused = true")
    hub.process(_came("kept", 9, of("SOUTH", order("s0", "WO-9"))))
    hub.join("south")
    reached, _ = distrust(hub, NOW + 5 * MINUTE, NOW + 20 * MINUTE, of="south")
    assert (reached.shared, reached.waiting, hub.rows(schema.retries)) == (1, 1, [])

    late = of("SOUTH", order("s1", title="late"))
    hub.process(_came("d1", 10, of("NORTH", order("n1")), late, of("SOUTH", zoneless("s2"))))
    assert set(hub.told()) == {("north", "n1")}
    assert hub.letters() == []
    hub.process(_came("d2", 30, late))

    assert set(hub.told()) == {("north", "n1"), ("south", "s1")}
    assert check(hub, connection_id="south").findings == []


def test_a_corrected_copy_of_a_part_is_as_trusted_as_what_it_was_made_of(local: Hub) -> None:
    local.process(_came("d1", 0, of("SOUTH", zoneless("s1"))), _came("d2", 10, of("SOUTH", zoneless("s2", "WO-2"))))
    for letter in local.letters():
        original = delivery(local.database, letter.delivery_id)
        assert original is not None
        body = orjson.dumps(order(f"mended {letter.delivery_id}", f"WO-{letter.delivery_id}", title="mended"))
        acts.edit(local.database, letter, original, body, operator=ANNA, now=NOW + 11 * MINUTE)
    local.work()
    assert len(_titles(local)) == 2

    distrust(local, NOW + 5 * MINUTE, of="south")
    local.work()

    assert _titles(local) == {("south", "WO-d1"): "mended"}
    assert check(local, connection_id="south").findings == []


def test_where_the_address_is_distrusted_all_that_came_in_there_leaves_for_everybody(hub: Hub) -> None:
    hub.process(
        _came("d1", 0, of("NORTH", order("n1", title="seal")), of("SOUTH", order("s1", title="seal"))),
        _came("own", 10, order("s2", "WO-2", title="own"), to="south"),
        _came("d2", 10, of("NORTH", order("n2", at=LATER)), of("SOUTH", order("s3", at=LATER)), of("WEST", order("w"))),
    )

    reached, _ = distrust(hub, NOW + 5 * MINUTE, of="hub", read="north")
    rebuilt(hub, connection_id="south")

    assert (reached.deliveries, reached.shared, reached.events, reached.letters) == (1, 0, 2, 1)
    assert set(hub.told()) == {("north", "n1"), ("south", "s1"), ("south", "s2")}
    assert hub.letter().state == "discarded"
    assert {row["delivery_id"] for row in hub.rows(schema.deliveries) if row["distrusted_at"]} == {"d2"}
    assert [check(hub, connection_id=each).findings for each in ("north", "south")] == [[], []]
