"""A maintenance plan as it is scheduled: what makes it due, in whose calendar, and what counts as in time.

An upstream record states part of it and `pm_plans.toml` the rest; where both do, the file wins, since somebody who runs
this installation wrote it.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from handlers.rules.due import Grace, Shift, call_lead
from handlers.rules.recurrence import Every, Recurrence
from handlers.rules.usage import Total
from handlers.rules.working_days import Stretch, WorkingDays

Basis: TypeAlias = Literal["calendar", "meter", "calendar_or_meter", "calendar_and_meter"]
Mode: TypeAlias = Literal["fixed", "completion", "generation"]
MIDNIGHT = time()
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Years in which something may be due or done; what is said of others stands for "never" or "unknown" (9999-12-31)."""
LEAST_INTERVAL, MOST_UNITS = Decimal("0.000001"), Decimal(10) ** 15
"""What a meter may count by and up to: within them every sum and quotient is exact in 28 digits."""
USUAL_INTERVAL_DAYS = 30
"""The length of an interval that nobody stated, for shares of it."""


class MeterRule(msgspec.Struct, frozen=True):
    """What makes a plan due by a meter.

    Attributes:
        meter: its key.
        interval: units between two times; positive.
        start: the total from which fixed thresholds count; floating ones count from it the first time. None where
            nobody said.
        stated_next: the next threshold as upstream states it; None where it does not.
        expedite: units ahead of the threshold at which work is called for.
    """

    meter: str
    interval: Decimal
    start: Decimal | None = None
    stated_next: Decimal | None = None
    expedite: Decimal = Decimal(0)

    def first(self, counted: Sequence[Total]) -> Decimal:
        """The first threshold of a plan that counts from when it was last called for or done."""
        if self.stated_next is not None:
            return self.stated_next
        start = self.start
        if start is None:
            start = counted[0].value if counted else Decimal(0)
        return start + self.interval


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One plan.

    Attributes:
        connection: whose it is.
        key: of the plan; work orders name it by `pm_plan_ref`.
        name: for people.
        assets: keys of the assets it is about.
        site: of its asset, where that is known.
        zone: in which its days are days.
        origin: `events`, `file`, both as `events+file`, or `orders` where nothing but orders tells of it.
        is_active: it makes something due.
        basis: what makes it due.
        mode: `fixed` to its grid, `completion` or `generation`: counted from when the last was done, or called for.
        recurrence: days; None where only a meter counts.
        anchor: the first day, or the day from which a rule counts.
        stated_next: the day that upstream says is next; None where it does not.
        is_extended: that day is a move of this one time, and the grid stays.
        last_completed: when upstream says it was last done.
        ends: the last day on which it may be due.
        clock: the local time of day at which it is due.
        meter: what a meter makes due; None where only days count.
        lead_days: days ahead of the due day at which work is called for.
        call_horizon: SAP's way to say so: percent of the cycle that has gone by; wins over `lead_days`.
        grace: what is in time by the plan's own rule.
        early_fails: by the 10 % rule more than a tenth of the interval too early is not in time either.
        shift: SAP's shift factors; None where there are none.
        working: the days on which it may be due.
        missed: `miss`: one that is not done when the next is due is missed; `stack`: it stays open.
        open_limit: with `stack`: of more open ones the oldest are missed; None for any number.
        cancelled: what becomes of a floating plan whose order was cancelled: the next is due one interval after the due
            day (`grid`), after the cancelling (`interval`), or the same is due `again`.
        covers: keys of plans that are done along with this one.
        cover_days: how many days apart they may be due.
        shutdowns: long stops during which nothing that falls due counts.
        decommissioned: the day from which its asset is no more.
        known_since: since when anything is known of it: what should have been done earlier is not told as missed.
        duration_s: seconds that it takes.
        crew: people at once.
        team: whose work it is, for people.
        problems: why it is not, or not wholly, scheduled.
    """

    connection: str
    key: str
    name: str | None = None
    assets: tuple[str, ...] = ()
    site: str | None = None
    zone: tzinfo = UTC
    origin: str = "events"
    is_active: bool = True
    basis: Basis = "calendar"
    mode: Mode = "fixed"
    recurrence: Recurrence | None = None
    anchor: date | None = None
    stated_next: date | None = None
    is_extended: bool = False
    last_completed: date | None = None
    ends: date | None = None
    clock: time = MIDNIGHT
    meter: MeterRule | None = None
    lead_days: int = 0
    call_horizon: int | None = None
    grace: Grace = "none"
    early_fails: bool = False
    shift: Shift | None = None
    working: WorkingDays = WorkingDays()
    missed: Literal["miss", "stack"] = "miss"
    open_limit: int | None = None
    cancelled: Literal["grid", "interval", "again"] = "grid"
    covers: tuple[str, ...] = ()
    cover_days: int = 7
    shutdowns: tuple[Stretch, ...] = ()
    decommissioned: date | None = None
    known_since: datetime | None = None
    duration_s: int | None = None
    crew: int = 1
    team: str | None = None
    problems: tuple[str, ...] = ()

    @property
    def asset(self) -> str | None:
        """Its only asset; None where it has none, or several."""
        return self.assets[0] if len(self.assets) == 1 else None

    @property
    def by_days(self) -> bool:
        """Whether days alone or together with a meter make it due."""
        return self.basis != "meter" and self.recurrence is not None

    @property
    def by_meter(self) -> bool:
        """Whether a meter alone or together with days makes it due."""
        return self.basis != "calendar" and self.meter is not None

    @property
    def is_chain(self) -> bool:
        """Whether one is due only once the one before is done.

        Whichever comes first is one too: doing it resets both bases (IBM, Maximo).
        """
        return self.mode == "completion" or self.shift is not None or (self.by_days and self.by_meter)

    @property
    def interval_days(self) -> int:
        """Its interval for shares of it, in days."""
        return self.recurrence.days if isinstance(self.recurrence, Every) else USUAL_INTERVAL_DAYS

    @property
    def every(self) -> Every | None:
        """Its interval; None where a rule of its own names the days."""
        return self.recurrence if isinstance(self.recurrence, Every) else None

    def lead(self, interval_days: int) -> int:
        """Days ahead of the due day at which work is called for."""
        return self.lead_days if self.call_horizon is None else call_lead(self.call_horizon, interval_days)

    @property
    def crew_hours(self) -> Decimal | None:
        """Hours of work that one time takes; None where nobody said."""
        return None if self.duration_s is None else Decimal(self.duration_s * self.crew) / 3600
