"""What happened to this pump: the lines of its history, and how a late fact moves them."""

from pathlib import Path

import pytest

from handlers.events import Event, Json
from handlers.store.engine import Database
from tests import folding


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return folding.sqlite(tmp_path)


def asset(key: str | None) -> Json:
    return None if key is None else {"key": key, "label": None}


def order(at: int, **fields: Json) -> Event:
    return folding.event("work_order.updated", "WO-1", fields, at=at, id_=f"e{at}")


def lines(database: Database) -> list[tuple[str, str | None]]:
    """(event id, asset) of every line, sorted."""
    return sorted((row["event_id"], row["asset_key"]) for row in folding.state(database)["asset_history"])


def test_an_event_that_names_no_asset_stands_in_the_history_of_its_subjects(database: Database) -> None:
    folding.apply(database, [[order(0, asset_ref=asset("PUMP-1")), order(5, title="Seal")]])
    assert lines(database) == [("e0", "PUMP-1"), ("e5", "PUMP-1")]


def test_a_late_fact_moves_the_lines_behind_it_up_to_the_next_move(database: Database) -> None:
    folding.apply(
        database,
        [
            [order(0, asset_ref=asset("PUMP-1"))],
            [order(5, title="a"), order(9, asset_ref=asset("PUMP-3")), order(10, title="b")],
            [order(3, asset_ref=asset("PUMP-2"))],
        ],
    )
    assert lines(database) == [
        ("e0", "PUMP-1"),
        ("e10", "PUMP-3"),
        ("e3", "PUMP-2"),
        ("e5", "PUMP-2"),
        ("e9", "PUMP-3"),
    ]


def test_a_line_waits_for_its_asset_to_become_known(database: Database) -> None:
    folding.apply(database, [[order(5, title="a")]])
    assert lines(database) == [("e5", None)]
    folding.apply(database, [[order(0, asset_ref=asset("PUMP-1"))]])
    assert lines(database) == [("e0", "PUMP-1"), ("e5", "PUMP-1")]


def test_every_asset_that_an_event_names_has_a_line_and_a_row(database: Database) -> None:
    both = order(0, asset_ref=asset("PUMP-1"), asset_refs=[asset("PUMP-1"), asset("PUMP-2")])
    folding.apply(database, [[both]])
    assert lines(database) == [("e0", "PUMP-1"), ("e0", "PUMP-2")]
    assert [row["key"] for row in folding.state(database)["assets"]] == ["PUMP-1", "PUMP-2"]


def test_a_stale_event_is_history_all_the_same(database: Database) -> None:
    folding.apply(database, [[order(5, asset_ref=asset("PUMP-1"), title="new")], [order(1, title="old")]])
    assert lines(database) == [("e1", None), ("e5", "PUMP-1")]


def test_an_interval_and_a_status_stand_in_the_same_history(database: Database) -> None:
    started = folding.event("downtime.started", "D-1", {"asset_ref": asset("PUMP-1")}, at=1, id_="stop")
    ended = folding.event("downtime.ended", "D-1", at=2, id_="go")
    status = folding.event("asset.status_changed", "PUMP-1", {"status": {"value": "down"}}, at=0, id_="down")
    folding.apply(database, [[ended], [status, started]])
    assert lines(database) == [("down", "PUMP-1"), ("go", "PUMP-1"), ("stop", "PUMP-1")]
    detail = next(r["detail"] for r in folding.state(database)["asset_history"] if r["event_id"] == "down")
    assert detail == {"status": "down"}


def test_a_line_tells_words_and_nothing_of_what_no_word_sums_up(database: Database) -> None:
    what: Json = {"cause": {"code": "SEAL", "label": "Seal worn"}}
    told = order(1, asset_ref=asset("PUMP-1"), priority={"value": "high", "source_code": "1"}, failure=what)
    folding.apply(database, [[told]])
    assert [row["detail"] for row in folding.state(database)["asset_history"]] == [{"priority": "high"}]


def test_a_late_fact_about_a_meter_moves_the_line_of_a_reset_behind_it(database: Database) -> None:
    """A reset's values are kept apart from its meter, and it is a fact about the meter all the same."""
    reset = folding.event("meter.reset", "HOURS", {"value": "0"}, at=5, id_="e5")
    placed = folding.event("meter.created", "HOURS", {"asset_ref": asset("PUMP-1")}, at=0, id_="e0")
    folding.apply(database, [[reset]])
    folding.apply(database, [[placed]])
    assert lines(database) == [("e0", "PUMP-1"), ("e5", "PUMP-1")]
