"""A slot is one time that a plan names, before anybody asks what became of it; here that is asked."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import msgspec

from handlers.rules import usage
from handlers.rules.due import GRACES, SMRP_SHARE, TENTH, Grace, grace_days
from handlers.rules.occurrence import Occurrence, Order, State
from handlers.rules.pm_scene import Scene
from handlers.rules.recurrence import end_of_day, instant

METER_SHARES: Mapping[Grace, Decimal] = {"smrp_20_percent": SMRP_SHARE, "ten_percent": TENTH}
"""By rule of grace: the share of a meter's interval that is still in time; the others allow days, not units."""
CANCELLED, SHUTDOWN, DECOMMISSIONED = "cancelled", "shutdown", "decommissioned"


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a plan names.

    Attributes:
        due_key: what tells it from the plan's others.
        due: the day; None while no usage tells.
        threshold: the meter's total; None where no meter counts.
        is_metered: the threshold, not a calendar, decides when it is due.
        is_estimated: the day is reckoned from average usage.
        interval_days: from the one before, for shares of it.
        jumped: the meter passed a higher one at the same reading.
        is_projected: it follows from the one before being done on its day.
        is_told: an order tells of it, not the plan.
    """

    due_key: str
    due: date | None = None
    threshold: Decimal | None = None
    is_metered: bool = False
    is_estimated: bool = False
    interval_days: int = 0
    jumped: bool = False
    is_projected: bool = False
    is_told: bool = False


def occurrence(scene: Scene, slot: Slot, order: Order | None, *, superseded: bool = False) -> Occurrence:
    """What became of a slot.

    Args:
        scene: its plan, and now.
        slot: which.
        order: the order that does it; None while there is none.
        superseded: the plan says that by now the next one counts.
    """
    plan = scene.plan
    limits = limits_of(scene, slot)
    state, reason = _state(scene, slot, order, limits[plan.grace], superseded=superseded)
    lead = timedelta(days=plan.lead(slot.interval_days))
    early: datetime | None = None
    if plan.early_fails and slot.due is not None and not slot.is_metered:
        days_early = timedelta(days=grace_days("ten_percent", slot.interval_days))
        early = instant(slot.due - days_early, time(), scene.zone)
    return Occurrence(
        connection=plan.connection,
        plan=plan.key,
        due_key=slot.due_key,
        asset=plan.asset,
        site=plan.site,
        due=slot.due,
        due_at=None if slot.due is None else instant(slot.due, plan.clock, scene.zone),
        threshold=slot.threshold,
        is_estimated=slot.is_estimated,
        is_projected=slot.is_projected,
        called_on=None if slot.due is None else slot.due - lead,
        interval_days=slot.interval_days,
        limits=limits,
        too_early_until=early,
        state=state,
        reason=reason,
        order=None if order is None else order.key,
        completed_at=None if order is None else order.completed_at,
        crew_hours=plan.crew_hours,
        is_told_by_order=slot.is_told,
    )


def limits_of(scene: Scene, slot: Slot) -> dict[Grace, datetime | None]:
    """Until when a slot is done in time, by rule: the end of its day and the grace behind it.

    By a meter it is in time as long as no reading has passed the threshold and its share of the interval.
    """
    if slot.due is None or (slot.is_metered and slot.is_estimated):
        return dict.fromkeys(GRACES)
    by_day: dict[Grace, datetime] = {}
    for rule in GRACES:
        days = 0 if slot.is_metered and rule in METER_SHARES else grace_days(rule, slot.interval_days)
        by_day[rule] = end_of_day(slot.due + timedelta(days=days), scene.zone)
    found: dict[Grace, datetime | None] = {**by_day}
    if slot.is_metered and slot.threshold is not None and scene.plan.meter is not None:
        for rule, share in METER_SHARES.items():
            most = slot.threshold + share * scene.plan.meter.interval
            passed = usage.passed(scene.counted, most)
            found[rule] = None if passed is None else max(passed, by_day[rule])
    return found


def _state(
    scene: Scene, slot: Slot, order: Order | None, limit: datetime | None, *, superseded: bool
) -> tuple[State, str | None]:
    if order is not None and order.completed_at is not None:
        return "completed", None
    if slot.jumped:
        return "skipped_by_jump", None
    reason = _excluded(scene, slot, limit)
    if reason is not None:
        return "excluded", reason
    if order is not None and order.cancelled_at is not None:
        return ("excluded", f"{CANCELLED}: {order.cancel_reason}") if order.cancel_reason else ("skipped", CANCELLED)
    if superseded and limit is not None and scene.now > limit:
        return "missed", None
    return (_by_meter if slot.is_metered else _by_day)(scene, slot, limit), None


def _excluded(scene: Scene, slot: Slot, limit: datetime | None) -> str | None:
    """Why nothing is to be done, though it would be due: a long stop, or its asset is no more."""
    plan = scene.plan
    if slot.due is not None and any(each.first <= slot.due <= each.last for each in plan.shutdowns):
        return SHUTDOWN
    if plan.decommissioned is None or plan.decommissioned > scene.today:
        return None
    return DECOMMISSIONED if limit is None or instant(plan.decommissioned, time(), scene.zone) < limit else None


def _by_day(scene: Scene, slot: Slot, limit: datetime | None) -> State:
    if slot.due is None or scene.today < slot.due - timedelta(days=scene.plan.lead(slot.interval_days)):
        return "planned"
    if scene.today < slot.due:
        return "called"
    return "due" if limit is None or scene.now <= limit else "overdue"


def _by_meter(scene: Scene, slot: Slot, limit: datetime | None) -> State:
    meter = scene.plan.meter
    assert meter is not None, "a slot by a meter is a plan's that has one"
    assert slot.threshold is not None, "and names its threshold"
    if usage.reached(scene.counted, slot.threshold - meter.expedite) is None:
        lead = timedelta(days=scene.plan.lead(slot.interval_days))
        is_near = slot.due is not None and lead and scene.today >= slot.due - lead
        return "called" if is_near else "planned"
    if usage.reached(scene.counted, slot.threshold) is None:
        return "called"
    return "due" if limit is None or scene.now <= limit else "overdue"
