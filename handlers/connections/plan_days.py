"""The days on which a plan of `pm_plans.toml` may be due: season, holidays, blackouts, and long stops."""

import re
from datetime import date, datetime
from typing import Any, Final, TypeGuard

from handlers.connections.fields import Fields
from handlers.rules.working_days import MonthDay, Stretch, WorkingDays

_MONTH_DAY: Final = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_WAYS: Final = ("before", "after", "skip")


def read_working_days(fields: Fields) -> WorkingDays | None:
    """Reads `season`, `holidays` and `blackouts`; None where none is given."""
    season, holidays = fields.any("season", dict), fields.any("holidays", dict)
    blackouts = fields.any("blackouts", dict)
    if season is None and holidays is None and blackouts is None:
        return None
    said: dict[str, Any] = {}
    if season is not None:
        inner = fields.inner(season, "season")
        inner.only(("first", "last", "outside"))
        first, last = _month_day(inner, "first"), _month_day(inner, "last")
        said["out_of_season"] = inner.one_of("outside", ("first", "skip"), "first")
        said["season"] = None if first is None or last is None else (first, last)
    if holidays is not None:
        inner = fields.inner(holidays, "holidays")
        inner.only(("days", "move"))
        days = inner.any("days", list, or_else=[])
        for at, each in enumerate(days):
            if not _is_day(each):
                inner.wrong("days", "is no day; write one without quotes, as 2026-12-25", at)
        said["holidays"] = frozenset(each for each in days if _is_day(each))
        said["on_holiday"] = inner.one_of("move", _WAYS, "after")
    if blackouts is not None:
        inner = fields.inner(blackouts, "blackouts")
        inner.only(("stretches", "move"))
        said["blackouts"] = stretches(inner, "stretches") or ()
        said["in_blackout"] = inner.one_of("move", _WAYS, "after")
    return WorkingDays(**said)


def stretches(fields: Fields, name: str) -> tuple[Stretch, ...] | None:
    """An array of `{ from = DAY, to = DAY }`, both days in it; None where it is not given."""
    told = fields.any(name, list)
    if told is None:
        return None
    found = []
    for at, each in enumerate(told):
        ends = each if isinstance(each, dict) else {}
        first, last = ends.get("from"), ends.get("to")
        if _is_day(first) and _is_day(last) and first <= last:
            found.append(Stretch(first, last))
        else:
            fields.wrong(name, "is no stretch of days; write { from = 2026-08-01, to = 2026-08-21 }", at)
    return tuple(found)


def _is_day(value: Any) -> TypeGuard[date]:
    return isinstance(value, date) and not isinstance(value, datetime)


def _month_day(fields: Fields, name: str) -> MonthDay | None:
    told = fields.any(name, str)
    match = None if told is None else _MONTH_DAY.fullmatch(told)
    if match is None:
        fields.wrong(name, 'is no day of the year; write month and day, as "04-01"')
        return None
    return int(match[1]), int(match[2])
