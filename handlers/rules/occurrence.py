"""One time that a plan is due, what has become of it, and the work orders that do it."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from handlers.rules.due import Grace

State: TypeAlias = Literal[
    "planned", "called", "due", "overdue", "completed", "missed", "skipped", "covered", "excluded", "skipped_by_jump"
]
"""Planned: not yet to be called for. Called: to be prepared, not yet due. Due: its day has come, and what its plan
counts as in time has not run out. Overdue: it has. Completed: done, whenever. Missed: not done when the next was due.
Skipped: its order was cancelled. Covered: done along with a greater one. Excluded: nothing was to be done, and the
reason stands beside it. Skipped by jump: a meter passed several thresholds at once, and one is enough."""
STATES: tuple[State, ...] = (
    "planned",
    "called",
    "due",
    "overdue",
    "completed",
    "missed",
    "skipped",
    "covered",
    "excluded",
    "skipped_by_jump",
)
OPEN: frozenset[State] = frozenset({"called", "due", "overdue"})
"""There is something to do."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A work order of a plan, as far as scheduling asks; days are days of the plan's site.

    Attributes:
        key: of the order.
        status: the unified word.
        made_at: when its first known fact happened (UTC).
        due: the day that it is due, as it states itself; None where it does not.
        wanted: the day that it is for: due, else planned, else scheduled; None where it states none.
        completed_at: when it was done; None while it is not.
        cancelled_at: when it was cancelled; None where it was not.
        cancel_reason: why, where anybody said.
        touched: somebody has begun on it.
    """

    key: str
    status: str | None
    made_at: datetime
    due: date | None = None
    wanted: date | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    touched: bool = False


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """One time that a plan is due.

    Attributes:
        connection: whose it is.
        plan: key of its plan.
        due_key: what tells it from the plan's others: the day that its rule names, `meter:` and the threshold, or
            `order:` and the key of an order for which the plan names no time.
        asset: key of the asset; None where the plan has none, or several.
        site: of the asset.
        due: the day on which it is due, moves and delays reckoned in; None where no usage tells yet.
        due_at: the moment (UTC) at which it becomes due; None likewise.
        threshold: the meter's total at which it is due.
        is_estimated: `due` is reckoned from average usage.
        is_projected: it follows from the one before being done on its day; told in forecasts only.
        called_on: the day from which it is to be prepared.
        interval_days: from the one before to this one, for shares of it.
        limits: by rule of grace: the moment (UTC) until which it is in time; None while a meter has not passed it.
        too_early_until: by the 10 % rule: what is done before is too early; None where that is not asked.
        state: what has become of it.
        reason: why it is excluded or skipped.
        order: key of the work order that does it.
        completed_at: when it was done.
        covered_by: the id of the one that it is done along with.
        covered_in_time: whether that one was done in time, by rule of grace.
        crew_hours: hours of work.
        is_told_by_order: an order tells of it, and the plan names no such time.
    """

    connection: str
    plan: str
    due_key: str
    asset: str | None = None
    site: str | None = None
    due: date | None = None
    due_at: datetime | None = None
    threshold: Decimal | None = None
    is_estimated: bool = False
    is_projected: bool = False
    called_on: date | None = None
    interval_days: int = 0
    limits: Mapping[Grace, datetime | None] = {}
    too_early_until: datetime | None = None
    state: State = "planned"
    reason: str | None = None
    order: str | None = None
    completed_at: datetime | None = None
    covered_by: str | None = None
    covered_in_time: Mapping[Grace, bool] = {}
    crew_hours: Decimal | None = None
    is_told_by_order: bool = False

    @property
    def id(self) -> str:
        """Its name within the connection, the same whoever makes it and whenever: `PM-7/2026-03-01`."""
        return f"{self.plan}/{self.due_key}"

    def in_time(self, rule: Grace) -> bool | None:
        """Whether it was done in time by a rule; None while it is not done. At the very limit it is."""
        if self.covered_by is not None:
            return self.covered_in_time.get(rule)
        if self.completed_at is None:
            return None
        limit = self.limits.get(rule)
        early = self.too_early_until if rule == "ten_percent" else None
        return (limit is None or self.completed_at <= limit) and (early is None or self.completed_at >= early)


class Covering(NamedTuple):
    """An occurrence that stands for others of its asset, due within so many days of it."""

    by: Occurrence
    days: int

    def reaches(self, asset: str | None, day: date | None) -> bool:
        """Whether it stands for what is due on a day, of an asset that nobody may have named."""
        if day is None or self.by.due is None or (asset and self.by.asset and asset != self.by.asset):
            return False
        return abs((day - self.by.due).days) <= self.days

    @property
    def in_time(self) -> dict[Grace, bool]:
        """By rule of grace, whether it was done in time."""
        return {rule: self.by.in_time(rule) is True for rule in self.by.limits}
