"""`get`: records as they print, in lists and alone, deleted or not, and the source record behind them."""

import gzip
import json
from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

import pytest

from handlers.model import MODELS
from handlers.rules.schemas import TOLD
from tests.worker.cli.plant import SAMPLES, Plant, event

ORACLE = json.loads((SAMPLES / "oracles.json").read_text())["excavators"]
EXCAVATORS = (SAMPLES / "excavators.jsonl").read_bytes().splitlines()
UNBROKEN = "Replace seal [/pump 3] \x1b[31mred\x1b[0m \u202egnp"


def test_five_thousand_work_orders_give_their_counts_and_costs(plant: Plant) -> None:
    plant.send_all(EXCAVATORS, seed=3)

    rows = plant.run("get", "work-orders", "--json").rows

    counts = Counter(f"{row['asset_ref']['key']}/{row['type_source']}" for row in rows)
    costs: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        amount = row["costs"]["total"]["actual"]
        assert amount["currency"] == "AUD"
        costs[row["asset_ref"]["key"]] += Decimal(amount["amount"])
    assert len(rows) == ORACLE["rows"]
    assert counts == ORACLE["by_asset_type"]
    assert {asset: float(cost) for asset, cost in costs.items()} == ORACLE["cost_aud"]


def test_a_record_prints_kind_connection_and_key_and_then_every_field_in_one_order(plant: Plant) -> None:
    told: dict[str, Any] = {"title": "Seal", "asset_key": "PUMP-1", "priority": "high", "shift": "late"}
    costs = {"total": {"actual": {"amount": "40.00", "currency": "EUR"}}}
    plant.send(event("work_order.completed", "WO-1", "08:00", costs=costs, due_date="2026-03-05", **told))

    row = plant.run("get", "work-orders", "WO-1", "--json").row

    envelope = ["kind", "connection", "key", "is_deleted"]
    assert list(row) == [
        *(*envelope, *MODELS["work_order"].fields, *TOLD["work_order"]),
        *("custom_fields", "anomalies", "warnings"),
    ]
    assert [row[name] for name in envelope] == ["work_order", "plant", "WO-1", False]
    assert row["asset_ref"] == {"key": "PUMP-1", "label": None}
    assert row["status"] == {"value": "completed", "source_code": None, "source_label": None}
    assert row["priority"] == {"value": "high", "source_code": "high", "source_label": None}
    assert row["costs"]["total"]["actual"] == {"amount": "40.00", "currency": "EUR"}
    assert (row["completed_at"], row["due_date"]) == ("2026-03-01T08:00:00Z", "2026-03-05")
    assert row["custom_fields"] == {"shift": "late"}
    assert row["description"] is None


def test_reopening_clears_the_time_of_completion(local: Plant) -> None:
    local.send(event("work_order.completed", "WO-1", "08:00"), event("work_order.reopened", "WO-1", "09:00"))

    row = local.run("get", "work-orders", "WO-1", "--json").row

    assert (row["status"]["value"], row["completed_at"]) == ("in_progress", None)


def test_a_deleted_record_prints_by_its_key_and_in_lists_only_when_asked_for(local: Plant) -> None:
    local.send(
        event("work_order.created", "WO-1", "08:00", title="Gone"),
        event("work_order.deleted", "WO-1", "09:00"),
        event("work_order.created", "WO-2", "08:00"),
    )

    by_key = local.run("get", "work-orders", "WO-1", "--json").row
    listed = local.run("get", "work-orders", "--json").rows
    everything = local.run("get", "work-orders", "--deleted", "--json").rows

    assert (by_key["is_deleted"], by_key["title"]) == (True, "Gone")
    assert [row["key"] for row in listed] == ["WO-2"]
    assert [row["key"] for row in everything] == ["WO-1", "WO-2"]


