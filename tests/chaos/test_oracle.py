"""The oracle by hand-made histories: what each comes to is worked out on paper, from the contract."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.chaos.facts import Fields
from tests.chaos.oracle import Expected, expected
from tests.chaos.plan import Plan
from tests.chaos.stream import Fate, Sent

EIGHT = datetime(2025, 1, 1, 8, tzinfo=UTC)
NORTH = "north"


def _at(minute: int) -> datetime:
    return EIGHT + timedelta(minutes=minute)


def _event(type_: str, key: str, minute: int, *, id_: str = "e", version: int | None = None, **data: Any) -> Sent:
    told = {"id": id_, "type": type_, "occurred_at": _at(minute).isoformat(), "data": {"key": key, **data}}
    return Sent(NORTH, json.dumps(told if version is None else {**told, "version": version}).encode(), Fate.FOLDED)


def _record(found: Expected, kind: str, key: str) -> Fields:
    return found.records[NORTH, kind, key]


def test_the_latest_word_on_each_field_stands_and_null_clears() -> None:
    found = expected(
        [
            _event("work_order.updated", "W", 2, title="second", line="A"),
            _event("work_order.created", "W", 1, title="first", description="said once", priority="low"),
            _event("work_order.updated", "W", 3, priority=None),
        ]
    )
    assert _record(found, "work_order", "W") == {
        "is_deleted": False,
        "title": "second",
        "description": "said once",
        "custom_fields": {"line": "A"},
    }


def test_of_equal_times_the_lifecycle_decides_then_the_id_and_a_version_before_all() -> None:
    asset = [_event("asset.created", "A", 1, id_="z", name="created"), _event("asset.updated", "A", 1, name="updated")]
    assert _record(expected(asset), "asset", "A")["name"] == "updated"
    by_id = [_event("asset.updated", "A", 1, id_=name, name=name) for name in ("b", "ab", "a")]
    assert _record(expected(by_id), "asset", "A")["name"] == "b"
    versions = [_event("work_order.updated", "W", 5 - v, version=v, title=str(v)) for v in (1, 2)]
    assert _record(expected(versions), "work_order", "W")["title"] == "2"


def test_a_completed_order_has_its_time_and_a_reopened_one_has_none() -> None:
    done = _event("work_order.completed", "W", 5)
    assert _record(expected([done]), "work_order", "W")["completed_at"] == _at(5)
    stated = _event("work_order.completed", "W", 6, completed_at=_at(3).isoformat())
    assert _record(expected([done, stated]), "work_order", "W")["completed_at"] == _at(3)
    again = expected([done, stated, _event("work_order.reopened", "W", 7)])
    assert _record(again, "work_order", "W") == {"is_deleted": False, "status": "in_progress"}


def test_only_created_and_restored_bring_back_what_was_deleted() -> None:
    gone = [_event("asset.deleted", "A", 1), _event("asset.updated", "A", 2, name="still told")]
    assert _record(expected(gone), "asset", "A") == {"is_deleted": True, "name": "still told"}
    assert not _record(expected([*gone, _event("asset.restored", "A", 3)]), "asset", "A")["is_deleted"]


def test_an_interval_has_its_defaults_and_its_length_counts_for_its_asset() -> None:
    found = expected(
        [
            _event("downtime.started", "D", 0, asset_key="A"),
            _event("downtime.ended", "D", 10),
            _event("downtime.started", "E", 5, asset_key="A", cause="external"),
            _event("downtime.ended", "E", 20),
            _event("downtime.started", "F", 15, asset_key="A"),
            _event("downtime.voided", "F", 16),
        ]
    )
    assert _record(found, "downtime", "D") == {
        "is_deleted": False,
        "asset_ref": "A",
        "started_at": _at(0),
        "ended_at": _at(10),
        "planned": False,
        "failure": True,
    }
    assert _record(found, "downtime", "E")["failure"] is False
    assert _record(found, "asset", "A") == {"is_deleted": False}
    assert found.down_seconds == {(NORTH, "A"): 20 * 60.0}


def test_statuses_of_an_asset_are_down_time_from_one_to_the_next() -> None:
    told = [(1, "down"), (4, "down_planned"), (6, "up")]
    found = expected([_event("asset.status_changed", "A", minute, status=status) for minute, status in told])
    assert dict(found.edges) == {
        (NORTH, "A", _at(1), _at(4), False): 1,
        (NORTH, "A", _at(4), _at(6), True): 1,
    }
    assert found.down_seconds == {(NORTH, "A"): 5 * 60.0}


def test_an_order_that_keeps_its_asset_down_tells_spells() -> None:
    found = expected(
        [
            _event("work_order.created", "W", 1, asset_key="A", asset_down=True, status="approved"),
            _event("work_order.cancelled", "W", 2),
            _event("work_order.reopened", "W", 4),
            _event("work_order.completed", "W", 9, completed_at=_at(8).isoformat()),
        ]
    )
    assert found.spells == {(NORTH, "W"): [(_at(1), _at(2), False, False, True), (_at(4), _at(8), False, True, False)]}
    assert found.down_seconds == {(NORTH, "A"): 4 * 60.0}


def test_a_fact_stands_in_the_history_of_the_asset_that_its_subject_had_then() -> None:
    moves = [
        _event("work_order.created", "W", 1, id_="first", asset_key="A"),
        _event("work_order.updated", "W", 2, id_="carried", title="-"),
        _event("work_order.updated", "W", 3, id_="moved", asset_key="B"),
        _event("asset.created", "B", 1, id_="below", parent_key="LINE"),
    ]
    assert {(asset, line.event_id) for _, asset, line in expected(moves).history} == {
        ("A", "first"),
        ("A", "carried"),
        ("B", "moved"),
        ("B", "below"),
        ("LINE", "below"),
    }


def test_the_order_of_telling_changes_nothing() -> None:
    events = list(Plan(1, 1_000).stream().events)
    first = expected(events)
    random.Random(1).shuffle(events)
    assert expected(events) == first
