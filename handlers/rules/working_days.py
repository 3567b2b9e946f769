"""Where a day goes on which nothing is done: out of season, a holiday, in a blackout.

The day that a rule names stays the occurrence's name; only when it is due moves.
"""

from datetime import date, timedelta
from typing import Literal, NamedTuple, TypeAlias

import msgspec

MonthDay: TypeAlias = tuple[int, int]
"""Month and day of any year."""
FARTHEST = 366
"""Days that are looked at for one on which work is done."""
OUT_OF_SEASON, HOLIDAY, BLACKOUT = "out_of_season", "holiday", "blackout"
DAY = timedelta(days=1)


class Stretch(NamedTuple):
    """Days in a row, both ends among them."""

    first: date
    last: date


class WorkingDays(msgspec.Struct, frozen=True):
    """When work may be due.

    Attributes:
        season: first and last day of the year's season, both in it; one that ends before it begins runs over New Year.
        out_of_season: `first` moves to the first day of the next season (Maximo), `skip` leaves it out (Limble).
        holidays: days off.
        on_holiday: `before`, `after` or `skip`.
        blackouts: stretches in which nothing may be done.
        in_blackout: `before`, `after` or `skip`.
    """

    season: tuple[MonthDay, MonthDay] | None = None
    out_of_season: Literal["first", "skip"] = "first"
    holidays: frozenset[date] = frozenset()
    on_holiday: Literal["before", "after", "skip"] = "after"
    blackouts: tuple[Stretch, ...] = ()
    in_blackout: Literal["before", "after", "skip"] = "after"

    def move(self, day: date) -> date | str:
        """The day on which what is named for a day is due; where it is left out, the reason why.

        A move that leads to another day off goes on the same way.
        """
        way = None
        for _ in range(FARTHEST):
            reason = self._off(day)
            if reason is None:
                return day
            step = self._step(reason)
            if step is None:
                return reason
            way = step if way is None or reason == OUT_OF_SEASON else way
            day += way
        return self._off(day) or BLACKOUT

    def _off(self, day: date) -> str | None:
        if not self.in_season(day):
            return OUT_OF_SEASON
        if any(each.first <= day <= each.last for each in self.blackouts):
            return BLACKOUT
        return HOLIDAY if day in self.holidays else None

    def in_season(self, day: date) -> bool:
        """Whether a day is in the season; every day is where there is none."""
        if self.season is None:
            return True
        first, last = self.season
        at = (day.month, day.day)
        return first <= at <= last if first <= last else at >= first or at <= last

    def _step(self, reason: str) -> timedelta | None:
        if reason == OUT_OF_SEASON:
            # The first of the season is ahead, whichever way a holiday at its edge would have gone.
            return None if self.out_of_season == "skip" else DAY
        way = self.on_holiday if reason == HOLIDAY else self.in_blackout
        return {"before": -DAY, "after": DAY, "skip": None}[way]
