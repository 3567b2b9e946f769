"""Where a plan stands whose next time waits for the one before: the first time, what is due, and what follows."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from handlers.rules import usage
from handlers.rules.due import earliest, floating, latest, shifted
from handlers.rules.due import threshold as threshold_of
from handlers.rules.occurrence import Order
from handlers.rules.pm_grid import METER_KEY, origin
from handlers.rules.pm_scene import Scene
from handlers.rules.pm_slot import Slot
from handlers.rules.recurrence import Every, days

A_LIFETIME = timedelta(days=36_600)
"""How far ahead a rule is looked at for its next day."""


class Step(NamedTuple):
    """Where a chain stands.

    Attributes:
        day: the nominal day; None where only a meter counts.
        threshold: the meter's; None where only days count.
        origin: the day from which the grid counts; None where nobody said one.
        cycle: how many cycles from there.
        shift: days by which delays have moved it so far.
    """

    day: date | None
    threshold: Decimal | None
    origin: date | None = None
    cycle: int = 0
    shift: int = 0


def first(scene: Scene) -> Step | None:
    """The first time: as upstream states it, else an interval after it was last done, else the anchor."""
    plan, every = scene.plan, scene.plan.every
    day: date | None = None
    if plan.by_days:
        after = every.after(plan.last_completed) if every is not None and plan.last_completed is not None else None
        day = plan.stated_next
        if day is None or (after is not None and plan.mode == "completion" and after > day):
            day = after if plan.mode == "completion" and after is not None else (day or plan.anchor)
        if day is None:
            return None
        if every is None and plan.recurrence is not None:
            day = next(days(plan.recurrence, day, day + A_LIFETIME, scene.zone), None)
    threshold = plan.meter.first(scene.counted) if plan.meter is not None and plan.by_meter else None
    if day is None:
        return None if threshold is None else Step(None, threshold)
    start = origin(plan, scene.zone)
    cycle = 0 if every is None or start is None or plan.shift is None else _nearest_cycle(every, start, day)
    return Step(day, threshold, start, cycle)


def _nearest_cycle(every: Every, start: date, day: date) -> int:
    """Which cycle a day is of: upstream may have moved it a little."""
    behind = sum(1 for _ in days(every, start, day))
    return min(range(max(0, behind - 1), behind + 1), key=lambda cycle: abs(every.after(start, cycle) - day))


def slot_at(scene: Scene, step: Step, order: Order | None) -> Slot | None:
    """What a step makes due; an order that somebody has begun on keeps the day that it states."""
    plan = scene.plan
    moved = plan.working.move(step.day) if step.day is not None else None
    by_days = moved if isinstance(moved, date) else step.day
    by_meter, estimated = scene.meter_day(step.threshold)
    due = by_meter if step.day is None else by_days
    is_metered = step.day is None
    if step.day is not None and step.threshold is not None:
        # Where nothing was read for long the day itself decides, not what usage let expect.
        has_come = estimated and by_days is not None and by_days <= scene.today
        either = by_days if has_come else earliest(by_days, by_meter)
        due = either if plan.basis == "calendar_or_meter" else latest(by_days, by_meter)
        is_metered = due != by_days and by_meter is not None
    if order is not None and order.touched and order.due is not None and not is_metered:
        due = order.due
    if plan.ends is not None and due is not None and due > plan.ends:
        return None
    return Slot(
        due_key=step.day.isoformat() if step.day is not None else f"{METER_KEY}{step.threshold:f}",
        due=due,
        threshold=step.threshold,
        is_metered=is_metered,
        is_estimated=estimated and is_metered,
        interval_days=plan.interval_days,
    )


def following(scene: Scene, step: Step | None, slot: Slot | None, at: datetime, *, cancelled: bool) -> Step | None:
    """What follows from the end of the one at hand; both bases are reset by it.

    Args:
        scene: the plan and what is known.
        step: where it stood; None where nobody knows.
        slot: what was due.
        at: when that was done, or cancelled.
        cancelled: it was not done.
    """
    plan = scene.plan
    done = scene.day_of(at)
    if cancelled and plan.cancelled == "grid" and slot is not None and slot.due is not None:
        done = slot.due
    day: date | None = None
    start = step.origin if step is not None else plan.anchor
    cycle, shift = (step.cycle + 1, step.shift) if step is not None else (0, 0)
    if plan.by_days:
        if plan.shift is not None and slot is not None and slot.due is not None and not cancelled:
            shift += plan.shift.days((done - slot.due).days, plan.interval_days)
        day = _next_day(scene, step, done, start, (cycle, shift))
        if day is None:
            return None
    return Step(day, _next_threshold(scene, step, at), start, cycle, shift)


def _next_day(scene: Scene, step: Step | None, done: date, start: date | None, moved: tuple[int, int]) -> date | None:
    plan, every = scene.plan, scene.plan.every
    if plan.shift is not None and every is not None and start is not None:
        return shifted(start, every, *moved)
    if plan.mode == "completion" and every is not None:
        return floating(done, every)
    nominal = step.day if step is not None and step.day is not None else done
    behind = max(done, nominal)
    assert plan.recurrence is not None, "a plan by days has a recurrence"
    grid = days(plan.recurrence, start or nominal, behind + A_LIFETIME, scene.zone)
    return next((day for day in grid if day > behind), None)


def _next_threshold(scene: Scene, step: Step | None, at: datetime) -> Decimal | None:
    plan, rule = scene.plan, scene.plan.meter
    if rule is None or not plan.by_meter:
        return None
    before = step.threshold if step is not None and step.threshold is not None else rule.first(scene.counted)
    total = usage.at(scene.counted, at)
    if total is None:
        total = before
    if plan.mode != "fixed":
        return total + rule.interval
    start = before - rule.interval
    passed = max(total, before)
    return threshold_of(start, rule.interval, int((passed - start) // rule.interval) + 1)
