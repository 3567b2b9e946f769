"""PM compliance and the forecast: the published ratios, what counts, and which period it counts in."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from handlers.rules.due import Grace
from handlers.rules.occurrence import Occurrence
from handlers.rules.pm_compliance import Compliance, Period, compliance, pooled
from handlers.rules.pm_forecast import monday, weeks
from handlers.rules.recurrence import Every
from tests.handlers.rules.plans import at, found, metered, order, plan, read

KPI = json.loads((Path(__file__).parents[2] / "samples" / "kpi-examples.json").read_text())
JANUARY = Period(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
FEBRUARY = JANUARY._replace(since=JANUARY.until, until=datetime(2024, 3, 1, tzinfo=UTC))
WEEKLY = plan(recurrence=Every(1, "week"))


@pytest.mark.parametrize("name", ["pm-compliance-384-318", "pm-compliance-500-462"])
def test_the_published_ratios(name: str) -> None:
    told: dict[str, Any] = next(each for each in KPI["examples"] if each["id"] == name)
    end = at("2024-01-10")
    one = Occurrence(connection="c", plan="P", due_key="", state="completed", limits={"none": end})
    on_time, rest = told["input"]["on_time"], told["input"]["due"] - told["input"]["on_time"]
    done = [replace(one, completed_at=end)] * on_time
    late = [replace(one, completed_at=end + timedelta(microseconds=1))] * (rest // 2)
    never = [replace(one, state="overdue")] * (rest - rest // 2)

    row = compliance([*done, *late, *never], "none", JANUARY)

    assert (row.due, row.on_time) == (told["input"]["due"], on_time)
    assert row.ratio is not None
    assert round(row.ratio * 100, 1) == told["expected"]["pct"]


def test_an_occurrence_counts_where_its_day_and_grace_end() -> None:
    """The one of 29 January ends with January by its day, and with a day more in February."""
    made = found(WEEKLY, now="2024-03-10")

    def due(rule: Grace, period: Period) -> int:
        return compliance(made, rule, period).due

    assert (due("none", JANUARY), due("day", JANUARY)) == (5, 5)
    assert (due("none", FEBRUARY), due("day", FEBRUARY)) == (4, 4)
    last_of_january = found(plan(anchor=date(2024, 1, 31)), now="2024-02-10")
    assert [compliance(last_of_january, "none", each).due for each in (JANUARY, FEBRUARY)] == [1, 0]
    assert [compliance(last_of_january, "day", each).due for each in (JANUARY, FEBRUARY)] == [0, 1]


def test_grace_that_has_not_run_out_by_the_time_of_knowledge_is_not_due_yet() -> None:
    early = JANUARY._replace(as_of=datetime(2024, 1, 9, tzinfo=UTC))

    assert compliance(found(WEEKLY, now="2024-01-09"), "none", early).due == 2
    assert compliance(found(WEEKLY, now="2024-01-09"), "day", early).due == 1


def test_late_and_open_ones_are_not_in_time_and_what_was_not_to_be_done_stands_beside() -> None:
    orders = (
        order("A", "2024-01-01", done="2024-01-01"),
        order("B", "2024-01-08", done="2024-01-10"),
        order("C", "2024-01-15", cancelled="2024-01-15", why="sold"),
        order("D", "2024-01-22", cancelled="2024-01-22"),
    )

    row = compliance(found(WEEKLY, *orders, now="2024-03-01"), "none", JANUARY)

    assert (row.due, row.on_time, row.late, row.open) == (4, 1, 1, 2)
    assert (row.ratio, row.excluded) == (0.25, {"cancelled": 1})
    assert row.mean_days_late == 1.5
    assert (row.mean_interval_days, row.longest_days) == (9.0, 9.0)


def test_too_early_fails_by_the_tenth_where_the_plan_says_so() -> None:
    strict = plan(early_fails=True)
    early = order("W", "2024-01-01", made="2023-12-01", done="2023-12-28")
    in_time = order("W", "2024-01-01", made="2023-12-01", done="2023-12-29")

    def on_time(one: Any, what: Any, rule: Grace) -> bool | None:
        return found(what, one, now="2024-01-20")[0].in_time(rule)

    assert [on_time(early, each, "ten_percent") for each in (strict, plan())] == [False, True]
    assert (on_time(in_time, strict, "ten_percent"), on_time(early, strict, "none")) == (True, True)


def test_nothing_due_has_no_ratio() -> None:
    assert Compliance().ratio is None
    assert compliance([], "none", JANUARY) == Compliance()


def test_a_late_word_of_a_completion_restates_a_period() -> None:
    before = compliance(found(plan(), now="2024-02-10"), "none", JANUARY)
    after = compliance(found(plan(), order("W", "2024-01-01", done="2024-01-01"), now="2024-02-10"), "none", JANUARY)

    assert (before.ratio, after.ratio) == (0.0, 1.0)


def test_a_meter_is_judged_when_it_passed_its_grace_or_was_done_before() -> None:
    counted = read(("2024-01-05", 1000), ("2024-02-05", 1150))
    undone = compliance(found(metered(1000), counted=counted, now="2024-02-10"), "ten_percent", FEBRUARY)
    done = order("W", "2024-01-05", done="2024-01-20")
    made = found(metered(1000), done, counted=counted[:1], now="2024-02-01")

    assert (undone.due, undone.on_time) == (1, 0)
    assert compliance(made, "ten_percent", JANUARY).ratio == 1.0


def test_rows_are_pooled_before_any_ratio() -> None:
    assert pooled([Compliance(due=1, on_time=1), Compliance(due=3, excluded={"covered": 1})]) == Compliance(
        due=4, on_time=1, excluded={"covered": 1}
    )


def test_the_work_of_a_week_has_its_hours_and_what_is_late_is_of_this_week() -> None:
    crew = plan(recurrence=Every(2, "week"), missed="stack", duration_s=5400, crew=2)
    made = found(crew, now="2024-01-20", until="2024-02-20")

    told = weeks(made, date(2024, 1, 20), date(2024, 2, 20))

    assert [(str(day), week.due, week.overdue, week.crew_hours) for day, week in told.items()] == [
        ("2024-01-15", 2, 2, Decimal(6)),
        ("2024-01-29", 1, 0, Decimal(3)),
        ("2024-02-12", 1, 0, Decimal(3)),
    ]


def test_work_of_unknown_length_is_counted_beside_the_hours() -> None:
    (week,) = weeks(found(plan(), now="2024-01-01"), date(2024, 1, 1), date(2024, 1, 20)).values()

    assert (week.due, week.without_hours, week.crew_hours) == (1, 1, Decimal(0))


def test_a_week_begins_on_monday() -> None:
    assert [str(monday(date(2026, 3, day))) for day in (1, 2)] == ["2026-02-23", "2026-03-02"]
