"""Plans of which one is due only once the one before is done."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from handlers.rules.due import Shift
from handlers.rules.occurrence import Occurrence, Order
from handlers.rules.pm_plan import MeterRule, Plan
from handlers.rules.pm_schedule import all_occurrences
from handlers.rules.recurrence import Every
from tests.handlers.rules.plans import at, brief, days_of, found, metered, order, plan, read

FLOATING = plan(mode="completion")
EITHER = plan(mode="completion", basis="calendar_or_meter", meter=MeterRule("M", Decimal(1000), start=Decimal(0)))


def test_the_next_counts_from_the_completion_and_there_is_none_before_it() -> None:
    waiting = found(FLOATING, order("W", "2024-01-01"), now="2024-06-01")
    done = found(FLOATING, order("W", "2024-01-01", done="2024-01-20"), now="2024-06-01")

    assert brief(waiting) == [("2024-01-01", "overdue")]
    assert [(each.due_key, each.state) for each in done] == [("2024-01-01", "completed"), ("2024-02-20", "overdue")]


def test_a_reopened_order_takes_its_next_back_and_an_order_for_that_stands_for_itself() -> None:
    """The next order is there already: it stays, and moves only while nobody has begun on it."""
    following = order("B", "2024-02-20", made="2024-01-21")
    reopened = found(FLOATING, order("A", "2024-01-01", begun=True), following, now="2024-02-01")
    again = found(FLOATING, order("A", "2024-01-01", done="2024-02-10"), following, now="2024-02-12")
    begun = order("B", "2024-02-20", made="2024-01-21", begun=True)
    kept = found(FLOATING, order("A", "2024-01-01", done="2024-02-10"), begun, now="2024-02-12")

    assert [(each.due_key, each.order) for each in reopened] == [("2024-01-01", "A"), ("order:B", "B")]
    assert [(str(each.due), each.order) for each in again] == [("2024-01-01", "A"), ("2024-03-10", "B")]
    assert [(str(each.due), each.order) for each in kept] == [("2024-01-01", "A"), ("2024-02-20", "B")]


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("grid", [("2024-01-01", "skipped"), ("2024-02-01", "planned")]),
        ("interval", [("2024-01-01", "skipped"), ("2024-02-10", "planned")]),
        ("again", [("2024-01-01", "overdue")]),
    ],
)
def test_what_becomes_of_a_floating_plan_whose_order_was_cancelled(policy: str, states: list[tuple[str, str]]) -> None:
    cancelled = order("W", "2024-01-01", cancelled="2024-01-10")

    assert brief(found(plan(mode="completion", cancelled=policy), cancelled, now="2024-01-20")) == states


def test_a_second_order_for_what_was_done_makes_no_next() -> None:
    twice = (order("A", "2024-01-01", done="2024-01-02"), order("B", "2024-01-01", done="2024-01-03"))

    assert days_of(found(FLOATING, *twice, now="2024-01-10")) == ["2024-01-01", "2024-02-02"]


def test_shift_factors_move_what_follows_and_month_ends_never_drift() -> None:
    half = plan(anchor=date(2024, 1, 31), shift=Shift(late=50))
    late = order("W", "2024-01-31", done="2024-02-14")
    fixed = plan(anchor=date(2024, 1, 31), shift=Shift())
    done = (order("A", "2024-01-31", done="2024-02-20"), order("B", "2024-02-29", done="2024-02-29"))

    assert days_of(found(half, late, now="2024-02-20")) == ["2024-01-31", "2024-03-07"]
    assert days_of(found(fixed, *done, now="2024-03-01")) == ["2024-01-31", "2024-02-29", "2024-03-31"]


def test_a_meter_counts_from_the_reading_at_completion() -> None:
    counted = read(("2024-01-01", 0), ("2024-02-01", 520), ("2024-02-10", 600), ("2024-03-01", 1099))
    floating = metered(500, mode="completion")

    made = found(floating, order("W", done="2024-02-11", made="2024-02-02"), counted=counted, now="2024-03-01")

    assert [(each.due_key, each.state) for each in made] == [("meter:500", "completed"), ("meter:1100", "planned")]


def test_whichever_comes_first_is_due_and_doing_it_resets_both() -> None:
    counted = read(("2023-12-01", 0), ("2023-12-20", 1000), ("2023-12-22", 1100))
    by_time = found(EITHER, counted=counted[:1], now="2024-01-05")[0]
    by_meter = found(EITHER, counted=counted, now="2023-12-21")[0]
    done = found(EITHER, order("A", made="2023-12-21", done="2023-12-22"), counted=counted, now="2023-12-23")

    assert (str(by_time.due), by_time.state) == ("2024-01-01", "overdue")
    assert (by_meter.due_key, str(by_meter.due), by_meter.state) == ("2024-01-01", "2023-12-20", "overdue")
    assert [(each.due_key, str(each.threshold)) for each in done] == [("2024-01-01", "1000"), ("2024-01-22", "2100")]


def test_the_estimate_of_a_meter_counts_as_soon_as_it_is_nearer() -> None:
    """IBM: 30 January by time, 15 January by what usage lets expect."""
    either = plan(
        anchor=date(2024, 1, 30),
        mode="completion",
        basis="calendar_or_meter",
        meter=MeterRule("M", Decimal(1000), start=Decimal(0)),
    )

    made = found(either, counted=read(("2023-12-26", 0), ("2024-01-05", 500)), now="2024-01-06")[0]

    assert (str(made.due), made.is_estimated, made.state) == ("2024-01-15", True, "planned")


def test_all_of_them_waits_for_the_later() -> None:
    both = plan(mode="completion", basis="calendar_and_meter", meter=MeterRule("M", Decimal(100), start=Decimal(0)))

    unknown = found(both, now="2024-03-01")[0]
    reached = found(both, counted=read(("2024-01-01", 0), ("2024-02-20", 100)), now="2024-03-01")[0]

    assert (unknown.due, unknown.state) == (None, "planned")
    assert (str(reached.due), reached.state) == ("2024-02-20", "overdue")


def test_where_nothing_was_read_for_long_the_day_itself_decides() -> None:
    """By its usage of long ago the meter would have been there in December."""
    counted = read(("2023-10-01", 0), ("2023-11-01", 900))

    assert [(str(each.due), each.state) for each in found(EITHER, counted=counted, now="2024-01-02")] == [
        ("2024-01-01", "overdue")
    ]


def test_what_was_last_done_is_where_upstream_says_it_was() -> None:
    told = plan(mode="completion", anchor=date(2019, 1, 1), last_completed=date(2024, 1, 10))
    stated = plan(mode="completion", stated_next=date(2024, 1, 20))

    assert days_of(found(told, now="2024-01-15")) == ["2024-02-10"]
    assert days_of(found(stated, now="2024-01-15")) == ["2024-01-20"]


def test_of_a_plan_whose_past_nobody_knows_only_what_orders_tell_is_told() -> None:
    old = plan(mode="completion", anchor=date(2015, 1, 1), known_since=datetime(2024, 1, 1, tzinfo=UTC))

    assert found(old, now="2024-02-01") == []
    assert days_of(found(old, order("W", "2024-01-10", done="2024-01-12"), now="2024-01-20")) == [
        "2024-01-10",
        "2024-02-12",
    ]


@pytest.mark.parametrize("told", [{"stated_next": date(2024, 4, 10)}, {"last_completed": date(2024, 3, 10)}])
def test_a_next_that_was_stated_since_is_not_what_was_done_long_before(told: dict[str, date]) -> None:
    """Upstream keeps its next day up to date: an archive of done orders must not be told as done for that day."""
    kept = plan(mode="completion", anchor=None, **told)
    orders = (
        order("A", "2024-01-10", done="2024-01-12"),
        order("B", done="2024-02-14", made="2024-02-01"),
        order("C", "2024-03-10", done="2024-03-10", made="2024-03-01"),
    )

    made = found(kept, *orders, now="2024-03-20")

    assert [(each.due_key, str(each.due), each.order) for each in made] == [
        ("2024-01-10", "2024-01-10", "A"),
        ("2024-02-12", "2024-02-12", "B"),
        ("2024-03-14", "2024-03-10", "C"),
        ("2024-04-10", "2024-04-10", None),
    ]


def test_a_threshold_that_was_stated_since_is_not_what_was_done_long_before() -> None:
    counted = read(("2024-01-01", 0), ("2024-02-01", 1010), ("2024-03-01", 2050), ("2024-03-10", 2300))
    orders = (
        order("A", "2024-02-01", done="2024-02-01", made="2024-01-25"),
        order("B", "2024-03-01", done="2024-03-01", made="2024-02-25"),
    )

    made = found(
        metered(1000, stated_next=Decimal(3050), mode="completion"), *orders, counted=counted, now="2024-03-10"
    )

    assert [(each.due_key, each.order) for each in made] == [
        ("2024-02-01", "A"),
        ("meter:2010", "B"),
        ("meter:3050", None),
    ]


def test_shift_factors_count_on_from_the_next_that_upstream_states() -> None:
    shifting = plan(shift=Shift(late=50), anchor=date(2020, 1, 31), stated_next=date(2024, 2, 29))
    moved = replace(shifting, stated_next=date(2024, 3, 4), is_extended=True)
    old = order("OLD", "2023-11-30", made="2023-11-01", done="2023-11-30")

    assert days_of(found(shifting, old, order("W", "2024-02-29", done="2024-03-04"), now="2024-03-05")) == [
        "2023-11-30",
        "2024-02-29",
        "2024-04-02",
    ]
    assert days_of(found(moved, order("W", "2024-03-04", done="2024-03-04"), now="2024-03-05"))[-1] == "2024-03-31"


def test_month_ends_do_not_drift_where_only_the_next_is_stated() -> None:
    either = plan(anchor=None, stated_next=date(2024, 1, 31), basis="calendar_or_meter", meter=EITHER.meter)
    done = (order(day, day, done=day, made=day) for day in ("2024-01-31", "2024-02-29"))

    assert days_of(found(either, *done, now="2024-03-02")) == ["2024-01-31", "2024-02-29", "2024-03-31"]


def test_what_follows_is_foreseen_as_if_each_were_done_on_its_day() -> None:
    ahead = found(FLOATING, now="2024-01-10", until="2024-05-01", project=True)

    assert [(str(each.due), each.is_projected) for each in ahead] == [
        ("2024-01-01", False),
        ("2024-02-10", True),
        ("2024-03-10", True),
        ("2024-04-10", True),
    ]


def test_a_plan_done_twice_on_one_day_has_two_names() -> None:
    """The second is done a month early, on the day of the first: what follows is due on the same day again."""
    twice = (
        order("A", "2024-01-01", done="2024-01-01"),
        order("B", "2024-02-01", made="2024-01-01", done="2024-01-01"),
    )

    made = found(FLOATING, *twice, now="2024-01-02")

    assert [each.due_key for each in made] == ["2024-01-01", "2024-02-01", "2024-02-01.2"]


# Nesting

YEARLY = replace(plan(recurrence=Every(1, "year"), anchor=date(2024, 2, 5), covers=("P",), cover_days=10), key="Y")


def together(small: Plan, now: str, *orders: Order, of_small: Sequence[Order] = ()) -> list[Occurrence]:
    """The occurrences of a monthly plan that the yearly one covers, which has these orders."""
    made = all_occurrences([(small, of_small, ()), (YEARLY, orders, ())], at(now), until=date.fromisoformat(now))
    return [each for each in made if each.plan == "P"]


@pytest.mark.parametrize(("done", "in_time"), [("2024-02-05", True), ("2024-02-09", False)])
def test_a_greater_one_stands_for_the_small_one_near_it_and_is_in_time_for_it(done: str, *, in_time: bool) -> None:
    made = together(plan(), "2024-03-01", order("W", "2024-02-05", done=done))

    assert brief(made) == [("2024-01-01", "missed"), ("2024-02-01", "covered"), ("2024-03-01", "due")]
    assert (made[1].covered_by, made[1].in_time("none")) == ("Y/2024-02-05", in_time)


def test_what_is_done_by_itself_is_not_covered() -> None:
    made = together(plan(), "2024-02-20", of_small=[order("S", "2024-02-01", done="2024-02-01")])

    assert brief(made) == [("2024-01-01", "missed"), ("2024-02-01", "completed")]


def test_a_floating_one_counts_on_from_the_greater_one() -> None:
    floating = plan(anchor=date(2024, 2, 1), mode="completion")

    made = together(floating, "2024-02-20", order("W", "2024-02-05", done="2024-02-08"))

    assert brief(made) == [("2024-02-01", "covered"), ("2024-03-08", "planned")]


def test_nothing_is_covered_on_another_asset() -> None:
    elsewhere = plan(assets=("PUMP-2",))
    greater = replace(YEARLY, assets=("PUMP-1",))

    made = all_occurrences([(elsewhere, (), ()), (greater, (), ())], at("2024-02-20"), until=date(2024, 2, 20))

    assert [each.state for each in made if each.plan == "P"] == ["missed", "overdue"]
