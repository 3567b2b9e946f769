"""The work of the coming weeks: how many times something is due, and how many hours of crew that takes."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from handlers.rules.occurrence import OPEN, Occurrence


class Week(msgspec.Struct, frozen=True):
    """One week.

    Attributes:
        starts_on: its Monday; what is overdue is work of the week that it is now.
        due: how many times something is due.
        overdue: how many of them are late already.
        estimated: how many are reckoned from average usage.
        projected: how many follow from the one before being done on its day.
        crew_hours: hours of those of which somebody said how long they take.
        without_hours: how many nobody said it of.
    """

    starts_on: date
    due: int = 0
    overdue: int = 0
    estimated: int = 0
    projected: int = 0
    crew_hours: Decimal = Decimal(0)
    without_hours: int = 0

    def plus(self, other: "Week | None") -> "Week":
        """The two as one; of the same week."""
        if other is None:
            return self
        return Week(
            starts_on=self.starts_on,
            due=self.due + other.due,
            overdue=self.overdue + other.overdue,
            estimated=self.estimated + other.estimated,
            projected=self.projected + other.projected,
            crew_hours=self.crew_hours + other.crew_hours,
            without_hours=self.without_hours + other.without_hours,
        )


def monday(day: date) -> date:
    """The Monday of a day's week (ISO 8601)."""
    return day - timedelta(days=day.weekday())


def weeks(found: Iterable[Occurrence], today: date, until: date) -> dict[date, Week]:
    """The work that is ahead, by the Monday of its week; weeks without any are left out.

    Args:
        found: occurrences, with those that are projected.
        today: the day it is; work that is late is done from now on.
        until: the last day that counts.
    """
    made: dict[date, Week] = {}
    for each in found:
        if each.due is None or each.due > until or each.state not in OPEN | {"planned"}:
            continue
        starts_on = monday(max(each.due, today))
        one = Week(
            starts_on=starts_on,
            due=1,
            overdue=int(each.state == "overdue"),
            estimated=int(each.is_estimated),
            projected=int(each.is_projected),
            crew_hours=each.crew_hours or Decimal(0),
            without_hours=int(each.crew_hours is None),
        )
        made[starts_on] = one.plus(made.get(starts_on))
    return made
