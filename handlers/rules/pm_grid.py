"""Plans whose dates do not wait for anybody: a fixed calendar, fixed thresholds, and those counted from the call."""

import bisect
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal

from msgspec.structs import replace

from handlers.rules import usage
from handlers.rules.due import threshold as threshold_of
from handlers.rules.occurrence import Occurrence, Order
from handlers.rules.pm_plan import USUAL_INTERVAL_DAYS, MeterRule, Plan
from handlers.rules.pm_scene import Scene
from handlers.rules.pm_slot import Slot, occurrence
from handlers.rules.recurrence import Every, days, on_grid

MOST_THRESHOLDS = 1_000
"""Thresholds of one meter that are looked back at: a tiny interval must not fill memory."""
METER_KEY = "meter:"


def grid(scene: Scene, until: date) -> tuple[list[Occurrence], list[Order]]:
    """The occurrences up to a day, and the orders that belong to none of them."""
    plan = scene.plan
    if plan.mode == "generation":
        slots = list(_called_slots(scene, until))
    elif plan.by_days:
        slots = calendar_slots(plan, until, scene)
    else:
        slots = meter_slots(scene, until)
    chosen, left = match(scene, slots)
    superseded = _superseded(scene, slots, chosen)
    found = []
    for at, slot in enumerate(slots):
        told = at in chosen or plan.known_since is None or slot.due is None
        if not told and slot.due is not None and plan.known_since is not None:
            told = slot.due >= scene.day_of(plan.known_since)
        if told:
            found.append(occurrence(scene, slot, chosen.get(at), superseded=at in superseded))
    return found, left


def calendar_slots(plan: Plan, until: date, scene: Scene) -> list[Slot]:
    """The days of a fixed plan: its grid in the site's calendar, moved to where work is done.

    Of several that move to one day the last stands for all.
    """
    recurrence, anchor, stated = plan.recurrence, origin(plan, scene.zone), plan.stated_next
    if recurrence is None or anchor is None:
        return []
    last = until if plan.ends is None else min(until, plan.ends)
    if plan.decommissioned is not None:
        last = min(last, plan.decommissioned)
    nominal = list(days(recurrence, anchor, last, scene.zone))
    extended = min(nominal, key=lambda day: abs(day - stated), default=None) if stated and plan.is_extended else None
    by_day: dict[date, Slot] = {}
    for at, day in enumerate(nominal):
        moved = stated if day == extended else plan.working.move(day)
        if isinstance(moved, date):
            interval = _interval(recurrence, nominal, at)
            by_day[moved] = Slot(due_key=day.isoformat(), due=moved, interval_days=interval)
    return [by_day[day] for day in sorted(by_day)]


def origin(plan: Plan, zone: tzinfo) -> date | None:
    """The day from which a plan's grid counts; None where nobody said one.

    Where the day that upstream states as next is not on the grid of the anchor, it goes by a grid of its own: nothing
    is known of its days before.
    """
    anchor, stated = plan.anchor or plan.stated_next, plan.stated_next
    if plan.recurrence is None or anchor is None or stated is None or plan.is_extended:
        return anchor
    return anchor if on_grid(plan.recurrence, anchor, stated, zone) else stated


def _interval(recurrence: object, nominal: Sequence[date], at: int) -> int:
    if isinstance(recurrence, Every):
        return recurrence.days
    if len(nominal) == 1:
        return USUAL_INTERVAL_DAYS
    return (nominal[max(at, 1)] - nominal[max(at, 1) - 1]).days


def meter_slots(scene: Scene, until: date) -> list[Slot]:
    """The thresholds of a fixed plan that have been called for, and those behind them that usage lets expect.

    Called for is an edge, the first reading at the threshold or what is ahead of it: whatever is read later changes
    nothing. Of several that one reading passed the highest is enough.
    """
    rule = scene.plan.meter
    assert rule is not None, "a plan by a meter has one"
    found: list[Slot] = []
    called: dict[datetime, int] = {}
    for value in _thresholds(scene, rule):
        day, estimated = scene.meter_day(value)
        fired = usage.reached(scene.counted, value - rule.expedite)
        is_behind_the_next = bool(found) and fired is None and len(called) + _jumps(found) < len(found)
        if is_behind_the_next and (day is None or day > until):
            break
        if fired is not None:
            if fired in called:
                found[called[fired]] = replace(found[called[fired]], jumped=True)
            called[fired] = len(found)
        found.append(meter_slot(scene, value, day, estimated=estimated))
    return found


def _jumps(slots: Sequence[Slot]) -> int:
    return sum(slot.jumped for slot in slots)


