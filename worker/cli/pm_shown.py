"""What the `pm` commands print: an occurrence, a plan, a rule, a row of compliance."""

from datetime import datetime
from typing import Any

from handlers.rules.occurrence import Occurrence
from handlers.rules.pm_compliance import Compliance
from handlers.rules.pm_plan import Plan
from worker.shapes.pm import days_late, number, plan_row

DUE_COLUMNS = ("connection", "due", "state", "late d", "asset", "plan", "name", "order", "hours", "why")
PLAN_COLUMNS = ("connection", "plan", "told by", "asset", "rule", "mode", "next due", "state", "name", "problems")


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


def plan_line(plan: Plan, found: list[Occurrence]) -> tuple[object, ...]:
    """The same for people."""
    row: dict[str, Any] = {**plan_row(plan, found)}
    names = ("connection", "plan_key", "told_by")
    behind = ("rule", "mode", "next_due", "state", "name")
    asset, problems = ", ".join(plan.assets) or None, "; ".join(plan.problems) or None
    return (*(row[name] for name in names), asset, *(row[name] for name in behind), problems)


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
