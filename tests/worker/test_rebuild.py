"""State computed anew: what a check tells, what a map that changed does, and that it is all or nothing."""

import dataclasses
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy import exc

from handlers.errors import MaintenworksError
from handlers.events import Delivery, Event, MappingOptions, Reading
from handlers.sources import load
from handlers.store import rebuild as store
from handlers.store import schema
from handlers.store.engine import Database
from tests.worker.letters import ZONE, Yard, order, zoneless
from tests.worker.rebuilding import check, cleared, edited, everything, rebuilt

TOKYO = 'time_zone = "Asia/Tokyo"'


def _renamed(event: Event) -> Event:
    fields = {**event.fields, "asset_ref": {"key": "new-PUMP-7", "label": None}}
    return replace(event, event_id=f"new-{event.event_id}", key=f"new-{event.key}", fields=fields)


EDITS = (
    (sa.update(schema.work_orders).values(title="forged"), ("work_orders", "WO-1", "differs", ("title",))),
    (
        sa.update(schema.work_orders).values(fields={}),
        ("work_orders", "WO-1", "differs", ("fields.asset_ref", "fields.title")),
    ),
    (sa.delete(schema.assets), ("assets", "PUMP-7", "missing", ())),
    (sa.insert(schema.vendors).values(connection_id="plant", key="V-9"), ("vendors", "V-9", "extra", ())),
    (
        sa.update(schema.asset_history).values(asset_key="PUMP-8"),
        ("asset_history", "work_order/WO-1", "differs", ("asset_key",)),
    ),
    (sa.update(schema.events).values(subject_key="WO-2"), ("events", "evt-1", "differs", ("subject_key",))),
    (sa.update(schema.events).values(outcome="ignored"), ("events", "evt-1", "differs", ("outcome",))),
    (sa.delete(schema.events), ("events", "evt-1", "missing", ())),
)


def test_a_row_that_somebody_has_edited_is_named_by_its_kind_key_and_field_and_mended(yard: Yard) -> None:
    yard.send(order("evt-1", title="seal", asset_key="PUMP-7"))
    before = everything(yard)
    assert check(yard).findings == []

    for statement, (kind, key, problem, fields) in EDITS:
        edited(yard, statement)
        [found] = check(yard).findings
        assert (found.kind, found.problem, found.fields) == (kind, problem, fields)
        assert found.key.startswith(key)
        rebuilt(yard)
        assert check(yard).findings == []
        assert everything(yard) == before
    assert yard.outcomes() == {"evt-1": "applied"}


def test_a_check_writes_nothing(local: Yard) -> None:
    local.send(order("evt-1"))
    cleared(local, schema.work_orders)

    check(local)

    assert local.rows(schema.work_orders) == []
    assert local.acts() == []


def test_what_an_older_map_has_read_is_told_apart_and_read_by_the_one_of_now(yard: Yard) -> None:
    yard.connect("plant", ZONE)
    yard.send(zoneless("evt-1", title="seal", asset_key="PUMP-7"), order("evt-2", "WO-2"))
    [before] = {row["map"] for row in yard.rows(schema.events)}
    yard.connect("plant", TOKYO)

    looked = check(yard)
    assert looked.findings == []
    assert looked.checked.older_map_events == 2
    assert looked.checked.older_map > 0
    rebuilt(yard)

    [after] = {row["map"] for row in yard.rows(schema.events)}
    assert after != before
    times = {row["event_id"]: row["occurred_at"].hour for row in yard.rows(schema.events)}
    assert times == {"evt-1": 23, "evt-2": 8}
    [line] = [row for row in yard.rows(schema.asset_history) if row["asset_key"] == "PUMP-7"]
    assert line["occurred_at"].hour == 23
    assert check(yard).checked[2:] == (0, 0, 0, 0)


def test_a_map_that_names_everything_otherwise_explains_all_that_differs(local: Yard) -> None:
    """Ids, keys and assets: nothing that stands has the name it would have, nor the other way round."""
    local.send(order("evt-1", title="seal", asset_key="PUMP-7"))
    unified = load()["unified"]

    def read(came: Delivery, options: MappingOptions) -> Reading:
        return [_renamed(item) if isinstance(item, Event) else item for item in unified.read(came, options)]

    newer = {"unified": dataclasses.replace(unified, map_version=unified.map_version + 1, read=read)}

    looked = check(local, newer)
    assert looked.findings == []
    assert looked.checked.older_map > 0
    rebuilt(local, sources=newer)

    assert [row["key"] for row in local.rows(schema.work_orders)] == ["new-WO-1"]
    assert [row["key"] for row in local.rows(schema.assets)] == ["new-PUMP-7"]
    assert list(local.outcomes()) == ["new-evt-1"]
    assert check(local, newer).checked[2:] == (0, 0, 0, 0)