def test_an_asset_that_is_only_named_prints_its_key_like_any_other(local: Plant) -> None:
    local.send(event("work_order.created", "WO-1", "08:00", asset_key="PUMP-1"))

    row = local.run("get", "assets", "PUMP-1", "--json").row

    assert (row["kind"], row["key"], row["name"], row["is_deleted"]) == ("asset", "PUMP-1", None, False)


def test_filters_narrow_a_list_and_a_limit_cuts_it(plant: Plant) -> None:
    plant.send(
        event("work_order.created", "WO-1", "08:00", status="approved", asset_key="PUMP-1", priority="high"),
        event("work_order.created", "WO-2", "08:00", status="approved", asset_key="PUMP-2", type="inspection"),
        event("work_order.created", "WO-3", "08:00", status="closed", asset_key="PUMP-1", site_key="NORTH"),
    )
    plant.send(event("work_order.created", "WO-1", "08:00", status="approved"), to="second")

    def keys(*arguments: str) -> list[tuple[str, str]]:
        rows = plant.run("get", "work-orders", *arguments, "--json").rows
        return [(row["connection"], row["key"]) for row in rows]

    assert keys("--status", "approved") == [("plant", "WO-1"), ("plant", "WO-2"), ("second", "WO-1")]
    assert keys("--asset", "PUMP-1") == [("plant", "WO-1"), ("plant", "WO-3")]
    assert keys("--type", "inspection") == [("plant", "WO-2")]
    assert keys("--priority", "high") == [("plant", "WO-1")]
    assert keys("--site", "NORTH") == [("plant", "WO-3")]
    assert keys("--connection", "second") == [("second", "WO-1")]
    assert keys("WO-1") == [("plant", "WO-1"), ("second", "WO-1")]
    assert keys("--limit", "1") == [("plant", "WO-1")]


def test_all_kinds_of_down_time_are_records_of_one_shape(plant: Plant) -> None:
    plant.send(
        event("downtime.started", "D-1", "08:00", asset_key="PUMP-1", work_order_key="WO-9", reason="Seal"),
        event("work_order.created", "WO-1", "08:00", status="approved", asset_key="PUMP-1", asset_down=True),
        event("work_order.completed", "WO-1", "09:00"),
        event("work_order.reopened", "WO-1", "10:00"),
        event("asset.status_changed", "PUMP-1", "11:00", status="down_planned"),
        event("asset.status_changed", "PUMP-1", "11:30", status="up"),
    )

    interval, edge, order = plant.run("get", "downtime", "--json").rows

    assert list(interval) == list(edge) == list(order)
    assert (interval["key"], interval["derived_from"], interval["spells"]) == ("D-1", "interval", [])
    assert (interval["started_at"], interval["ended_at"], interval["duration"]) == ("2026-03-01T08:00:00Z", None, None)
    assert (interval["planned"], interval["failure"], interval["reason"]) == (False, True, "Seal")
    assert interval["work_order_ref"] == {"key": "WO-9", "label": None}
    assert (edge["planned"], edge["failure"], edge["duration"], edge["derived_from"]) == (
        True,
        False,
        1800,
        "status_edges",
    )
    assert order["key"] == "work_order:WO-1"
    assert (order["started_at"], order["ended_at"], order["failure"]) == ("2026-03-01T08:00:00Z", None, True)
    assert order["asset_ref"] == {"key": "PUMP-1", "label": None}
    assert [(spell["started_at"], spell["ended_at"]) for spell in order["spells"]] == [
        ("2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z"),
        ("2026-03-01T10:00:00Z", None),
    ]
    for row in (interval, edge, order):
        assert plant.run("get", "downtime", row["key"], "--json").row == row
    assert plant.run("get", "downtime", "--asset", "PUMP-2").code == 4


