"""Plans of preventive maintenance, and the times that they are due."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final, TypedDict

from handlers.rules.occurrence import STATES, Occurrence
from handlers.rules.pm_plan import Plan
from handlers.rules.recurrence import Every, Rule
from handlers.rules.times import kept_instant
from worker.shapes.scalars import Day, Instant, word

DAY: Final = timedelta(days=1)


class DueTime(TypedDict):
    """A time that a plan is due, as `pm due --json` prints it."""

    connection: str
    id: str
    plan_key: str
    plan_name: str | None
    asset_key: str | None
    site: str | None
    team: str | None
    due_date: Day | None
    due_at: Instant | None
    due_until: Instant | None
    grace: str
    called_on: Day | None
    threshold: str | None
    is_estimated: bool
    state: Annotated[str, word(*STATES)]
    reason: str | None
    days_late: float | None
    work_order_key: str | None
    completed_at: Instant | None
    on_time: bool | None
    covered_by: str | None
    crew_hours: str | None


class PlanRow(TypedDict):
    """How a plan is understood, as `pm plan --json` prints it."""

    connection: str
    plan_key: str
    name: str | None
    told_by: str
    is_active: bool
    assets: list[str]
    site: str | None
    time_zone: str
    rule: str | None
    basis: str | None
    mode: str
    lead_days: int | None
    grace: str
    missed: str
    covers: list[str]
    next_due: Day | None
    state: str | None
    crew_hours: str | None
    problems: list[str]


def printed(plan: Plan, each: Occurrence, now: datetime) -> DueTime:
    """An occurrence as JSON."""
    late = days_late(plan, each, now)
    return {
        "connection": each.connection,
        "id": each.id,
        "plan_key": each.plan,
        "plan_name": plan.name,
        "asset_key": each.asset,
        "site": each.site,
        "team": plan.team,
        "due_date": None if each.due is None else each.due.isoformat(),
        "due_at": moment(each.due_at),
        "due_until": moment(each.limits.get(plan.grace)),
        "grace": plan.grace,
        "called_on": None if each.called_on is None else each.called_on.isoformat(),
        "threshold": number(each.threshold),
        "is_estimated": each.is_estimated,
        "state": each.state,
        "reason": each.reason,
        "days_late": late,
        "work_order_key": each.order,
        "completed_at": moment(each.completed_at),
        "on_time": each.in_time(plan.grace),
        "covered_by": each.covered_by,
        "crew_hours": number(each.crew_hours),
    }


def days_late(plan: Plan, each: Occurrence, now: datetime) -> float | None:
    """Days since its due day ended, to when it was done or to now; None where it is not late."""
    del plan
    end = each.limits.get("none")
    until = each.completed_at or (now if each.state in {"due", "overdue", "missed"} else None)
    if end is None or until is None or until <= end:
        return None
    return (until - end) / DAY


def plan_row(plan: Plan, found: list[Occurrence]) -> PlanRow:
    """How a plan is understood, as JSON."""
    ahead = next_of(found)
    return {
        "connection": plan.connection,
        "plan_key": plan.key,
        "name": plan.name,
        "told_by": plan.origin,
        "is_active": plan.is_active,
        "assets": list(plan.assets),
        "site": plan.site,
        "time_zone": str(plan.zone),
        "rule": rule(plan),
        "basis": plan.basis,
        "mode": mode(plan),
        "lead_days": plan.lead(plan.interval_days),
        "grace": plan.grace,
        "missed": plan.missed,
        "covers": list(plan.covers),
        "next_due": None if ahead is None or ahead.due is None else ahead.due.isoformat(),
        "state": None if ahead is None else ahead.state,
        "crew_hours": number(plan.crew_hours),
        "problems": list(plan.problems),
    }


def next_of(found: list[Occurrence]) -> Occurrence | None:
    """The one that is to be done next: the oldest that is not settled."""
    return next((each for each in found if each.state in {"planned", "called", "due", "overdue"}), None)


def rule(plan: Plan) -> str | None:
    """What makes a plan due, in words."""
    days, meter = None, None
    if plan.by_days and isinstance(plan.recurrence, Every):
        every = plan.recurrence
        days = f"every {every.count} {every.unit}{'' if every.count == 1 else 's'}"
    elif plan.by_days and isinstance(plan.recurrence, Rule):
        days = plan.recurrence.text
    if plan.by_meter and plan.meter is not None:
        meter = f"every {number(plan.meter.interval)} of {plan.meter.meter}"
    word = " and " if plan.basis == "calendar_and_meter" else " or "
    return word.join(each for each in (days, meter) if each is not None) or None


def mode(plan: Plan) -> str:
    """What the next date counts from, by its variant's name."""
    if plan.shift is not None:
        return f"shift {plan.shift.late} % late, {plan.shift.early} % early"
    return {"fixed": "fixed", "completion": "floating from completion", "generation": "floating from generation"}[
        plan.mode
    ]


def moment(at: datetime | None) -> str | None:
    """A time as JSON has it."""
    return None if at is None else kept_instant(at)


def number(value: Decimal | None) -> str | None:
    """A decimal as it prints."""
    return None if value is None else f"{round(value, 6).normalize():f}"
