"""`rebuild` and `connections revoke --distrust-since`, as commands."""

import json

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from handlers.store import schema
from tests.servers import BrokerServer
from tests.worker.cli.plant import CONNECTIONS, Plant, event
from worker.main import build

ORDER = event("work_order.created", "WO-1", "08:00", "evt-1", title="seal", asset_key="PUMP-7")
HUB = """
[endpoints.hub]
source = "unified"
id = "/connection_id"
secrets = [{ ref = "env:PLANT" }]
"""
SHARED = HUB + "".join(
    f"""
[connections.{each}]
source = "unified"
customer = "acme"
endpoint = "hub"
external_id = "{each.upper()}"
"""
    for each in ("north", "south")
)


def _forge(plant: Plant) -> None:
    with plant.database.write() as connection:
        connection.execute(sa.update(schema.work_orders).values(title="forged"))


def _count(plant: Plant, table: sa.Table) -> int:
    with plant.database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("command", [["rebuild"], ["connections", "revoke"]])
def test_every_help_has_an_example(command: list[str]) -> None:
    done = CliRunner().invoke(build(), [*command, "--help"])
    assert done.exit_code == 0
    assert f"maintenworks {' '.join(command)}" in " ".join(done.output.split())


def test_a_check_passes_names_what_was_edited_and_a_rebuild_mends_it(plant: Plant) -> None:
    plant.send(ORDER)
    sound = plant.run("rebuild", "--check", "--json")
    assert (sound.code, sound.row["deliveries"], sound.row["differences"]) == (0, 1, 0)
    _forge(plant)

    found = plant.run("rebuild", "--check", "--json")
    told = plant.run("rebuild", "--check")
    mended = plant.run("rebuild", "--connection", "plant", "--reason", "forged", "--json")

    assert (found.code, told.code, mended.code) == (1, 1, 0)
    assert found.rows[0] == {
        "connection": "plant",
        "kind": "work_orders",
        "key": "WO-1",
        "problem": "differs",
        "fields": ["title"],
    }
    assert "plant: work_orders WO-1 differs: title" in told.out
    assert "forged" not in told.out + found.out
    assert mended.row["rows"] == {"missing": 0, "extra": 0, "differs": 1}
    assert plant.run("rebuild", "--check").code == 0
    assert plant.run("audit", "list", "--act", "rebuild", "--json").row["reason"] == "forged"


def test_a_rebuild_says_what_it_did_for_people(local: Plant) -> None:
    local.send(ORDER)
    assert local.run("rebuild").out == "plant: 1 deliveries read; nothing differed\n"
    _forge(local)
    assert local.run("rebuild").out == "plant: 1 deliveries read; rows: 1 differs\n"


def test_a_connection_that_nobody_registers_is_nothing_and_one_with_events_is_left_as_it_stands(local: Plant) -> None:
    assert local.run("rebuild", "--connection", "nobody").code == 4
    local.send(ORDER, to="second")
    local.send(ORDER)
    (local.home / "connections.toml").write_text(CONNECTIONS.replace("[connections.second]", "[connections.third]"))

    done = local.run("rebuild", "--json")

    assert done.code == 3
    assert [row["connection"] for row in done.rows] == ["plant"]
    assert "second: left as it stands" in done.said
    assert _count(local, schema.work_orders) == 2


def test_a_distrust_prints_its_plan_and_does_nothing_when_dry(local: Plant) -> None:
    local.send(ORDER, b"no JSON")

    done = local.run("connections", "revoke", "plant", "--distrust-since", "2026-06-30", "--dry-run", "--json")

    assert done.code == 0
    assert done.row["plan"] == "distrust"
    assert [done.row[name] for name in ("deliveries", "events", "dead_letters", "waiting")] == [2, 1, 1, 0]
    assert "revoked" not in (local.home / "connections.toml").read_text()
    assert _count(local, schema.distrusts) == 0


