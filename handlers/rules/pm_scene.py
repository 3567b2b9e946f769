"""What one plan's occurrences are a function of: the plan, its orders, its meter's totals and a moment."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Self

import msgspec

from handlers.rules import due, usage
from handlers.rules.occurrence import Order
from handlers.rules.pm_plan import Plan
from handlers.rules.recurrence import local_day
from handlers.rules.usage import Total


class Scene(msgspec.Struct, frozen=True):
    """One plan at one moment.

    Attributes:
        plan: what is scheduled.
        zone: in which its days are days.
        orders: those of the plan, by the day that they are for; what happens later than `now` is not among it.
        counted: the totals of its meter that had been read by then.
        per_day: average usage in units a day; None where none is known.
        now: the moment (UTC).
    """

    plan: Plan
    zone: tzinfo
    orders: tuple[Order, ...]
    counted: tuple[Total, ...]
    per_day: Decimal | None
    now: datetime

    @classmethod
    def of(cls, plan: Plan, orders: Iterable[Order], counted: Sequence[Total], now: datetime) -> Self:
        """Cuts what is known at a moment: all known facts count, as far as they have happened by then."""
        seen = tuple(each for each in counted if each.read_at <= now)
        known = [_cut(each, now) for each in orders if each.made_at <= now]
        known.sort(key=lambda each: (each.wanted or date.max, each.made_at, each.key))
        return cls(plan, plan.zone, tuple(known), seen, usage.average(seen), now)

    @property
    def today(self) -> date:
        """The day that it is there."""
        return local_day(self.now, self.zone)

    @property
    def total(self) -> Decimal | None:
        """What the meter had counted; None before its first reading."""
        return self.counted[-1].value if self.counted else None

    def day_of(self, moment: datetime) -> date:
        """The local day of a moment."""
        return local_day(moment, self.zone)

    def for_day(self, order: Order) -> date:
        """The day that an order is for: as it says, else when it was made plus the time that it is made ahead."""
        return order.wanted or self.day_of(order.made_at) + timedelta(days=self.plan.lead(self.plan.interval_days))

    def meter_day(self, threshold: Decimal | None) -> tuple[date | None, bool]:
        """The day on which the meter shows so much, and whether that is an estimate, from its last reading on."""
        if threshold is None or not self.counted:
            return None, False
        reached = usage.reached(self.counted, threshold)
        if reached is not None:
            return self.day_of(reached), False
        last = self.counted[-1]
        day = due.estimated_day(
            self.day_of(last.read_at), due=threshold, ahead=Decimal(0), current=last.value, per_day=self.per_day
        )
        return day, day is not None


def _cut(order: Order, now: datetime) -> Order:
    done = order.completed_at is not None and order.completed_at <= now
    cancelled = order.cancelled_at is not None and order.cancelled_at <= now
    return msgspec.structs.replace(
        order,
        completed_at=order.completed_at if done else None,
        cancelled_at=order.cancelled_at if cancelled else None,
    )
