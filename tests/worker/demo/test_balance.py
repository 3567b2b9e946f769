"""The balance: every accepted event is one of six things, and a wrong figure is seen."""

from datetime import timedelta
from typing import Any

import pytest

from worker.demo.balance import TOLERANCE, Balance, balance, compared
from worker.demo.plant import Plant
from worker.demo.told import BEGIN, END, WINDOW, Stop
from worker.demo.upstream import Accepted

HOUR = timedelta(hours=1)


def _accepted(delivery_id: str, *digests: str, connection: str = "a") -> Accepted:
    return Accepted(connection, delivery_id, digests)


def test_each_event_counts_once_as_what_it_came_to() -> None:
    fates = {("a", "1"): "applied", ("a", "2"): "stale", ("a", "3"): "ignored", ("a", "4"): "dead_letter"}
    accepted = [_accepted("d1", "1", "2", "3"), _accepted("d2", "4"), _accepted("d3", "1", "2", "3")]
    found = balance(accepted, {"d1", "d2", "d3"}, fates)
    assert found == Balance(accepted=7, applied=1, stale=1, ignored=1, duplicates=3, dead_letters=1, lost=0)
    assert found.accepted == sum(found[1:])


def test_what_no_table_knows_is_lost() -> None:
    found = balance([_accepted("d1", "1", "2")], {"d1"}, {("a", "1"): "applied"})
    assert (found.accepted, found.applied, found.lost) == (2, 1, 1)


def test_what_was_answered_and_is_not_in_the_archive_is_lost_though_a_repeat_of_it_is_there() -> None:
    accepted = [_accepted("gone", "1"), _accepted("d1", "1"), _accepted("d2", "1")]
    found = balance(accepted, {"d1", "d2"}, {("a", "1"): "applied"})
    assert (found.accepted, found.applied, found.duplicates, found.lost) == (3, 1, 1, 1)


def test_the_same_bytes_of_two_connections_are_two_events() -> None:
    fates = {("a", "1"): "applied", ("b", "1"): "applied"}
    found = balance([_accepted("d1", "1"), _accepted("d2", "1", connection="b")], {"d1", "d2"}, fates)
    assert (found.applied, found.duplicates) == (2, 0)


def _plants() -> dict[str, Plant]:
    stops = {"P1": [Stop(BEGIN, BEGIN + HOUR, failure=True)], "P2": [Stop(END - HOUR, None, failure=False)]}
    return {"a": Plant([], stops)}


def _row(asset: str, down: timedelta, failures: int = 0) -> dict[str, Any]:
    uptime = WINDOW - down
    return {
        "connection": "a",
        "asset_key": asset,
        "required_s": WINDOW.total_seconds(),
        "uptime_s": uptime.total_seconds(),
        "availability": uptime / WINDOW,
        "failures_effective": failures,
    }


def test_right_figures_agree() -> None:
    found = compared(_plants(), [_row("P1", HOUR, 1), _row("P2", HOUR)])
    assert found.agrees
    assert found.found == pytest.approx(found.simulated, abs=TOLERANCE)
    assert (found.assets, found.failures_found, found.failures_simulated) == (2, 1, 1)


@pytest.mark.parametrize(
    "rows",
    [
        [_row("P1", HOUR + timedelta(milliseconds=10), 1), _row("P2", HOUR)],
        [_row("P1", 2 * HOUR, 1), _row("P2", timedelta())],
        [_row("P1", HOUR, 2), _row("P2", HOUR)],
        [_row("P1", HOUR, 1)],
        [_row("P1", HOUR, 1), _row("P2", HOUR), _row("P3", timedelta())],
        [],
    ],
    ids=["ten milliseconds", "two that cancel out", "a failure too many", "one missing", "one too many", "none"],
)
def test_wrong_figures_do_not(rows: list[dict[str, Any]]) -> None:
    assert not compared(_plants(), rows).agrees