def test_a_distrust_revokes_undoes_and_shows_what_it_took_out(
    plant: Plant, valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINTENWORKS_BROKER_URL", valkey.url)
    [delivery] = plant.send(ORDER)
    plant.send(ORDER, to="second")
    command = ("connections", "revoke", "plant", "--distrust-since", "2026-06-30", "--json")
    assert plant.run(*command).code == 2  # no reason is given

    done = plant.run(*command, "--reason", "leaked")

    assert done.code == 0
    assert [row.get("plan") or row["done"] for row in done.rows] == ["distrust", "revoked", "distrusted"]
    assert done.rows[2]["deliveries"] == 1
    assert [row["connection"] for row in plant.run("get", "work-orders", "--json").rows] == ["second"]
    listed = plant.run("events", "list", "--distrusted", "--json").row
    assert (listed["delivery_id"], listed["connection"]) == (delivery, "plant")
    shown = plant.run("events", "show", delivery, "--json").row
    assert (shown["events"], shown["distrusted_by"]) == ([], listed["distrusted_by"])
    assert "distrusted" in plant.run("events", "show", delivery).out
    assert json.loads(plant.run("events", "raw", delivery).raw) == ORDER
    assert plant.run("rebuild", "--check").code == 0
    assert {row["act"] for row in plant.run("audit", "list", "--json").rows} == {
        "connections.distrust",
        "connections.revoke",
    }
    assert plant.run("audit", "verify").code == 0

    again = plant.run(*command, "--reason", "leaked")
    assert (again.code, again.rows[2]["deliveries"], again.rows[2]["distrusted_before"]) == (0, 0, 1)


def test_the_distrust_of_a_shared_address_is_for_all_who_share_it_and_of_one_of_them_for_its_part(
    local: Plant, valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINTENWORKS_BROKER_URL", valkey.url)
    (local.home / "connections.toml").write_text(SHARED)
    local.send([{**ORDER, "connection_id": each} for each in ("NORTH", "SOUTH")], to="hub")
    asked = ("--distrust-since", "2026-06-30", "--reason", "leaked", "--json")

    part = local.run("connections", "revoke", "south", *asked)
    assert (part.code, "at hub, which others share" in part.said) == (0, True)
    assert [part.rows[2][name] for name in ("deliveries", "shared", "events")] == [0, 1, 1]
    assert [row["connection"] for row in local.run("get", "work-orders", "--json").rows] == ["north"]

    whole = local.run("connections", "revoke", "hub", *asked)
    assert (whole.code, "for all: north, south" in whole.said) == (0, True)
    assert (whole.rows[2]["deliveries"], sorted(whole.rows[2]["rebuilt"])) == (1, ["north", "south"])
    assert local.run("get", "work-orders", "--json").code == 4
    assert local.run("rebuild", "--check").code == 0


def test_the_distrust_of_an_address_that_nobody_shares_takes_out_what_waits_there(
    local: Plant, valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINTENWORKS_BROKER_URL", valkey.url)
    (local.home / "connections.toml").write_text(HUB)
    local.send({**ORDER, "connection_id": "WEST"}, to="hub")

    done = local.run("connections", "revoke", "hub", "--distrust-since", "2026-06-30", "--reason", "leaked")

    assert (done.code, "nobody shares it any more" in done.said) == (0, True)
    assert "1 deliveries with 0 events, 1 dead letters" in done.out
    assert local.run("audit", "list", "--act", "connections.distrust", "--json").row["reason"] == "leaked"


@pytest.mark.parametrize(
    "options",
    [("--dry-run",), ("--distrust-since", "2999-01-01", "--dry-run"), ("--distrust-since", "soon", "--dry-run")],
)
def test_what_makes_no_sense_is_a_usage_error(local: Plant, options: tuple[str, ...]) -> None:
    assert local.run("connections", "revoke", "plant", *options).code == 2


def test_nothing_is_distrusted_where_the_broker_does_not_answer(local: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINTENWORKS_BROKER_URL", "redis://127.0.0.1:1/0")
    local.send(ORDER)

    done = local.run("connections", "revoke", "plant", "--distrust-since", "2026-06-30", "--reason", "leaked")

    assert done.code == 69
    assert (_count(local, schema.work_orders), _count(local, schema.distrusts)) == (1, 0)


def test_a_distrust_that_cannot_be_carried_out_says_that_the_connection_is_revoked(
    local: Plant, valkey: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINTENWORKS_BROKER_URL", valkey.url)
    local.send(ORDER)
    with local.database.write() as connection:  # an archive that has lost a delivery cannot be read anew
        connection.execute(sa.update(schema.events).values(delivery_id="lost"))

    done = local.run("connections", "revoke", "plant", "--distrust-since", "2026-06-30", "--reason", "leaked")

    assert done.code == 3
    assert "plant is revoked, but what it sent is still in the set" in done.said
    assert _count(local, schema.work_orders) == 1
