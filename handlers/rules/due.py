"""When the next is due, and how late is late: the arithmetic of `reference/kpi.md` 4.3, 4.4 and 4.6."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

import msgspec

from handlers.rules.recurrence import Every

Grace: TypeAlias = Literal["none", "day", "smrp_20_percent", "ten_percent"]
"""`none`: the due day itself; `day`: one day more; `smrp_20_percent`: a fifth of the interval, 28 days at most, to the
nearest day; `ten_percent`: a tenth of it, to the nearest day."""
GRACES: tuple[Grace, ...] = ("none", "day", "smrp_20_percent", "ten_percent")
SMRP_SHARE, SMRP_MOST_DAYS = Decimal("0.20"), 28
"""SMRP 5.4.14 as cited at mygeekdaddy.net (`kpi-examples.json`, smrp-20pct-grace)."""
TENTH = Decimal("0.10")
PERCENT = Decimal(100)


class Shift(msgspec.Struct, frozen=True):
    """SAP's shift factors: how much of a delay the next date takes over.

    Attributes:
        late: percent of the days late; 0 is fixed, 100 is floating, as a blank is 0.
        early: percent of the days early.
        tolerance_late: percent of the cycle within which being late shifts nothing.
        tolerance_early: likewise early.
    """

    late: int = 0
    early: int = 0
    tolerance_late: int = 0
    tolerance_early: int = 0

    def days(self, late_days: int, cycle_days: int) -> int:
        """By how many days the next date moves; beyond the tolerance *all* days count, not only those beyond it.

        Args:
            late_days: completion minus due; negative is early.
            cycle_days: the cycle's length.
        """
        factor, tolerance = (self.late, self.tolerance_late) if late_days >= 0 else (self.early, self.tolerance_early)
        if abs(late_days) * 100 <= tolerance * cycle_days:
            return 0
        moved = nearest(Decimal(abs(late_days) * factor) / PERCENT)
        return moved if late_days >= 0 else -moved


def floating(completed: date, every: Every) -> date:
    """The next day where the interval counts from the completion."""
    return every.after(completed)


def shifted(anchor: date, every: Every, cycle: int, days: int) -> date:
    """The day of a cycle, counted from the anchor so that month-ends never drift, plus all shifts so far."""
    return every.after(anchor, cycle) + timedelta(days=days)


def nearest(value: Decimal) -> int:
    """The nearest whole number, halves up; for what is not negative."""
    return int(value + Decimal("0.5"))


def grace_days(rule: Grace, interval_days: int) -> int:
    """Days that are still on time behind the due day."""
    if rule == "day":
        return 1
    if rule == "smrp_20_percent":
        return min(SMRP_MOST_DAYS, nearest(SMRP_SHARE * interval_days))
    return nearest(TENTH * interval_days) if rule == "ten_percent" else 0


def threshold(start: Decimal, interval: Decimal, number: int) -> Decimal:
    """The reading at which a fixed meter plan is due for the k-th time, from 1."""
    return start + number * interval


def estimated_day(
    today: date, *, due: Decimal, ahead: Decimal, current: Decimal, per_day: Decimal | None
) -> date | None:
    """When a meter will show so much (Maximo: today + (next - ahead - current) / average).

    Returns:
        The day, today at the earliest; None without any usage to judge by, and beyond the calendar.
    """
    if per_day is None or per_day <= 0:
        return None
    left = (due - ahead - current) / per_day
    try:
        return today + timedelta(days=max(0, int(left.to_integral_value(rounding="ROUND_CEILING"))))
    except OverflowError:
        return None


def earliest(*due: date | None) -> date | None:
    """Whichever comes first, of those that are known."""
    return min((each for each in due if each is not None), default=None)


def latest(*due: date | None) -> date | None:
    """When all have come; None while one is unknown."""
    known = [each for each in due if each is not None]
    return max(known) if len(known) == len(due) and known else None


def call_lead(horizon_percent: int, interval_days: int) -> int:
    """SAP's call horizon as a lead: called once that share of the cycle has gone by, 100 % being the due day itself."""
    return nearest(Decimal(interval_days) * (100 - horizon_percent) / PERCENT)
