"""The health of connections, as it is kept."""

import itertools
from typing import Any

import msgspec

from handlers.events import Action, Event, Outcome
from handlers.store.engine import Database
from handlers.store.read_health import health_of
from tests import folding


def said(type_: str, at: int, *, thin: bool = False, **fields: Any) -> Event:
    """An operational event of connection `c`, `at` minutes after noon."""
    verb_of_any_other = folding.event("vendor.updated", "c", {"type": type_, **fields}, at=at, thin=thin)
    return msgspec.structs.replace(
        verb_of_any_other, type=type_, action=Action.REPORTED, kind="connection", fields=dict(fields)
    )


HISTORY = (
    said("connection.online", 0),
    said("sync.completed", 1),
    said("connection.offline", 2, message="no route"),
    said("connection.online", 3),
    said("sync.failed", 4, message="bad credentials"),
)


def test_the_newest_word_on_each_thing_stands(database: Database) -> None:
    folding.apply(database, [HISTORY])

    assert health_of(database) == {
        "c": {
            "state": "online",
            "since": "2026-03-01T12:03:00Z",
            "last_sync_at": "2026-03-01T12:01:00Z",
            "last_failed_sync_at": "2026-03-01T12:04:00Z",
            "last_error": {
                "type": "sync.failed",
                "at": "2026-03-01T12:04:00Z",
                "code": None,
                "message": "bad credentials",
            },
        }
    }


def test_it_is_the_same_in_any_order_and_batch(database: Database) -> None:
    found = []
    for order in itertools.permutations(HISTORY):
        folding.empty(database)
        folding.apply(database, [order[:2], order[1:]])
        found.append(folding.state(database))

    assert found == found[:1] * len(found)
    (row,) = found[0]["connection_health"]
    assert (row["connection_id"], row["key"], row["state"]) == ("c", "c", "online")
    assert [row[name].minute for name in ("since", "last_sync_at")] == [3, 1]


def test_a_stale_word_changes_nothing_and_says_so(database: Database) -> None:
    outcomes = folding.apply(database, [[said("connection.online", 5)], [said("connection.offline", 4)]])

    assert health_of(database)["c"]["state"] == "online"
    assert outcomes == [Outcome.APPLIED, Outcome.APPLIED]  # the error of then is news
    assert folding.apply(database, [[said("connection.online", 3)]]) == [Outcome.STALE]


def test_an_event_without_a_time_states_nothing_and_asks_for_a_fetch(database: Database) -> None:
    folding.apply(database, [[said("connection.offline", 5, thin=True)]])

    assert set(health_of(database)["c"].values()) == {None}
    assert [(row["kind"], row["key"]) for row in folding.state(database)["fetches"]] == [("connection", "c")]