def test_a_forged_row_is_found_beside_those_that_an_older_map_explains(local: Yard) -> None:
    local.connect("plant", ZONE)
    local.send(zoneless("evt-1"))
    local.connect("plant", TOKYO)
    local.send(order("evt-2", "WO-2", title="seal"))
    edited(local, sa.update(schema.work_orders).where(schema.work_orders.c.key == "WO-2").values(title="forged"))

    looked = check(local)

    assert [(each.kind, each.key, each.fields) for each in looked.findings] == [("work_orders", "WO-2", ("title",))]
    assert looked.checked.older_map > 0


def test_an_archive_that_has_lost_a_delivery_is_refused(local: Yard) -> None:
    local.send(order("evt-1"))
    cleared(local, schema.deliveries)

    with pytest.raises(MaintenworksError, match="lacks the deliveries of 1 events"):
        rebuilt(local)
    with pytest.raises(MaintenworksError, match="lacks the deliveries of 1 events"):
        check(local)
    assert len(local.rows(schema.work_orders)) == 1


def test_other_connections_are_left_alone(local: Yard) -> None:
    local.connect("second")
    local.send(order("evt-1"))
    local.send(order("evt-2"), to="second")
    cleared(local, schema.work_orders)

    rebuilt(local)

    assert [row["connection_id"] for row in local.rows(schema.work_orders)] == ["plant"]


def test_everybody_else_writes_on_but_for_the_moment_of_the_switch(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a delivery could be applied to state that is about to be replaced."""
    yard.send(order("evt-1"))
    refused = []
    closes = store.write_failures

    def lined_up(total: int) -> Any:
        del total
        refused.append(_is_refused(yard.database))
        return bool

    def switched(*given: Any) -> Any:
        refused.append(_is_refused(yard.database))
        return closes(*given)

    monkeypatch.setattr(store, "write_failures", switched)
    rebuilt(yard, lined_up)

    assert refused == [False, False, True]
    assert not _is_refused(yard.database)


def test_a_rebuild_that_is_killed_in_its_switch_leaves_the_state_as_it_was(yard: Yard, tmp_path: Path) -> None:
    yard.send(order("evt-1"))
    edited(yard, sa.update(schema.work_orders).values(title="forged"))
    before = everything(yard)
    url = yard.database.engine.url.set(drivername=yard.database.dialect).render_as_string(hide_password=False)

    ended = subprocess.run([sys.executable, "-P", "-c", KILLED, str(tmp_path), url], timeout=60, check=False)

    assert ended.returncode == -signal.SIGKILL
    assert everything(yard) == before
    rebuilt(yard)
    assert check(yard).findings == []
    assert yard.rows(schema.work_orders)[0]["title"] is None


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from handlers.connections import Registry
from handlers.sources import load
from handlers.store.engine import Database
from handlers.store.replace import Replacement
from worker import rebuild
from worker.acts import Operator
from worker.rereading import Archive
from worker.units import Reader

folder = Path(sys.argv[1])
registry = Registry(folder / "connections.toml", folder)
archive = Archive(registry.get("plant"), Reader(registry, load(), max_body_bytes=1 << 20), datetime.now(UTC))
written = Replacement.write_state

def killed(*given):
    assert written(*given) == {"differs": 1}
    os.kill(os.getpid(), signal.SIGKILL)

Replacement.write_state = killed
rebuild.run(Database(sys.argv[2]), archive, Operator("anna", "killed"), lambda total: bool)
"""


def _is_refused(database: Database) -> bool:
    """Whether another session cannot archive anything."""
    if database.dialect == "sqlite":
        with sqlite3.connect(str(database.engine.url.database), timeout=0, isolation_level=None) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            other.execute("ROLLBACK")
            return False
    with database.engine.connect() as connection:
        try:
            connection.execute(sa.text("SET LOCAL lock_timeout = '1ms'"))
            connection.execute(sa.delete(schema.deliveries).where(sa.false()))
        except exc.OperationalError:
            return True
        return False
