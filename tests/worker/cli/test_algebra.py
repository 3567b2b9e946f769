"""The cases of the event algebra through the whole road: bodies in any order, some twice, and the figures printed."""

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.worker.cli.plant import SAMPLES, Plant

CASES: list[Mapping[str, Any]] = json.loads((SAMPLES / "kpi-examples.json").read_text())["event_algebra_cases"]
TELLINGS = 6
"""Each in an order of its own, and about an asset of its own."""
COUNTED = {"zero_length", "open_too_long"}
"""Doubtful, but possible, and so they count."""
H = 3600.0


def bodies(case: Mapping[str, Any], number: int) -> Iterator[dict[str, Any]]:
    """A case's events as the `unified` source reads them."""
    asset = f"ASSET-{number}"
    for event in case["events"]:
        told = {
            "occurred_at": event["at"],
            "id": f"{case['id']}-{number}-{event['id']}",
            "version": event.get("rev", 1),
        }
        if event["type"] == "work_order.status":
            yield {**told, "type": _verb(event), "data": {"key": f"W-{number}", "asset_key": asset, **_stated(event)}}
        else:
            names = {"start": "started_at", "end": "ended_at", "planned": "planned", "failure": "failure"}
            stated = {ours: event[theirs] for theirs, ours in names.items() if theirs in event}
            data = {"key": f"{event['d']}-{number}", "asset_key": asset, **stated}
            yield {**told, "type": event["type"], "data": data}


def _verb(event: Mapping[str, Any]) -> str:
    status = event["status"]
    if status in {"completed", "reopened", "cancelled", "deleted"}:
        return f"work_order.{status}"
    return "work_order.created" if status == "open" else "work_order.status_changed"


def _stated(event: Mapping[str, Any]) -> dict[str, Any]:
    words = {"open": "approved", "in_progress": "in_progress", "on_hold": "on_hold", "closed": "closed"}
    stated = {"status": words[event["status"]]} if event["status"] in words else {}
    return {**stated, "asset_down": event["asset_down"]} if "asset_down" in event else stated


def telling(case: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    """A case's events in an order of their own, one of them twice."""
    dice = random.Random(number)
    events = list(bodies(case, number))
    events.append(dice.choice(events))
    dice.shuffle(events)
    return events


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_gives_its_figures_whatever_order_its_events_come_in(local: Plant, case: Mapping[str, Any]) -> None:
    expected = case["expected"]
    tellings = [telling(case, number) for number in range(TELLINGS)]
    for batch in zip(*tellings, strict=True):
        local.send(*batch)

    since, until = case["window"]
    rows = local.run("figures", "--from", since, "--to", until, "--as-of", case["as_of"], "--json").rows

    assert len(rows) == TELLINGS
    for row in rows:
        assert row["planned_downtime_s"] == expected["planned_h"] * H
        assert row["unplanned_downtime_s"] == expected["unplanned_h"] * H
        assert row["uptime_s"] == expected["uptime_h"] * H
        assert row["failures_reported"] == expected["failures_reported"]
        assert row["failures_effective"] == expected["failures_effective"]
        assert row["open_downtimes"] == expected["open_intervals"]
        assert row["availability"] == pytest.approx(expected["availability_all"], abs=5e-7)
        assert row["availability_unplanned"] == pytest.approx(expected["availability_unplanned_only"], abs=5e-7)
        restoration = expected["availability_up_over_up_plus_unplanned"]
        assert row["availability_restoration"] == pytest.approx(restoration, abs=5e-7)
        assert row["mtbf_s"] == (None if expected["mtbf_h"] is None else expected["mtbf_h"] * H)
    printed = local.run("get", "downtime", "--json").rows
    found = {(each["key"], doubt["code"]) for each in printed for doubt in each["anomalies"]}
    impossible = {(key, code) for key, code in found if code not in COUNTED}
    quarantined = expected["quarantined"]
    assert impossible == {(f"{key}-{number}", code) for number in range(TELLINGS) for key, code in quarantined}
