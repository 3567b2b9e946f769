"""State is a function of the set of facts: whatever order they come in, however often, in whatever batches."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.events import Event, Json
from handlers.store.engine import Database
from tests import folding
from tests.handlers.record_events import meter_events, record_events
from tests.sizes import size

STATUSES = ("requested", "approved", "scheduled", "in_progress", "on_hold", "completed", "closed", "cancelled")
FULL = ("title", "status", "asset_ref", "asset_down", "completed_at")
DOUBTS = (
    {"code": "status_unmapped", "path": "$.data.status", "detail": "-"},
    {"code": "ambiguous_time", "path": "$.occurred_at", "detail": "-"},
)
SLOW = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large)

minutes = st.integers(0, 6)
versions = st.sampled_from((None, None, 1, 2, 3))
ids = st.sampled_from((None, "id-1", "id-2", "id-3"))
assets = st.sampled_from(("PUMP-1", "PUMP-2"))


def _ref(key: str | None) -> Json:
    return None if key is None else {"key": key, "label": None}


def _moment(minute: int | None) -> Json:
    return None if minute is None else (folding.NOON + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")


@st.composite
def work_order_events(draw: st.DrawFn) -> Event:
    verb = draw(
        st.sampled_from(
            ("created", "updated", "status_changed", "completed", "reopened", "cancelled", "deleted", "restored")
        )
    )
    fields: dict[str, Json] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "title": st.sampled_from((None, "seal", "bearing")),
                "asset_ref": st.one_of(st.none(), assets).map(_ref),
                "asset_down": st.sampled_from((True, True, False, None)),
                "type": st.sampled_from(("corrective", "preventive")),
                "completed_at": st.one_of(st.none(), minutes).map(_moment),
                "malfunction_start_at": minutes.map(_moment),
                "malfunction_end_at": minutes.map(_moment),
                "scheduled_start_at": st.one_of(st.none(), minutes).map(_moment),
                "actual_labor": st.sampled_from((0, 60, None)),
            },
        )
    )
    implied = {"completed": "completed", "reopened": "in_progress", "cancelled": "cancelled"}.get(verb)
    if implied is not None or verb == "status_changed" or draw(st.booleans()):
        fields["status"] = {"value": implied or draw(st.sampled_from(STATUSES)), "source_code": None}
    custom: dict[str, Json] = draw(
        st.dictionaries(st.sampled_from(("x", "y")), st.sampled_from((None, "1", "2")), max_size=2)
    )
    full = draw(st.booleans()) and verb in {"created", "updated"}
    return folding.event(
        f"work_order.{verb}",
        draw(st.sampled_from(("WO-1", "WO-2"))),
        fields,
        at=draw(minutes),
        id_=draw(ids),
        version=draw(versions),
        full_fields=FULL if full else None,
        custom=custom,
        warnings=draw(st.sampled_from(((), (), DOUBTS))),
    )


@st.composite
def downtime_events(draw: st.DrawFn) -> Event:
    verb = draw(st.sampled_from(("started", "ended", "corrected", "voided", "restored")))
    fields: dict[str, Json] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "asset_ref": st.one_of(st.none(), assets).map(_ref),
                "started_at": st.one_of(st.none(), minutes).map(_moment),
                "ended_at": st.one_of(st.none(), minutes).map(_moment),
                "planned": st.sampled_from((True, False, None)),
                "failure": st.sampled_from((True, False, None)),
                "cause": st.sampled_from(("equipment", "external", None)),
            },
        )
    )
    key = draw(st.sampled_from(("D-1", "D-2")))
    return folding.event(f"downtime.{verb}", key, fields, at=draw(minutes), id_=draw(ids), version=draw(versions))


@st.composite
def asset_events(draw: st.DrawFn) -> Event:
    verb = draw(st.sampled_from(("created", "updated", "status_changed", "status_changed", "deleted", "restored")))
    fields: dict[str, Json] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "name": st.sampled_from((None, "Feed pump")),
                "parent_ref": st.sampled_from((None, _ref("LINE-1"), _ref("LINE-2"))),
            },
        )
    )
    if verb == "status_changed":
        fields["status"] = draw(st.sampled_from(("operating", "down", "maintenance", "standby")))
    return folding.event(f"asset.{verb}", draw(assets), fields, at=draw(minutes), id_=draw(ids), version=draw(versions))


kinds = (work_order_events(), downtime_events(), asset_events())
keyed_kinds = (record_events("purchase_order"), record_events("inventory_item"))
meter_kinds = st.one_of(meter_events(), meter_events(), record_events("meter"))
other_kinds = st.one_of(record_events("vendor"), record_events("pm_plan"), asset_events())


def histories(*kinds: st.SearchStrategy[Event]) -> st.SearchStrategy[list[Event]]:
    """Histories of one kind of event, and of all together."""
    return st.one_of(*(st.lists(kind, min_size=3, max_size=10) for kind in (*kinds, st.one_of(*kinds))))


@st.composite
def told_differently(
    draw: st.DrawFn, histories: st.SearchStrategy[list[Event]]
) -> tuple[list[Event], list[list[Event]]]:
    """A history, and the same one shuffled, repeated and cut into batches."""
    history = draw(histories)
    repeated = draw(st.permutations(history + draw(st.lists(st.sampled_from(history), max_size=6))))
    cuts = sorted(draw(st.lists(st.integers(0, len(repeated)), max_size=5)))
    bounds = [0, *cuts, len(repeated)]
    return history, [list(repeated[start:end]) for start, end in itertools.pairwise(bounds) if start < end]


def tellings(of_one: st.SearchStrategy[list[Event]], examples: int) -> Callable[[Callable[..., None]], Any]:
    """Draws so many histories, each with another telling of it."""
    chosen = settings(max_examples=examples, deadline=None, suppress_health_check=SLOW)
    return lambda test: chosen(given(told=told_differently(of_one))(test))


OF_WORK = histories(*kinds)
OF_THE_REST = histories(*keyed_kinds, meter_kinds, other_kinds)


@tellings(OF_WORK, 80)
def test_any_telling_of_a_history_gives_the_same_rows_and_figures(
    database: Database, told: tuple[list[Event], list[list[Event]]]
) -> None:
    compare_tellings(database, *told)


@tellings(OF_THE_REST, 40)
def test_so_it_does_for_orders_stock_vendors_meters_and_plans(
    database: Database, told: tuple[list[Event], list[list[Event]]]
) -> None:
    compare_tellings(database, *told)


@pytest.mark.long
@pytest.mark.timeout(size(300, 4 * 3600))
@tellings(OF_WORK, size(250, 5_000))
def test_a_great_many_tellings_do(database: Database, told: tuple[list[Event], list[list[Event]]]) -> None:
    compare_tellings(database, *told)


@pytest.mark.long
@pytest.mark.timeout(size(300, 4 * 3600))
@tellings(OF_THE_REST, size(120, 5_000))
def test_a_great_many_tellings_of_the_rest_do(database: Database, told: tuple[list[Event], list[list[Event]]]) -> None:
    compare_tellings(database, *told)


def compare_tellings(database: Database, history: list[Event], batches: list[list[Event]]) -> None:
    folding.empty(database)
    folding.apply(database, [[event] for event in history])
    expected = folding.state(database)
    window = (folding.NOON, folding.NOON + timedelta(hours=1))
    expected_figures = folding.asset_figures(database, *window)
    folding.empty(database)

    folding.apply(database, batches)

    assert folding.state(database) == expected
    assert folding.asset_figures(database, *window) == expected_figures
