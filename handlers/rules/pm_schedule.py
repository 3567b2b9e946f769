"""The occurrences of plans: a pure function of plans, orders, readings and a moment.

Nobody keeps a cursor, so that they never depend on when, how often or whether a scheduler ran.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec.structs import replace

from handlers.rules.occurrence import OPEN, Covering, Occurrence, Order, State
from handlers.rules.pm_chain import chain
from handlers.rules.pm_grid import grid
from handlers.rules.pm_plan import Plan
from handlers.rules.pm_scene import Scene
from handlers.rules.pm_slot import Slot, occurrence
from handlers.rules.usage import Total

ORDER_KEY = "order:"
STANDING: frozenset[State] = OPEN | {"planned", "missed", "completed"}
"""Neither left out nor cancelled: only such a one is done along with another, or stands for one."""
KEPT_AHEAD = timedelta(days=92)
"""How far ahead occurrences are kept for whoever reads them: three months, what crews are planned for."""


def occurrences(
    plan: Plan,
    orders: Iterable[Order],
    counted: Sequence[Total],
    now: datetime,
    *,
    until: date | None = None,
    covering: Sequence[Covering] = (),
    project: bool = False,
) -> list[Occurrence]:
    """Every occurrence of one plan, oldest first.

    Args:
        plan: what is scheduled.
        orders: those that name it, in any order.
        counted: the totals of its meter, oldest first (`handlers.rules.usage.totals`).
        now: the moment that is asked about; what happened later is not known then.
        until: the last day that is looked ahead to; `KEPT_AHEAD` from now otherwise.
        covering: occurrences of the plans that cover this one, at the same moment.
        project: of a plan that waits for its orders also what follows if they are done on their days.
    """
    scene = Scene.of(plan, orders, counted, now)
    last = until or scene.today + KEPT_AHEAD
    made: list[Occurrence] = []
    left: Sequence[Order] = scene.orders
    if plan.by_days or plan.by_meter:
        made, left = chain(scene, last, covering, project=project) if plan.is_chain else grid(scene, last)
    if not plan.is_active:
        made = [each for each in made if each.completed_at is not None]
        taken = {each.order for each in made}
        left = [each for each in scene.orders if each.key not in taken]
    told = [_told(scene, order) for order in left if order.wanted is not None]
    found = [_covered(each, covering) for each in (*made, *told)]
    return sorted(found, key=lambda each: (each.due or date.max, each.threshold or 0, each.due_key))


def _told(scene: Scene, order: Order) -> Occurrence:
    """What an order tells for which the plan names no time: its day is what it says itself."""
    slot = Slot(
        due_key=f"{ORDER_KEY}{order.key}", due=order.wanted, interval_days=scene.plan.interval_days, is_told=True
    )
    return occurrence(scene, slot, order)


def _covered(each: Occurrence, covering: Sequence[Covering]) -> Occurrence:
    """Marks one that a greater one stands for; done by itself, or cancelled, it stands for itself."""
    if each.completed_at is not None or each.state not in STANDING:
        return each
    for other in covering:
        if other.by.state in STANDING and other.reaches(each.asset, each.due):
            return replace(each, state="covered", covered_by=other.by.id, covered_in_time=other.in_time, reason=None)
    return each


def all_occurrences(
    plans: Iterable[tuple[Plan, Sequence[Order], Sequence[Total]]],
    now: datetime,
    *,
    until: date | None = None,
    project: bool = False,
) -> list[Occurrence]:
    """The occurrences of several plans of one connection; every plan that covers one of them is among them."""
    given = {plan.key: (plan, orders, counted) for plan, orders, counted in plans}
    covered_by: Mapping[str, list[str]] = {
        key: [other.key for other, _, _ in given.values() if key in other.covers and other.key != key] for key in given
    }
    found: list[Occurrence] = []
    for key, (plan, orders, counted) in sorted(given.items()):
        covering = [
            Covering(each, given[other][0].cover_days)
            for other in sorted(covered_by[key])
            for each in occurrences(*given[other], now, until=until, project=project)
        ]
        found += occurrences(plan, orders, counted, now, until=until, covering=covering, project=project)
    return found
