"""Occurrences are a function of plan, orders, readings and a moment: of no order of telling, and of no earlier look."""

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import get_args
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.rules.due import GRACES, Shift
from handlers.rules.occurrence import Occurrence, Order
from handlers.rules.pm_compliance import Period, compliance, pooled
from handlers.rules.pm_plan import Basis, MeterRule, Mode, Plan
from handlers.rules.pm_schedule import occurrences
from handlers.rules.recurrence import Every, Recurrence, Rule, instant
from handlers.rules.usage import Total
from handlers.rules.working_days import WorkingDays

START = datetime(2024, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "Asia/Kolkata")
WINDOW = st.integers(0, 500)
"""Days."""


def moment(days: float) -> datetime:
    return START + timedelta(days=days)


MOMENTS = st.integers(0, 500 * 24).map(lambda hours: START + timedelta(hours=hours))
DAYS = WINDOW.map(lambda days: moment(days).date())


@st.composite
def orders(draw: st.DrawFn) -> list[Order]:
    found = []
    for number in range(draw(st.integers(0, 6))):
        made = draw(MOMENTS)
        end = made + timedelta(hours=draw(st.integers(0, 60 * 24)))
        how = draw(st.sampled_from(["open", "begun", "done", "cancelled"]))
        day = draw(st.none() | DAYS)
        found.append(
            Order(
                key=f"W{number}",
                status=how,
                made_at=made,
                due=day,
                wanted=day,
                completed_at=end if how == "done" else None,
                cancelled_at=end if how == "cancelled" else None,
                cancel_reason=draw(st.sampled_from([None, "sold"])) if how == "cancelled" else None,
                touched=how in {"begun", "done"},
            )
        )
    return found


@st.composite
def readings(draw: st.DrawFn) -> list[Total]:
    told = sorted(draw(st.lists(MOMENTS, max_size=6, unique=True)))
    total = 0
    found = []
    for each in told:
        total += draw(st.integers(0, 700))
        found.append(Total(each, Decimal(total)))
    return found


RECURRENCES: st.SearchStrategy[Recurrence] = st.sampled_from(
    [
        Every(1, "month"),
        Every(2, "week"),
        Every(10, "day"),
        Rule("FREQ=MONTHLY;BYMONTHDAY=31"),
        Rule("FREQ=WEEKLY;BYDAY=MO"),
    ]
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    basis: Basis = draw(st.sampled_from(get_args(Basis)))
    recurrence: Recurrence | None = None if basis == "meter" else draw(RECURRENCES)
    mode: Mode = draw(st.sampled_from(get_args(Mode)))
    if mode == "generation" and (basis not in {"calendar", "meter"} or isinstance(recurrence, Rule)):
        mode = "fixed"
    shifts = mode == "fixed" and isinstance(recurrence, Every) and basis == "calendar" and draw(st.booleans())
    start = draw(st.none() | st.just(Decimal(0)))
    return Plan(
        connection="c",
        key="P",
        basis=basis,
        mode=mode,
        recurrence=recurrence,
        anchor=draw(DAYS),
        meter=None if basis == "calendar" else MeterRule("M", Decimal(300), start=start, expedite=Decimal(20)),
        zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        lead_days=draw(st.integers(0, 9)),
        grace=draw(st.sampled_from(GRACES)),
        shift=Shift(late=draw(st.integers(0, 100)), early=100) if shifts else None,
        missed=draw(st.sampled_from(["miss", "stack"])),
        open_limit=draw(st.none() | st.integers(1, 3)),
        cancelled=draw(st.sampled_from(["grid", "interval", "again"])),
        working=WorkingDays(season=((3, 1), (11, 30))) if draw(st.booleans()) else WorkingDays(),
        known_since=draw(st.none() | MOMENTS),
    )


def kept(table: dict[str, Occurrence], made: list[Occurrence]) -> dict[str, Occurrence]:
    """What a scheduler leaves behind that had this table: what is new, what differs, and nothing that is no more."""
    names = {each.id for each in made}
    return {**{name: each for name, each in table.items() if name in names}, **{each.id: each for each in made}}


@settings(max_examples=150, deadline=None)
@given(plans(), orders(), readings(), st.lists(MOMENTS, min_size=1, max_size=5))
def test_occurrences_do_not_depend_on_when_or_how_often_anybody_looked(
    plan: Plan, told: list[Order], counted: list[Total], looks: list[datetime]
) -> None:
    """One that looked at any moments, in vain or while orders were still to come, and one that slept until now."""
    now = max(looks)
    table: dict[str, Occurrence] = {}
    for look in sorted(looks):
        known = [each for each in told if each.made_at <= look]
        table = kept(table, occurrences(plan, known, [each for each in counted if each.read_at <= look], look))
    slept = {each.id: each for each in occurrences(plan, told, counted, now)}

    assert table == slept
    assert kept(table, occurrences(plan, told, counted, now)) == table


@settings(max_examples=150, deadline=None)
@given(plans(), orders().flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))), readings(), MOMENTS)
def test_names_are_unique_and_the_order_of_orders_does_not_matter(
    plan: Plan, told: tuple[list[Order], list[Order]], counted: list[Total], now: datetime
) -> None:
    one, other = (occurrences(plan, each, counted, now) for each in told)

    assert one == other
    assert len({each.id for each in one}) == len(one)
    done = [each.order for each in one if each.order is not None]
    assert len(set(done)) == len(done)


@settings(max_examples=100, deadline=None)
@given(plans(), orders(), readings(), MOMENTS)
def test_looking_further_ahead_changes_nothing_nearer(
    plan: Plan, told: list[Order], counted: list[Total], now: datetime
) -> None:
    """Only what is beyond the nearer look may be more; orders for such a day find their place then."""
    near = date(2025, 6, 1)

    def settled(until: date) -> list[Occurrence]:
        made = occurrences(plan, told, counted, now, until=until)
        return [each for each in made if each.due is not None and each.due < near - timedelta(days=62)]

    assert settled(near) == settled(near + timedelta(days=400))


@settings(max_examples=100, deadline=None)
@given(plans(), orders(), readings(), MOMENTS, st.sampled_from(GRACES))
def test_the_months_add_up_to_the_year_and_a_ratio_is_one(
    plan: Plan, told: list[Order], counted: list[Total], now: datetime, rule: object
) -> None:
    """Across both changes of clocks, in the zone of the plan."""
    grace = next(each for each in GRACES if each == rule)
    made = occurrences(plan, told, counted, now)
    cut: Callable[[date], datetime] = lambda day: instant(day, datetime.min.time(), plan.zone)  # noqa: E731  # short
    edges = [cut(Every(1, "month").after(date(2024, 1, 1), month)) for month in range(13)]

    months = [compliance(made, grace, Period(*pair, now)) for pair in itertools.pairwise(edges)]
    year = compliance(made, grace, Period(edges[0], edges[-1], now))

    assert (pooled(months).due, pooled(months).on_time, pooled(months).excluded) == (
        year.due,
        year.on_time,
        year.excluded,
    )
    assert year.ratio is None or 0 <= year.ratio <= 1
    assert year.due == year.on_time + year.late + year.open
