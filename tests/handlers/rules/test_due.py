"""When the next is due, and how late is late: the published numbers."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from handlers.rules import due, usage
from handlers.rules.due import Shift, grace_days
from handlers.rules.recurrence import DAYS, Every
from handlers.rules.usage import Reading, totals
from handlers.rules.working_days import Stretch, WorkingDays
from tests.handlers.rules.plans import found, metered, read

KPI = json.loads((Path(__file__).parents[2] / "samples" / "kpi-examples.json").read_text())
EXAMPLES = {each["id"]: each for each in KPI["examples"]}


def test_smrps_grace_is_a_fifth_of_the_interval_and_at_most_28_days() -> None:
    table = EXAMPLES["smrp-20pct-grace"]
    for name, expected in table["expected"]["grace_days"].items():
        count, unit = name.split()
        every = Every(int(count), unit.removesuffix("s"))
        assert every.days == table["input"]["intervals_days"][name]
        assert grace_days("smrp_20_percent", every.days) == expected


@pytest.mark.parametrize(("rule", "days"), [("none", 0), ("day", 1), ("ten_percent", 9), ("smrp_20_percent", 18)])
def test_the_graces_of_ninety_days(rule: due.Grace, days: int) -> None:
    assert grace_days(rule, 90) == days


def test_saps_shift_factor_of_all_and_of_nothing() -> None:
    told = EXAMPLES["sap-shift-100-0"]
    planned, confirmed = (date.fromisoformat(told["input"][name]) for name in ("planned", "confirmed"))
    late = (confirmed - planned).days
    every = Every(told["input"]["months"], "month")

    floating = due.shifted(planned, every, 1, Shift(late=100).days(late, every.days))
    fixed = due.shifted(planned, every, 1, Shift(late=0).days(late, every.days))

    assert floating.isoformat() == told["expected"]["next_at_shift_100"]
    assert fixed.isoformat() == told["expected"]["next_at_shift_0"]


def test_half_a_shift_of_fourteen_days_is_seven() -> None:
    assert Shift(late=50).days(14, 30) == 7


def test_a_blank_shift_factor_is_none() -> None:
    told = EXAMPLES["sap-blank-shift"]
    shift = Shift(early=told["input"]["shift_early_pct"])

    assert shift.days(told["input"]["late_days"], told["input"]["cycle_days"]) == told["expected"]["shift_days"]


def test_within_the_tolerance_nothing_shifts_and_beyond_it_all_days_do() -> None:
    shift = Shift(late=100, tolerance_late=10, early=50, tolerance_early=20)

    assert [shift.days(late, 30) for late in (0, 3, 4, -6, -8)] == [0, 0, 4, 0, -4]


def test_fixed_and_floating_of_a_yearly_plan() -> None:
    told = EXAMPLES["lucity-fixed-floating"]
    planned, completed = (date.fromisoformat(told["input"][name]) for name in ("due", "completed"))
    every = Every(told["input"]["years"], "year")

    assert every.after(planned).isoformat() == told["expected"]["fixed_next"]
    assert due.floating(completed, every).isoformat() == told["expected"]["floating_next"]


def test_fixed_thresholds_and_what_is_called_for_ahead() -> None:
    fixed = EXAMPLES["fiix-meter-fixed"]
    start, every = (Decimal(fixed["input"][name]) for name in ("start", "every"))
    assert [due.threshold(start, every, k) for k in (1, 2, 3)] == fixed["expected"]["thresholds"]

    ahead, expected = (EXAMPLES["processforce-expedite"][name] for name in ("input", "expected"))
    early = metered(ahead["interval"], start=Decimal(ahead["due"]), expedite=Decimal(ahead["expedite"]))
    for total, state in ((expected["trigger_at"] - 1, "planned"), (expected["trigger_at"], "called")):
        following = found(early, now="2024-01-02", counted=read(("2024-01-01", ahead["due"]), ("2024-01-02", total)))[0]
        assert (following.threshold, following.state) == (expected["next_due"], state)


def test_an_estimated_day_by_a_meter() -> None:
    told = EXAMPLES["maximo-next-due"]["input"]
    today = date.fromisoformat(told["today"])
    following = Decimal(told["last_wo_reading"] + told["frequency"])
    rest = {"due": following, "ahead": Decimal(told["ahead"]), "current": Decimal(told["current"])}

    found = due.estimated_day(today, per_day=Decimal(told["avg_per_day"]), **rest)

    assert following == EXAMPLES["maximo-next-due"]["expected"]["next_reading"]
    assert found == date.fromisoformat(EXAMPLES["maximo-next-due"]["expected"]["estimated_due"])
    assert [due.estimated_day(today, per_day=none, **rest) for none in (None, Decimal(0), Decimal(-1))] == [None] * 3
    assert due.estimated_day(today, per_day=Decimal("1e-9"), **rest) is None


def test_whichever_comes_first_and_all_of_them() -> None:
    """IBM: 30 January by time, 15 January by meter."""
    by_time, by_meter = date(2024, 1, 30), date(2024, 1, 15)

    assert (due.earliest(by_time, by_meter), due.earliest(by_time, None)) == (by_meter, by_time)
    assert (due.latest(by_time, by_meter), due.latest(by_time, None)) == (by_time, None)


def test_a_call_horizon_is_a_lead_time_the_other_way_round() -> None:
    assert [due.call_lead(percent, 30) for percent in (100, 80, 0)] == [0, 6, 30]


def test_a_day_out_of_season_moves_to_the_first_day_in_it_or_is_left_out() -> None:
    summer = WorkingDays(season=((4, 1), (10, 31)))
    winter = WorkingDays(season=((11, 1), (3, 31)), out_of_season="skip")

    assert summer.move(date(2026, 12, 24)) == date(2027, 4, 1)
    assert (winter.move(date(2026, 12, 24)), winter.move(date(2026, 6, 1))) == (date(2026, 12, 24), "out_of_season")


def test_holidays_and_blackouts_move_a_day_on_until_one_is_free() -> None:
    days = frozenset({date(2026, 12, 25), date(2026, 12, 26)})
    stop = (Stretch(date(2026, 12, 27), date(2026, 12, 31)),)

    assert WorkingDays(holidays=days, blackouts=stop).move(date(2026, 12, 25)) == date(2027, 1, 1)
    assert WorkingDays(holidays=days, on_holiday="before").move(date(2026, 12, 26)) == date(2026, 12, 24)
    assert WorkingDays(holidays=days, on_holiday="skip").move(date(2026, 12, 26)) == "holiday"
    assert WorkingDays(blackouts=stop, in_blackout="skip").move(date(2026, 12, 29)) == "blackout"


def test_a_move_goes_on_the_way_that_it_began() -> None:
    """A holiday that moves back, into a blackout that would move forth; a holiday at the edge of a season."""
    between = WorkingDays(
        holidays=frozenset({date(2026, 5, 2)}),
        on_holiday="before",
        blackouts=(Stretch(date(2026, 5, 1), date(2026, 5, 1)),),
    )
    edge = WorkingDays(season=((4, 1), (10, 31)), holidays=frozenset({date(2026, 4, 1)}), on_holiday="before")

    assert between.move(date(2026, 5, 2)) == date(2026, 4, 30)
    assert between.move(date(2026, 5, 1)) == date(2026, 5, 3)
    assert (edge.move(date(2026, 4, 1)), edge.move(date(2026, 2, 1))) == (date(2026, 4, 2), date(2026, 4, 2))


def _reading(day: int, value: str | None, **told: object) -> Reading:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return Reading(at, None if value is None else Decimal(value), **told)  # type: ignore[arg-type]  # its own fields


def test_a_total_counts_on_across_resets_replacements_and_rollovers() -> None:
    found = totals(
        [
            _reading(0, "900"),
            _reading(1, "20", rolled_over=True, rollover_at=Decimal(1000)),
            _reading(2, None, is_reset=True),
            _reading(3, "30"),
            _reading(4, "5000", replaced=True),
            _reading(5, "5010"),
        ]
    )

    assert [int(each.value) for each in found] == [900, 1020, 1050, 1050, 1060]


def test_a_reading_behind_the_one_before_is_left_out() -> None:
    assert [int(each.value) for each in totals([_reading(0, "10"), _reading(1, "7"), _reading(2, "12")])] == [10, 12]


def test_average_usage_is_that_of_the_last_year_of_readings() -> None:
    counted = totals([_reading(0, "0"), _reading(400, "4000"), _reading(500, "4100")])

    assert usage.average(counted) == Decimal(1)
    assert usage.average(counted[:1]) is None
    assert usage.average([]) is None


def test_every_unit_has_its_days() -> None:
    assert DAYS == {"day": 1, "week": 7, "month": 30, "year": 360}