def test_an_orders_down_time_ends_with_its_last_spell_and_is_deleted_with_the_order(local: Plant) -> None:
    local.send(
        event("work_order.created", "WO-1", "08:00", status="approved", asset_key="PUMP-1", asset_down=True),
        event("work_order.completed", "WO-1", "09:00"),
        event("work_order.reopened", "WO-1", "10:00"),
        event("work_order.completed", "WO-1", "12:00"),
    )
    ended = local.run("get", "downtime", "work_order:WO-1", "--json").row
    local.send(event("work_order.deleted", "WO-1", "13:00"))

    gone = local.run("get", "downtime", "work_order:WO-1", "--json").row

    assert (ended["ended_at"], ended["duration"], ended["is_deleted"]) == ("2026-03-01T12:00:00Z", 4 * 3600, False)
    assert (gone["is_deleted"], gone["failure"], [spell["is_void"] for spell in gone["spells"]]) == (
        True,
        False,
        [True] * 2,
    )
    assert local.run("get", "downtime", "--json").code == 4
    assert len(local.run("get", "downtime", "--deleted", "--json").rows) == 1


def test_a_spell_that_was_cancelled_before_any_work_stays_beside_the_others_and_counts_for_nothing(
    local: Plant,
) -> None:
    local.send(
        event("work_order.created", "WO-1", "08:00", status="approved", asset_key="PUMP-1", asset_down=True),
        event("work_order.cancelled", "WO-1", "09:00"),
        event("work_order.status_changed", "WO-1", "10:00", status="in_progress"),
        event("work_order.completed", "WO-1", "12:00"),
    )

    row = local.run("get", "downtime", "--json").row

    assert (row["started_at"], row["ended_at"]) == ("2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z")
    assert ([spell["is_void"] for spell in row["spells"]], row["is_deleted"]) == ([True, False], False)


def test_what_cannot_be_is_printed_as_an_anomaly(local: Plant) -> None:
    local.send(
        event("downtime.started", "D-1", "08:00", asset_key="PUMP-1"),
        event("downtime.corrected", "D-1", "09:00", ended_at="2026-02-01T00:00:00Z"),
        event("work_order.created", "WO-1", "08:00", status="approved", asset_key="P", asset_down=True),
        event("work_order.completed", "WO-1", "09:00", completed_at="2026-02-01T00:00:00Z"),
        event("work_order.status_changed", "WO-2", "08:00", status="requested"),
        event("work_order.status_changed", "WO-2", "09:00", status="closed"),
    )

    interval, order = local.run("get", "downtime", "--json").rows

    assert (interval["anomalies"], interval["duration"]) == ([{"code": "end_before_start"}], None)
    assert order["anomalies"] == [{"code": "end_before_start"}]
    (illegal,) = local.run("get", "work-orders", "WO-2", "--json").row["anomalies"]
    assert (illegal["code"], illegal["from"], illegal["to"]) == ("illegal_transition", "requested", "closed")


def test_raw_is_the_newest_source_record_whatever_came_last_and_beside_what(plant: Plant) -> None:
    newest = '{ "type":"work_order.updated","occurred_at":"2026-03-01T09:00:00Z","data":{"key":"WO-1","title":"ö"}}'
    plant.send(f"[{json.dumps(event('work_order.created', 'WO-2', '07:00'))} ,\n {newest} ]")
    plant.send(event("work_order.created", "WO-1", "08:00", status="approved", asset_down=True, asset_key="PUMP-1"))

    assert plant.run("get", "work-orders", "WO-1", "--raw").out == f"{newest}\n"
    assert plant.run("get", "downtime", "work_order:WO-1", "--raw").out == f"{newest}\n"


def test_raw_of_an_interval_and_of_an_edge_is_their_own_event(local: Plant) -> None:
    started = event("downtime.started", "D-1", "08:00", asset_key="PUMP-1")
    edge = event("asset.status_changed", "PUMP-1", "09:00", status="down")
    local.send(started, edge)

    assert local.run("get", "downtime", "--raw").rows == [started, edge]


def test_raw_of_a_record_that_came_compressed_is_its_event_and_not_the_gzip(local: Plant) -> None:
    created = event("work_order.created", "WO-1", "08:00")
    local.send(gzip.compress(b" " + json.dumps(created).encode() + b"\n"))

    assert local.run("get", "work-orders", "--raw").out == json.dumps(created) + "\n"


