"""Plans of which one is due only once the one before is done: floating, shifted, and whichever comes first.

Every closing of the one at hand, in the order of time, makes the next; what is at hand last is open.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from handlers.rules import usage
from handlers.rules.due import earliest, floating, latest, shifted
from handlers.rules.due import threshold as threshold_of
from handlers.rules.occurrence import Covering, Occurrence, Order
from handlers.rules.pm_grid import METER_KEY
from handlers.rules.pm_scene import Scene
from handlers.rules.pm_slot import Slot, occurrence
from handlers.rules.recurrence import days

MOST_PROJECTED = 1_000
"""Times that one plan is foreseen at most."""
A_LIFETIME = timedelta(days=36_600)
"""How far ahead a rule is looked at for its next day."""


class Closing(NamedTuple):
    """What ends the one at hand: it was done, its order was cancelled, or it was done along with a greater one."""

    at: datetime
    key: str
    order: Order | None
    covering: Covering | None = None


class Step(NamedTuple):
    """Where a chain stands.

    Attributes:
        day: the nominal day; None where only a meter counts.
        threshold: the meter's; None where only days count.
        cycle: how many cycles from the anchor.
        shift: days by which delays have moved it so far.
    """

    day: date | None
    threshold: Decimal | None
    cycle: int = 0
    shift: int = 0


def chain(
    scene: Scene, until: date, covering: Sequence[Covering] = (), *, project: bool = False
) -> tuple[list[Occurrence], list[Order]]:
    """The occurrences, and the orders that belong to none of them.

    Args:
        scene: the plan and what is known.
        until: how far is foreseen.
        covering: occurrences of plans that this one may be done along with.
        project: what follows from the open one being done on its day, too.
    """
    found: list[Occurrence] = []
    step: Step | None = _first(scene)
    for closing in _closings(scene, covering):
        own = None if step is None else _slot(scene, step, None)
        if _repeats(found, own, closing) or not _reaches(scene, own, closing):
            continue
        slot = None if step is None else _slot(scene, step, closing.order)
        if slot is None or _is_unseen(scene, slot, closing.order):
            told = closing.order is not None and closing.order.due is not None
            slot = Slot(due_key=str(closing.order.due), due=closing.order.due) if told and closing.order else None
        cancelled = closing.order is not None and closing.order.completed_at is None
        if cancelled and scene.plan.cancelled == "again":
            continue
        if slot is not None:
            slot = _sized(scene, slot)
            found.append(_closed(scene, slot, closing))
        step = _next(scene, step, slot, closing, cancelled=cancelled)
    left = [each for each in scene.orders if each.completed_at is None and each.cancelled_at is None]
    if step is not None:
        chosen = min(left, key=lambda each: (scene.for_day(each), each.made_at, each.key), default=None)
        slot = _slot(scene, step, chosen)
        if slot is not None and not _is_unseen(scene, slot, chosen):
            left = [each for each in left if each is not chosen]
            found.append(occurrence(scene, _sized(scene, slot), chosen))
            if project:
                found += _projected(scene, step, found[-1], until)
    return _named_once(found), left


def _closings(scene: Scene, covering: Sequence[Covering]) -> list[Closing]:
    by_orders = ((each.completed_at or each.cancelled_at, each) for each in scene.orders)
    found = [Closing(at, each.key, each) for at, each in by_orders if at is not None]
    greater = ((other.by.completed_at, other) for other in covering)
    found += [Closing(at, other.by.id, None, other) for at, other in greater if at is not None]
    return sorted(found, key=lambda each: (each.at, each.key))


def _reaches(scene: Scene, slot: Slot | None, closing: Closing) -> bool:
    """Whether a closing is of this plan, or of a greater one that stands for what is at hand."""
    other = closing.covering
    return other is None or (slot is not None and other.reaches(scene.plan.asset, slot.due))


def _repeats(found: Sequence[Occurrence], slot: Slot | None, closing: Closing) -> bool:
    """Whether a second order did what had been done: the day that it is for is nearer to the one before."""
    wanted = None if closing.order is None else closing.order.wanted
    if not found or wanted is None or slot is None or slot.due is None or found[-1].due is None:
        return False
    return abs(wanted - found[-1].due) < abs(wanted - slot.due)


def _is_unseen(scene: Scene, slot: Slot, order: Order | None) -> bool:
    """Whether it was due so long before anything was known that nobody can say what became of it."""
    since, touched = scene.plan.known_since, order is not None and order.touched and order.due is not None
    if since is None or slot.due is None or slot.is_metered or touched:
        return False
    return slot.due < scene.day_of(since) - timedelta(days=scene.plan.interval_days)


def _closed(scene: Scene, slot: Slot, closing: Closing) -> Occurrence:
    made = occurrence(scene, slot, closing.order)
    other = closing.covering
    if other is None:
        return made
    return replace(made, state="covered", covered_by=other.by.id, covered_in_time=other.in_time, reason=None)


def _first(scene: Scene) -> Step | None:
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
    return Step(day, threshold) if day is not None or threshold is not None else None


def _slot(scene: Scene, step: Step, order: Order | None) -> Slot | None:
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
    key = step.day.isoformat() if step.day is not None else f"{METER_KEY}{step.threshold:f}"
    return Slot(
        due_key=key, due=due, threshold=step.threshold, is_metered=is_metered, is_estimated=estimated and is_metered
    )


def _sized(scene: Scene, slot: Slot) -> Slot:
    return replace(slot, interval_days=scene.plan.interval_days)


def _next(scene: Scene, step: Step | None, slot: Slot | None, closing: Closing, *, cancelled: bool) -> Step | None:
    """What follows from a closing; both bases are reset by it."""
    plan = scene.plan
    done = scene.day_of(closing.at)
    if cancelled and plan.cancelled == "grid" and slot is not None and slot.due is not None:
        done = slot.due
    day: date | None = None
    cycle, shift = (step.cycle + 1, step.shift) if step is not None else (0, 0)
    if plan.by_days:
        day, shift = _next_day(scene, step, slot, done, (cycle, shift), cancelled=cancelled)
        if day is None:
            return None
    threshold = None
    if plan.by_meter and plan.meter is not None:
        rule = plan.meter
        total = usage.at(scene.counted, closing.at)
        before = step.threshold if step is not None and step.threshold is not None else rule.first(scene.counted)
        if total is None:
            total = before
        threshold = total + rule.interval
        if plan.mode == "fixed":
            start = before - rule.interval
            passed = max(total, before)
            threshold = threshold_of(start, rule.interval, int((passed - start) // rule.interval) + 1)
    return Step(day, threshold, cycle, shift)


def _next_day(
    scene: Scene, step: Step | None, slot: Slot | None, done: date, at: tuple[int, int], *, cancelled: bool
) -> tuple[date | None, int]:
    plan, every = scene.plan, scene.plan.every
    cycle, shift = at
    if plan.shift is not None and every is not None and plan.anchor is not None:
        if slot is not None and slot.due is not None and not cancelled:
            shift += plan.shift.days((done - slot.due).days, every.days)
        return shifted(plan.anchor, every, cycle, shift), shift
    if plan.mode == "completion" and every is not None:
        return floating(done, every), shift
    nominal = step.day if step is not None and step.day is not None else done
    behind = max(done, nominal)
    anchor = plan.anchor or nominal
    assert plan.recurrence is not None, "a plan by days has a recurrence"
    following = days(plan.recurrence, anchor, behind + A_LIFETIME, scene.zone)
    return next((day for day in following if day > behind), None), shift


def _projected(scene: Scene, step: Step, last: Occurrence, until: date) -> Iterator[Occurrence]:
    """What follows if each is done on its day, what is late today."""
    for _ in range(MOST_PROJECTED):
        if last.due is None:
            return
        done = max(last.due, scene.today)
        slot = Slot(due_key=last.due_key, due=done, threshold=last.threshold)
        follows = _ahead(scene, step, slot, done)
        made = None if follows is None else _slot(scene, follows, None)
        if follows is None or made is None or made.due is None or made.due > until or made.due <= last.due:
            return
        step = follows
        last = occurrence(scene, replace(_sized(scene, made), is_projected=True), None)
        yield last


def _ahead(scene: Scene, step: Step, slot: Slot, done: date) -> Step | None:
    """The step behind one that is not done yet: by the meter it will show what it is due at."""
    closing = Closing(scene.now + timedelta(days=max(0, (done - scene.today).days)), "", None)
    follows = _next(scene, step, slot, closing, cancelled=False)
    if follows is None or step.threshold is None or scene.plan.meter is None:
        return follows
    return follows._replace(threshold=step.threshold + scene.plan.meter.interval)


def _named_once(found: Sequence[Occurrence]) -> list[Occurrence]:
    """Two of one name, where one was done on the day of the one before, are told apart by a number."""
    seen: dict[str, int] = {}
    named = []
    for each in found:
        count = seen[each.due_key] = seen.get(each.due_key, 0) + 1
        named.append(each if count == 1 else replace(each, due_key=f"{each.due_key}.{count}"))
    return named
