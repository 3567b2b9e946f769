"""Plans of which one is due only once the one before is done: floating, shifted, and whichever comes first.

Every closing of the one at hand, in the order of time, makes the next; what is at hand last is open. Where upstream
states the next, what was closed long before it tells for itself, and the stated one stays.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from handlers.rules import usage
from handlers.rules.occurrence import Covering, Occurrence, Order
from handlers.rules.pm_scene import Scene
from handlers.rules.pm_slot import Slot, occurrence
from handlers.rules.pm_step import Step, first, following, slot_at

MOST_PROJECTED = 1_000
"""Times that one plan is foreseen at most."""


class Closing(NamedTuple):
    """What ends the one at hand: it was done, its order was cancelled, or it was done along with a greater one."""

    at: datetime
    key: str
    order: Order | None
    covering: Covering | None = None


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
    stated = first(scene)
    past: list[Closing] = []
    since: list[Closing] = []
    for closing in _closings(scene, covering):
        (past if stated is not None and _is_past(scene, stated, closing) else since).append(closing)
    # Of the past only a floating plan tells more than its orders do: each time was an interval after the one before.
    floats = scene.plan.mode == "completion" and scene.plan.shift is None
    behind: Step | None = None
    for closing in past:
        behind = _after(scene, behind if floats else None, closing, found)
    step = stated
    for closing in since:
        step = _after(scene, step, closing, found)
    left = [each for each in scene.orders if each.completed_at is None and each.cancelled_at is None]
    if step is not None:
        chosen = min(left, key=lambda each: (scene.for_day(each), each.made_at, each.key), default=None)
        slot = slot_at(scene, step, chosen)
        if slot is not None and not _is_unseen(scene, slot, chosen):
            left = [each for each in left if each is not chosen]
            found.append(occurrence(scene, slot, chosen))
            if project:
                found += _projected(scene, step, found[-1], until)
    return _named_once(found), left


def _after(scene: Scene, step: Step | None, closing: Closing, found: list[Occurrence]) -> Step | None:
    """Adds what a closing ends to what was found, and tells where the chain stands then."""
    order = closing.order
    own = None if step is None else slot_at(scene, step, None)
    if _repeats(found, own, closing) or not _reaches(scene, own, closing):
        return step
    slot = None if step is None else slot_at(scene, step, order)
    if slot is None or _is_unseen(scene, slot, order):
        slot = None
        if order is not None and order.due is not None:
            slot = Slot(due_key=str(order.due), due=order.due, interval_days=scene.plan.interval_days)
    cancelled = order is not None and order.completed_at is None
    if cancelled and scene.plan.cancelled == "again":
        return step
    if slot is not None:
        found.append(_closed(scene, slot, closing))
    return following(scene, step, slot, closing.at, cancelled=cancelled)


def _is_past(scene: Scene, stated: Step, closing: Closing) -> bool:
    """Whether it came more than half an interval before what upstream states as next: that was stated since."""
    plan, done = scene.plan, scene.day_of(closing.at)
    if stated.day is not None:
        told = plan.stated_next or plan.last_completed
        day = done if closing.order is None or closing.order.wanted is None else max(done, closing.order.wanted)
        if told is None or (stated.day - day).days * 2 <= plan.interval_days:
            return False
    if stated.threshold is not None and plan.meter is not None:
        total = usage.at(scene.counted, closing.at)
        behind = None if total is None else (stated.threshold - total) * 2
        if plan.meter.stated_next is None or behind is None or behind <= plan.meter.interval:
            return False
    return True


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


def _projected(scene: Scene, step: Step, last: Occurrence, until: date) -> Iterator[Occurrence]:
    """What follows if each is done on its day, what is late today."""
    for _ in range(MOST_PROJECTED):
        if last.due is None:
            return
        done = max(last.due, scene.today)
        slot = Slot(due_key=last.due_key, due=done, threshold=last.threshold)
        follows = _ahead(scene, step, slot, done)
        made = None if follows is None else slot_at(scene, follows, None)
        if follows is None or made is None or made.due is None or made.due > until or made.due <= last.due:
            return
        step = follows
        last = occurrence(scene, replace(made, is_projected=True), None)
        yield last


def _ahead(scene: Scene, step: Step, slot: Slot, done: date) -> Step | None:
    """The step behind one that is not done yet: by the meter it will show what it is due at."""
    at = scene.now + timedelta(days=max(0, (done - scene.today).days))
    follows = following(scene, step, slot, at, cancelled=False)
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
