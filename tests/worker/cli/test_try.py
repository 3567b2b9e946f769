"""`connections try`: what a payload would become, by the real command, and that nothing is kept of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from handlers.store.schema import events
from tests.worker.cli.at_home import Home
from tests.worker.cli.plant import Done, Plant, event
from worker.main import build

SAMPLES = Path(__file__).parents[2] / "samples" / "sources"
CONNECTIONS = """
[connections.acme]
source = "atlas"
secrets = [{ ref = "env:NOBODY_HAS_SET_IT" }]
[connections.plant-7]
source = "generic"
paused = true
secrets = [{ ref = "env:NOBODY_HAS_SET_IT" }]
[connections.plant-7.map]
type = "work_order.updated"
key = "/no"
occurred_at = "/at"
[connections.plant-7.map.fields.work_order]
title = "/name"
status = "/state"
[endpoints.hub]
id = "/of"
scheme = "makini"
secrets = [{ ref = "env:NOBODY_HAS_SET_IT" }]
[connections.north]
source = "generic"
endpoint = "hub"
external_id = "n"
[connections.north.map]
type = "asset.updated"
key = "/no"
occurred_at = "/at"
[connections.north.map.fields.asset]
name = "/name"
"""
ORDER = {"no": 7, "at": "2026-03-01T08:00:00Z", "name": "Belt", "state": "approved", "colour": "red"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home with connections and nothing else: no broker, no database, no secret."""
    (tmp_path / "connections.toml").write_text(CONNECTIONS)
    return Home(tmp_path)


def tried(home: Home, connection: str, body: Any, *options: str) -> Done:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return home.run("connections", "try", connection, "-", *options, given=raw)


def test_its_help_has_an_example() -> None:
    done = CliRunner().invoke(build(), ["connections", "try", "--help"])

    assert done.exit_code == 0
    assert "maintenworks connections try acme body.json" in " ".join(done.output.split())


def test_a_file_with_its_header_becomes_what_the_header_says_and_nothing_is_stored(home: Home) -> None:
    body = SAMPLES / "atlas" / "03_part_quantity_changed_by_purchase_order.json"

    done = home.run("connections", "try", "acme", str(body), "-H", "X-Webhook-Event: PART_CHANGE", "--json")

    (told,) = done.row["events"]
    (record,) = done.row["records"]
    assert done.code == 0
    assert (told["type"], told["subject_key"], told["outcome"], told["told"]) == (
        "inventory_item.updated",
        "71",
        "applied",
        "full",
    )
    assert told["event_id"].startswith("PART_CHANGE/71/")
    assert [each["code"] for each in told["warnings"]] == ["currency_missing"]
    assert told["unmapped"]["purchaseOrderId"] == 19
    assert (record["kind"], record["connection"], record["key"]) == ("inventory_item", "acme", "71")
    assert record["totals"]["on_hand"] == {"value": "14.0", "unit": None}
    assert [path.name for path in home.folder.iterdir()] == ["connections.toml"]


def test_the_map_is_named_with_where_it_comes_from(home: Home) -> None:
    (told,) = tried(home, "plant-7", ORDER, "--json").row["maps"]

    assert (told["connection"], told["source"]) == ("plant-7", "generic")
    assert told["map_from"] == "the connection's own map in connections.toml"
    assert len(told["fingerprint"]) == 12


def test_a_paused_connection_is_tried_as_if_it_were_not(home: Home) -> None:
    done = tried(home, "plant-7", ORDER, "--json")

    (record,) = done.row["records"]
    assert done.code == 0
    assert (record["title"], record["status"]["value"], record["custom_fields"]) == (
        "Belt",
        "approved",
        {"colour": "red"},
    )


def test_what_cannot_be_read_is_told_by_code_and_path_and_the_rest_counts(home: Home) -> None:
    done = tried(home, "plant-7", [ORDER, {"at": "2026-03-01T08:00:00Z"}, ORDER | {"no": 8, "at": 5}], "--json")

    assert done.code == 3
    assert [each["outcome"] for each in done.row["events"]] == ["applied"]
    assert [(each["event"], each["code"], each["path"]) for each in done.row["dead_letters"]] == [
        (1, "missing_field", "$[1].no"),
        (2, "wrong_type", "$[2].at"),
    ]


@pytest.mark.parametrize(("body", "code"), [(b"{", "malformed_json"), (b"7", "wrong_type")])
def test_a_payload_of_which_nothing_can_be_read_fails(home: Home, body: bytes, code: str) -> None:
    done = tried(home, "plant-7", body, "--json")

    (letter,) = done.row["dead_letters"]
    assert (done.code, letter["event"], letter["code"], done.row["records"]) == (1, -1, code, [])


def test_a_payload_without_events_says_so(home: Home) -> None:
    done = tried(home, "plant-7", [])

    assert (done.code, done.said) == (0, "it holds no events\n")


