"""Plans and orders as records tell them, and what no record may do: stop whoever schedules it."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.events import Json
from handlers.rules.pm_plan import MeterRule, Plan
from handlers.rules.pm_records import order_of, plan_fields
from handlers.rules.pm_schedule import occurrences
from handlers.rules.recurrence import Every, Rule
from handlers.rules.registers import Record
from handlers.rules.usage import Reading, totals

BERLIN = ZoneInfo("Europe/Berlin")
STAMP = f"{2**63 - 1:016x}{2**62 + 1_700_000_000_000_000:016x}11.61.00"
"""14 November 2023, 22:13:20 UTC."""


def record(**fields: Json) -> Record:
    return Record(fields=dict(fields), stamps=dict.fromkeys(fields, STAMP), last_stamp=STAMP)


def test_a_plan_of_both_bases_with_everything_that_upstream_says() -> None:
    told = plan_fields(
        record(
            name="Grease",
            status={"value": "active"},
            trigger_kind="time_or_meter",
            cycles=[{"interval": "3", "unit": "month"}],
            meter_ref={"key": "M", "label": None},
            meter_interval="500",
            next_meter_value="1500",
            recurrence_basis="floating",
            start_date="2026-01-01",
            end_date="9999-12-31",
            next_due_at="2026-03-31T22:30:00Z",
            next_due_overridden=True,
            lead_time_days=14,
            asset_refs=[{"key": "A", "label": None}],
            estimated_duration=5400,
        ),
        BERLIN,
    )

    assert told == {
        "name": "Grease",
        "is_active": True,
        "basis": "calendar_or_meter",
        "mode": "completion",
        "recurrence": Every(3, "month"),
        "meter": MeterRule("M", Decimal(500), stated_next=Decimal(1500)),
        "assets": ("A",),
        "anchor": date(2026, 1, 1),
        "stated_next": date(2026, 4, 1),
        "is_extended": True,
        "clock": time(0, 30),
        "lead_days": 14,
        "duration_s": 5400,
        "problems": (),
    }


def test_weekdays_make_a_rule_and_whole_days_of_seconds_an_interval() -> None:
    weekly = plan_fields(record(days_of_week=[4, 1], cycles=[{"interval": "2", "unit": "week"}]), UTC)
    seconds = plan_fields(record(cycles=[{"interval": "172800", "unit": "second"}]), UTC)

    assert weekly["recurrence"] == Rule("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;WKST=MO")
    assert seconds["recurrence"] == Every(2, "day")


@pytest.mark.parametrize(
    ("status", "is_active"), [("draft", False), ("suspended", False), ("ended", False), (None, True)]
)
def test_only_an_active_plan_makes_something_due(status: str | None, *, is_active: bool) -> None:
    assert plan_fields(record(status=status), UTC)["is_active"] is is_active


def test_an_order_is_for_its_due_day_else_for_when_it_is_planned() -> None:
    due = order_of(record(due_at="2026-03-01T23:30:00Z", planned_start_at="2026-02-01T00:00:00Z"), "W", BERLIN)
    planned = order_of(record(planned_start_at="2026-02-01T00:00:00Z"), "W", BERLIN)

    assert (due.due, due.wanted) == (date(2026, 3, 2), date(2026, 3, 2))
    assert (planned.due, planned.wanted) == (None, date(2026, 2, 1))
    assert due.made_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_cancelled_order_says_why_where_anybody_wrote_it() -> None:
    cancelled = record(status={"value": "cancelled"}, cancelled_at="2026-03-01T08:00:00Z")
    cancelled.custom_fields["cancel_reason"] = "line sold"

    found = order_of(cancelled, "W", UTC)

    assert (found.cancelled_at, found.cancel_reason) == (datetime(2026, 3, 1, 8, tzinfo=UTC), "line sold")


FAR = st.sampled_from(["0001-01-01", "1969-12-31", "1970-01-01", "2026-03-01", "2199-12-31", "9999-12-31"])
MOMENTS = FAR.map(lambda day: f"{day}T00:00:00Z") | FAR.map(lambda day: f"{day}T23:59:59.999999Z")
NUMBERS = st.sampled_from(["0", "1", "-1", "1e-60", "9" * 60, "-" + "9" * 60, "0.3", "1000", "1" + "0" * 59, "86400"])
EXTREME: dict[str, st.SearchStrategy[Any]] = {
    "trigger_kind": st.sampled_from(["time", "meter", "time_or_meter", "time_and_meter", "condition"]),
    "cycles": st.lists(
        st.fixed_dictionaries(
            {"interval": NUMBERS, "unit": st.sampled_from(["day", "week", "month", "year", "second"])}
        )
    ),
    "meter_ref": st.just({"key": "M", "label": None}),
    "meter_interval": NUMBERS,
    "next_meter_value": NUMBERS,
    "recurrence_basis": st.sampled_from(["fixed", "floating"]),
    "days_of_week": st.lists(st.integers(1, 7)),
    "start_date": FAR,
    "end_date": FAR,
    "next_due_at": FAR | MOMENTS,
    "next_due_overridden": st.booleans(),
    "last_completed_at": FAR | MOMENTS,
    "lead_time_days": st.sampled_from([0, 7, 2**63 - 1]),
    "estimated_duration": st.sampled_from([0, 2**63 - 1]),
}
ORDER: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(["approved", "completed", "closed", "cancelled"]).map(lambda word: {"value": word}),
    "due_date": FAR,
    "due_at": MOMENTS,
    "completed_at": MOMENTS,
    "cancelled_at": MOMENTS,
    "planned_start_at": MOMENTS,
}


@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries({}, optional=EXTREME),
    st.lists(st.fixed_dictionaries({}, optional=ORDER), max_size=3),
    st.sampled_from(["UTC", "Pacific/Auckland", "America/New_York"]).map(ZoneInfo),
    st.booleans(),
)
def test_no_record_stops_whoever_schedules_it(
    told: dict[str, Json],
    orders: list[dict[str, Json]],
    zone: ZoneInfo,
    project: bool,  # noqa: FBT001  # drawn
) -> None:
    """Years at both ends of the calendar, numbers of sixty digits, leads of ages."""
    plan = Plan(
        connection="c",
        key="P",
        zone=zone,
        known_since=datetime(2026, 1, 1, tzinfo=UTC),
        **plan_fields(record(**told), zone),
    )
    known = [order_of(record(**each), f"W{number}", zone) for number, each in enumerate(orders)]
    counted = totals([Reading(datetime(2026, 1, day, tzinfo=UTC), Decimal(day) * 10**13) for day in (1, 2, 9)])

    made = occurrences(plan, known, counted, datetime(2026, 3, 1, tzinfo=UTC), project=project)

    assert len({each.id for each in made}) == len(made)
