"""The calendar of preventive maintenance: a month as weeks of days, each with what is due on it. Pure."""

import calendar
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from handlers.rules.period import YEARS
from handlers.store.read_occurrences import Due

DONE, LATE, MISSED, OVERDUE, DUE, FORECAST, LEFT_OUT = (
    "done",
    "done late",
    "missed",
    "overdue",
    "due",
    "forecast",
    "not counted",
)
CLASSES: Final[Mapping[str, str]] = {
    DONE: "ok",
    LATE: "warn",
    MISSED: "bad",
    OVERDUE: "bad",
    DUE: "info",
    FORECAST: "",
    LEFT_OUT: "muted",
}
"""By what has become of it: how it is marked; in the order of the legend."""
_STATES: Final[Mapping[str, str]] = {
    "missed": MISSED,
    "overdue": OVERDUE,
    "due": DUE,
    "called": FORECAST,
    "planned": FORECAST,
}
NAMED: Final = 3
"""Occurrences of a day that stand in its cell by name."""


class Day(NamedTuple):
    """A day of the grid.

    Attributes:
        day: which.
        is_inside: it is of the month that is shown.
        counts: how many are due, by what has become of them.
        named: the first of them, with what has become of each.
    """

    day: date
    is_inside: bool
    counts: Mapping[str, int]
    named: Sequence[tuple[Due, str]]

    @property
    def left_out(self) -> int:
        """How many have no name in the cell."""
        return sum(self.counts.values()) - len(self.named)


def became(state: str, on_time: bool | None) -> str:  # noqa: FBT001  # as the column has it
    """What has become of an occurrence, by its state and whether it was done in time."""
    if state == "completed":
        return LATE if on_time is False else DONE
    return _STATES.get(state, LEFT_OUT)


def month_of(text: str | None, today: date) -> date:
    """The first day of a month such as `2026-10`; of today's where none is given.

    Raises:
        ValueError: it is none.
    """
    found = today.replace(day=1) if text is None else date.fromisoformat(f"{text}-01")
    if found.year not in YEARS:
        raise ValueError(f"years from {YEARS.start} to {YEARS.stop - 1}")
    return found


def months_on(first: date, months: int) -> date:
    """The first day of a month so many months on."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def ends(first: date) -> tuple[date, date]:
    """The first day of the grid of a month, and the day behind its last: whole weeks, from Monday."""
    days = calendar.monthrange(first.year, first.month)[1]
    last = first + timedelta(days=days - 1)
    return first - timedelta(days=first.weekday()), last + timedelta(days=7 - last.weekday())


def weeks(first: date, counts: Mapping[tuple[str, str, bool | None], int], found: Iterable[Due]) -> list[list[Day]]:
    """The grid of a month.

    Args:
        first: its first day.
        counts: by day, state and whether it was done in time: how many.
        found: the occurrences, or the first of them.
    """
    held: dict[str, Counter[str]] = defaultdict(Counter)
    for (day, state, on_time), number in counts.items():
        held[day][became(state, on_time)] += number
    named: dict[str, list[tuple[Due, str]]] = defaultdict(list)
    for each in found:
        if each.due_date is not None and len(named[each.due_date]) < NAMED:
            named[each.due_date].append((each, became(each.state, each.on_time)))
    start, end = ends(first)
    days = [start + timedelta(days=number) for number in range((end - start).days)]
    cells = [
        Day(
            day,
            day.month == first.month,
            {name: held[day.isoformat()][name] for name in CLASSES if held[day.isoformat()][name]},
            named[day.isoformat()],
        )
        for day in days
    ]
    return [cells[at : at + 7] for at in range(0, len(cells), 7)]