def test_raw_of_an_asset_that_is_only_named_is_nothing(local: Plant) -> None:
    local.send(event("work_order.created", "WO-1", "08:00", asset_key="PUMP-1"))

    done = local.run("get", "assets", "PUMP-1", "--raw")

    assert (done.code, done.out) == (4, "")
    assert "only named" in done.said


def test_nothing_that_came_from_outside_is_obeyed_by_rich_or_a_terminal(local: Plant) -> None:
    local.send(event("work_order.created", "WO-1", "08:00", title=UNBROKEN))

    listed = local.run("get", "work-orders").out
    alone = local.run("get", "work-orders", "WO-1").out
    as_json = local.run("get", "work-orders", "--json")

    for shown in (listed, alone):
        assert "Replace seal [/pump 3] \\x1b[31mred\\x1b[0m \\u202egnp" in shown
        assert "\x1b" not in shown
    assert as_json.row["title"] == UNBROKEN
    assert b"\x1b" not in as_json.raw


def test_people_get_a_line_a_record_and_all_of_one(local: Plant) -> None:
    local.send(
        event("work_order.created", "WO-1", "08:00", title="Seal", status="on_hold", asset_key="PUMP-1"),
        event("work_order.created", "WO-2", "08:00", due_date="2026-03-09"),
    )

    heading, first, _ = local.run("get", "work-orders").out.splitlines()
    alone = dict(line.split(maxsplit=1) for line in local.run("get", "work-orders", "WO-2").out.splitlines())

    assert heading.split()[:4] == ["connection", "key", "status", "type"]
    assert first.split() == ["plant", "WO-1", "on_hold", "PUMP-1", "Seal"]
    assert (alone["key"].strip(), alone["due_date"].strip()) == ("WO-2", "2026-03-09")


def test_connections_are_records_too_and_show_no_secret(local: Plant) -> None:
    row = local.run("get", "connections", "trial", "--json").row

    assert (row["kind"], row["connection"], row["key"], row["environment"]) == (
        "connection",
        "trial",
        "trial",
        "sandbox",
    )
    assert local.run("get", "connections").out.splitlines()[1].split()[:3] == ["plant", "unified", "acme"]
    assert local.run("get", "connections", "nobody").code == 4
    assert local.run("get", "connections", "--raw").code == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["pumps"], "downtime, pm-plans, connections; not 'pumps'"),
        (["vendors", "--below-reorder"], "--below-reorder: no filter of vendors, which have --status"),
        (["pm-plans", "--due-before", "soon"], "--due-before: give a date"),
        (["assets", "--priority", "high"], "--priority: no filter of assets, which have --status, --site, --parent"),
        (["connections", "--status", "x"], "--status: no filter of connections, which have none but --connection"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(local: Plant, arguments: list[str], why: str) -> None:
    done = local.run("get", *arguments)

    assert (done.code, done.out) == (2, "")
    assert why in done.said
    assert len(done.said.splitlines()) == 1


def test_no_match_is_exit_code_4(local: Plant) -> None:
    assert local.run("get", "work-orders", "WO-1").said == "maintenworks: no work_order 'WO-1'\n"
    assert local.run("get", "work-orders", "WO-1").code == 4
    assert local.run("get", "assets", "--json").code == 4


def test_a_list_longer_than_a_page_is_whole_and_in_order(plant: Plant) -> None:
    lines = [json.dumps(event("asset.created", f"A-{number:05d}", "08:00")).encode() for number in range(4_100)]
    for start in range(0, len(lines), 820):
        plant.send(b"[" + b",".join(lines[start : start + 820]) + b"]")

    rows = plant.run("get", "assets", "--json").rows

    assert [row["key"] for row in rows] == [f"A-{number:05d}" for number in range(4_100)]
    assert len(plant.run("get", "assets").out.splitlines()) == 4_100 + 1  # and the headings