def meter_slot(scene: Scene, value: Decimal, day: date | None, *, estimated: bool) -> Slot:
    """The slot of a threshold."""
    return Slot(
        due_key=f"{METER_KEY}{value.normalize():f}",
        due=day,
        threshold=value,
        is_metered=True,
        is_estimated=estimated,
        interval_days=scene.plan.interval_days,
    )


def _thresholds(scene: Scene, rule: MeterRule) -> Iterator[Decimal]:
    """The thresholds, ascending: from the stated next one on, else from the start, as many as are looked at.

    Without either those count that are multiples of the interval and above the first reading: of an edge nobody saw
    nothing is known.
    """
    start = rule.start
    if rule.stated_next is not None:
        start = rule.stated_next - rule.interval
    elif start is None:
        start = scene.counted[0].value // rule.interval * rule.interval if scene.counted else Decimal(0)
    top = scene.total if scene.total is not None else start
    passed = int((top - start) // rule.interval) if top > start else 0
    for number in range(max(1, passed - MOST_THRESHOLDS), passed + MOST_THRESHOLDS):
        yield threshold_of(start, rule.interval, number)


def _called_slots(scene: Scene, until: date) -> Iterator[Slot]:
    """The times of a plan that counts from when the one before was called for, done or not (Fiix)."""
    plan = scene.plan
    if plan.by_meter:
        yield from _called_by_meter(scene)
        return
    every, day = plan.every, plan.stated_next or plan.anchor
    last = until if plan.ends is None else min(until, plan.ends)
    made = sorted(scene.orders, key=lambda each: (each.made_at, each.key))
    while every is not None and day is not None and day <= last:
        moved = plan.working.move(day)
        if isinstance(moved, date):
            yield Slot(due_key=day.isoformat(), due=moved, interval_days=every.days)
        called = day - timedelta(days=plan.lead(every.days))
        half = timedelta(days=every.days // 2)
        while made and scene.day_of(made[0].made_at) < called - half:
            made.pop(0)
        if made and scene.day_of(made[0].made_at) < called + half:
            called = scene.day_of(made.pop(0).made_at)
        day = every.after(called + timedelta(days=plan.lead(every.days)))


def _called_by_meter(scene: Scene) -> Iterator[Slot]:
    rule = scene.plan.meter
    assert rule is not None, "a plan by a meter has one"
    value = rule.first(scene.counted)
    for each in scene.counted:
        if each.value >= value - rule.expedite:
            day, estimated = scene.meter_day(value)
            yield meter_slot(scene, value, day, estimated=estimated)
            value = each.value + rule.interval
    day, estimated = scene.meter_day(value)
    yield meter_slot(scene, value, day, estimated=estimated)


def match(scene: Scene, slots: Sequence[Slot]) -> tuple[dict[int, Order], list[Order]]:
    """Which order does which slot: the one whose day is nearest, within half an interval.

    Of several for one slot the one done first counts, then one still open, the newest first, then a cancelled one.

    Returns:
        By the slot's place the order, and the orders that belong to no slot.
    """
    places = sorted((slot.due, at) for at, slot in enumerate(slots) if slot.due is not None and not slot.jumped)
    claims: dict[int, list[Order]] = {}
    left = []
    for order in scene.orders:
        wanted = scene.for_day(order)
        behind = bisect.bisect_left(places, (wanted, 0))
        near = min(places[max(0, behind - 1) : behind + 1], key=lambda place: abs(place[0] - wanted), default=None)
        if near is None or abs(near[0] - wanted).days * 2 > max(slots[near[1]].interval_days, 1):
            left.append(order)
        else:
            claims.setdefault(near[1], []).append(order)
    return {at: min(orders, key=_claim) for at, orders in claims.items()}, left


def _claim(order: Order) -> tuple[int, float, str]:
    if order.completed_at is not None:
        return 0, order.completed_at.timestamp(), order.key
    return 1 if order.cancelled_at is None else 2, -order.made_at.timestamp(), order.key


def _superseded(scene: Scene, slots: Sequence[Slot], chosen: dict[int, Order]) -> set[int]:
    """Which open ones are missed: all but the newest that has come due, or all but so many where they stack."""
    plan = scene.plan
    come = [
        at
        for at, slot in enumerate(slots)
        if slot.due is not None and slot.due <= scene.today and not slot.is_estimated and not slot.jumped
    ]
    if plan.missed == "miss":
        return set(come[:-1])
    undone = [at for at in come if at not in chosen or (chosen[at].completed_at is None)]
    return set() if plan.open_limit is None else set(undone[: max(0, len(undone) - plan.open_limit)])
