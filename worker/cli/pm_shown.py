"""What the `pm` commands print: an occurrence, a plan, a rule, a row of compliance."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from handlers.rules.occurrence import Occurrence
from handlers.rules.pm_compliance import Compliance
from handlers.rules.pm_plan import Plan
from handlers.rules.recurrence import Every, Rule
from handlers.rules.times import kept_instant

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
DUE_COLUMNS = ("connection", "due", "state", "late d", "asset", "plan", "name", "order", "hours", "why")
PLAN_COLUMNS = ("connection", "plan", "told by", "asset", "rule", "mode", "next due", "state", "name", "problems")


def printed(plan: Plan, each: Occurrence, now: datetime) -> dict[str, Any]:
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


def due_line(plan: Plan, each: Occurrence, now: datetime) -> tuple[object, ...]:
    """An occurrence for people."""
    late = days_late(plan, each, now)
    due = "" if each.due is None else f"{'~' if each.is_estimated else ''}{each.due.isoformat()}"
    return (
        each.connection,
        due if each.threshold is None else f"{due} at {number(each.threshold)}".strip(),
        each.state,
        None if late is None else f"{late:.1f}",
        each.asset or ", ".join(plan.assets) or None,
        each.plan,
        plan.name,
        each.order,
        number(each.crew_hours),
        each.covered_by or each.reason,
    )


def days_late(plan: Plan, each: Occurrence, now: datetime) -> float | None:
    """Days since its due day ended, to when it was done or to now; None where it is not late."""
    del plan
    end = each.limits.get("none")
    until = each.completed_at or (now if each.state in {"due", "overdue", "missed"} else None)
    if end is None or until is None or until <= end:
        return None
    return (until - end) / DAY


def plan_row(plan: Plan, found: list[Occurrence]) -> dict[str, Any]:
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


def plan_line(plan: Plan, found: list[Occurrence]) -> tuple[object, ...]:
    """The same for people."""
    row = plan_row(plan, found)
    names = ("connection", "plan_key", "told_by")
    behind = ("rule", "mode", "next_due", "state", "name")
    asset, problems = ", ".join(plan.assets) or None, "; ".join(plan.problems) or None
    return (*(row[name] for name in names), asset, *(row[name] for name in behind), problems)


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


def compliance_row(told: Compliance) -> dict[str, Any]:
    """A row of compliance, as JSON: days as numbers, the ratio exact."""
    return {
        "due": told.due,
        "on_time": told.on_time,
        "late": told.late,
        "open": told.open,
        "compliance": told.ratio,
        "mean_days_late": told.mean_days_late,
        "mean_interval_days": told.mean_interval_days,
        "longest_interval_days": told.longest_days if told.intervals else None,
        "excluded": dict(told.excluded),
    }


def moment(at: datetime | None) -> str | None:
    """A time as JSON has it."""
    return None if at is None else kept_instant(at)


def number(value: Decimal | None) -> str | None:
    """A decimal as it prints."""
    return None if value is None else f"{round(value, 6).normalize():f}"
