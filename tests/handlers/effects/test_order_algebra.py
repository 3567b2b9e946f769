"""The event algebra's cases of work orders, told in every order and one event twice: one row, one set of figures."""

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from handlers.events import Event, Json
from handlers.rules.printing import printed
from handlers.store.engine import Database
from handlers.store.read_history import history
from handlers.store.read_orders import kept_orders
from handlers.store.read_records import Chosen
from tests import folding

SAMPLES = Path(__file__).parents[2] / "samples"
CASES: list[Mapping[str, Any]] = [
    each
    for each in json.loads((SAMPLES / "kpi-examples.json").read_text())["event_algebra_cases"]
    if each["id"].startswith("algebra-wo-")
]
TOLD = {
    "algebra-wo-completed": ("closed", 0, 3600, 3 * 3600),
    "algebra-wo-cancelled": ("cancelled", 0, None, None),
    "algebra-wo-still-open": ("on_hold", 0, None, None),
    "algebra-wo-reopened": ("completed", 1, 2 * 3600, None),
    "algebra-wo-deleted-after-reopen": ("in_progress", 1, 2 * 3600, None),
}
"""By case: status, how often reopened, seconds to react and to repair, written by hand from the events.

Nobody knows how long it took to complete an order that was never in progress before."""
DAY = timedelta(days=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = folding.sqlite(tmp_path)
    yield database
    database.close()


def events(case: Mapping[str, Any]) -> list[Event]:
    """A case's events, its window beginning at noon."""
    start = datetime.fromisoformat(case["window"][0])
    return [
        _event(each, int((datetime.fromisoformat(each["at"]) - start).total_seconds() / 60)) for each in case["events"]
    ]


def _event(event: Mapping[str, Any], minute: int) -> Event:
    status = event["status"]
    implied = {"open": "approved", "reopened": "in_progress"}.get(status, status)
    fields: dict[str, Json] = {} if status == "deleted" else {"status": {"value": implied}}
    if "asset_down" in event:
        fields |= {"asset_down": event["asset_down"], "asset_ref": {"key": "PUMP-1", "label": None}}
    verb = status if status in {"completed", "reopened", "cancelled", "deleted"} else "status_changed"
    return folding.event(f"work_order.{verb}", event["w"], fields, at=minute, id_=event["id"])


def seen(database: Database) -> tuple[Any, ...]:
    """Everything that is read of the case: figures, the order as it prints, and its line of history."""
    [order] = kept_orders(database, Chosen(deleted=True), lambda *_: ZoneInfo("UTC"), folding.NOON + DAY)
    lines = [(line.event_id, line.detail) for line in history(database, "c", "PUMP-1")]
    return folding.asset_figures(database, folding.NOON, folding.NOON + DAY), printed(order), lines


@pytest.mark.parametrize("case", CASES, ids=[each["id"] for each in CASES])
def test_an_orders_case_comes_out_alike_in_every_order(database: Database, case: Mapping[str, Any]) -> None:
    told, expected = events(case), case["expected"]
    folding.apply(database, [[each] for each in told])
    first = seen(database)
    for shuffled in itertools.permutations(told):
        folding.empty(database)
        folding.apply(database, [[each] for each in (*shuffled, shuffled[0])])
        assert seen(database) == first

    figures, order, _ = first
    pump = figures.get("PUMP-1")
    unplanned = timedelta() if pump is None else pump.unplanned_downtime
    assert unplanned == timedelta(hours=expected["unplanned_h"])
    assert (0 if pump is None else pump.failures_effective) == expected["failures_effective"]
    names = ("reopen_count", "time_to_react", "time_to_repair")
    assert (order["status"]["value"], *(order[name] for name in names)) == TOLD[case["id"]]
    assert order["anomalies"] == []