def test_people_see_records_warnings_unmapped_fields_and_dead_letters_apart(home: Home) -> None:
    done = tried(home, "plant-7", [ORDER | {"state": "WEG", "name": "\x1b[2J"}, {}])

    assert done.code == 3
    for said in ("plant-7 reads as generic", "work_order 7", "status_unmapped", "colour", "missing_field", "$[1].no"):
        assert said in done.out
    assert "\x1b" not in done.out


def test_an_event_that_stands_there_twice_is_a_duplicate_and_one_of_no_kind_is_ignored(home: Home) -> None:
    location = {"occurredAt": "2026-03-01T08:00:00Z", "companyId": 1, "locationId": 8}

    twice = tried(home, "plant-7", [ORDER, ORDER], "--json").row["events"]
    ignored = tried(home, "acme", location, "--json").row

    assert [each["outcome"] for each in twice] == ["applied", "duplicate"]
    assert [each["outcome"] for each in ignored["events"]] == ["ignored"]
    assert ignored["records"] == []


def test_an_unknown_connection_is_told_with_the_nearest_one_and_how_to_add_it(home: Home) -> None:
    done = tried(home, "acne", ORDER)

    assert (done.code, done.out) == (4, "")
    assert "no connection 'acne'" in done.said
    assert "did you mean acme?" in done.said
    assert "maintenworks connections add" in done.said


def test_of_a_shared_address_each_event_is_its_connections(home: Home) -> None:
    told = [{"of": "n", "no": 1, "at": "2026-03-01T08:00:00Z", "name": "Pump"}, {"of": "x", "no": 2}]

    hub, north, nobody = (
        tried(home, name, body, "--json") for name, body in [("hub", told), ("north", told), ("north", told[1:])]
    )

    assert [each["connection"] for each in hub.row["events"]] == ["north"]
    assert [(each["event"], each["code"]) for each in hub.row["dead_letters"]] == [(1, "unknown_connection")]
    assert [each["connection"] for each in hub.row["maps"]] == ["north"]
    assert (north.code, [each["key"] for each in north.row["records"]]) == (0, ["1"])
    assert (nobody.code, nobody.said) == (0, "nothing in it is of north: no event names 'n' where hub looks\n")


def test_a_time_at_which_it_came_decides_what_is_from_the_future(home: Home) -> None:
    early = tried(home, "plant-7", ORDER, "--json", "--at", "2026-02-01T00:00:00Z")

    assert (early.code, [each["code"] for each in early.row["dead_letters"]]) == (1, ["clock_skew"])


def test_a_body_that_a_receiver_would_refuse_is_said_to_be_one(home: Home) -> None:
    done = tried(home, "plant-7", b" " * (1024 * 1024) + json.dumps(ORDER).encode())

    assert done.code == 0
    assert "a receiver refuses it" in done.said


def test_a_bad_map_is_told_before_anything_is_tried(home: Home) -> None:
    (home.folder / "connections.toml").write_text(CONNECTIONS.replace('title = "/name"', 'titel = "/name"'))

    for command in (("check",), ("try", "plant-7", "-")):
        done = home.run("connections", *command, given=b"{}")
        assert done.code == 2
        assert (
            "connections.plant-7.map.fields.work_order.titel: is no field of work_order; did you mean title?"
            in done.said
        )


def test_a_map_is_shown_with_its_connection(home: Home) -> None:
    shown = home.run("connections", "show", "plant-7", "--json").row

    assert shown["map"]["fields"] == {"work_order": {"title": "/name", "status": "/state"}}
    assert "map work_order.title" in home.run("connections", "show", "plant-7").out


def test_the_records_and_the_fingerprint_are_those_of_the_real_road(local: Plant) -> None:
    body = [
        event("asset.created", "P-7", "08:00", name="Pump"),
        event("asset.status_changed", "P-7", "09:00", status="down"),
        event("asset.status_changed", "P-7", "09:20", status="up"),
        event("work_order.created", "WO-9", "09:30", asset_key="P-7", status="approved", title="Seal", zz=1),
        event("meter_reading.recorded", "R-1", "09:40", meter_key="M-1", asset_key="P-7", value="8012", unit="h"),
    ]
    file = local.home / "body.json"
    file.write_text(json.dumps(body))

    done = local.run("connections", "try", "plant", str(file), "--json", "--at", "2026-07-01T00:00:00Z").row

    assert local.run("get", "work-orders", "--json").rows == []
    local.send(body)
    kinds = ("work-orders", "assets", "meters", "meter-readings", "downtime")
    got = [row for kind in kinds for row in local.run("get", kind, "--json").rows]
    assert sorted(done["records"], key=str) == sorted(got, key=str)
    with local.database.read() as connection:
        maps = set(connection.execute(sa.select(events.c.map)).scalars())
    assert maps == {done["maps"][0]["fingerprint"]}
