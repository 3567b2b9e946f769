"""`pm_plans.toml`: maintenance plans that nobody upstream states, and what upstream leaves out of its own.

A table of a plan that upstream has too adds to it, and wins. It is a file of whoever runs this installation, read when
it is asked for; occurrences follow from it and are never mixed into records.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

from handlers.connections.fields import Fields, kind_of
from handlers.connections.plan_days import read_working_days, stretches
from handlers.connections.problems import Problems
from handlers.errors import ConfigurationError
from handlers.rules.due import GRACES, Shift
from handlers.rules.pm_plan import FIRST_YEAR, LAST_YEAR, LEAST_INTERVAL, MOST_UNITS, Basis, MeterRule, Mode
from handlers.rules.recurrence import GREATEST_INTERVAL, Every, Rule, Unit, rule_problem

NAME: Final = "pm_plans.toml"
"""The file's name, in the home."""
_EVERY: Final = re.compile(r"([0-9]{1,4}) ?(day|week|month|year)s?")
_UNITS: Final[Mapping[str, Unit]] = {"day": "day", "week": "week", "month": "month", "year": "year"}
_HOURS_MOST: Final = 10_000
_DAYS_MOST: Final = 3_660
_CREW_MOST: Final = 1_000
_PERCENT_MOST: Final = 100
_KNOWN: Final = (
    *("connection", "plan", "name", "assets", "active", "team", "crew", "hours"),
    *("every", "rule", "from", "until", "time", "time_zone", "mode", "due", "meter", "shift", "cancelled"),
    *("lead_days", "call_horizon", "grace", "early_fails", "missed", "open_limit"),
    *("season", "holidays", "blackouts", "shutdowns", "covers", "cover_days"),
)


@dataclass(frozen=True)
class FilePlan:
    """What the file says of one plan.

    Attributes:
        connection: whose plan it is.
        key: by which work orders name it.
        states: by field of `Plan`; what it does not say is left out.
    """

    connection: str
    key: str
    states: Mapping[str, Any] = field(default_factory=dict)


def read_plan_file(path: Path) -> tuple[FilePlan, ...]:
    """The plans of a file, in its order; none where there is no file.

    Raises:
        ConfigurationError: with every problem, a line each, with its place and its mend.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ConfigurationError([f"{path}: {reason}; make it a readable text"]) from error
    return parse_plans(text, str(path))


def parse_plans(text: str, name: str) -> tuple[FilePlan, ...]:
    """Reads a file's text; see `read_plan_file`."""
    try:
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError([f"{name}: is no TOML: {error}"]) from error
    problems = Problems(name, text)
    root = Fields(told, (), problems)
    root.only(("plans",))
    found: dict[tuple[str, str], FilePlan] = {}
    for key, values in root.any("plans", dict, or_else={}).items():
        if not isinstance(values, dict):
            root.wrong("plans", f"is {kind_of(values)}; write a table, [plans.{key}]", key)
            continue
        plan = _plan(key, values, root.inner(values, "plans", key))
        if (plan.connection, plan.key) in found:
            root.wrong("plans", f"is the second of plan {plan.key} of {plan.connection}; put both into one", key)
        found[plan.connection, plan.key] = plan
    if problems.told():
        raise ConfigurationError(problems.told())
    return tuple(found.values())


def _plan(name: str, values: Mapping[str, Any], fields: Fields) -> FilePlan:
    fields.only(_KNOWN)
    connection = fields.text("connection")
    if connection is None and "connection" not in fields:
        fields.wrong("connection", 'is missing; say whose plan it is: connection = "ID"')
    said: dict[str, Any] = {
        "name": fields.text("name"),
        "team": fields.text("team"),
        "recurrence": _recurrence(fields),
        "anchor": _day(values, fields, "from"),
        "ends": _day(values, fields, "until"),
        "clock": _clock(values, fields),
        "zone": None if (zone := fields.zone("time_zone")) is None else ZoneInfo(zone),
        "mode": _word(fields, "mode", get_args(Mode)),
        "basis": _word(fields, "due", get_args(Basis)),
        "grace": _word(fields, "grace", GRACES),
        "missed": _word(fields, "missed", ("miss", "stack")),
        "cancelled": _word(fields, "cancelled", ("grid", "interval", "again")),
        "meter": _meter(fields),
        "shift": _shift(fields),
        "working": read_working_days(fields),
        "shutdowns": stretches(fields, "shutdowns"),
        "lead_days": _number(fields, "lead_days", 0, _DAYS_MOST),
        "call_horizon": _number(fields, "call_horizon", 0, _PERCENT_MOST),
        "open_limit": _number(fields, "open_limit", 1, _DAYS_MOST),
        "cover_days": _number(fields, "cover_days", 0, _DAYS_MOST),
        "crew": _number(fields, "crew", 1, _CREW_MOST),
        "duration_s": _seconds(fields),
        "assets": _keys(fields, "assets"),
        "covers": _keys(fields, "covers"),
        "early_fails": fields.flag("early_fails") if "early_fails" in fields else None,
        "is_active": fields.flag("active") if "active" in fields else None,
    }
    states = {field: value for field, value in said.items() if value is not None}
    _check(fields, states)
    return FilePlan(connection or "", fields.text("plan") or name, states)


def _check(fields: Fields, states: Mapping[str, Any]) -> None:
    """What each field allows, but not together."""
    floats = states.get("mode") in {"completion", "generation"} or "shift" in states
    if floats and isinstance(states.get("recurrence"), Rule):
        fields.wrong("rule", 'has days of its own, which nothing moves; write every = "3 months", or mode = "fixed"')
    if "shift" in states and "mode" in states and states["mode"] != "fixed":
        fields.wrong("shift", "says already how far it floats; leave `mode` out")
    if "open_limit" in states and states.get("missed") != "stack":
        fields.wrong("open_limit", 'counts only what stacks; add missed = "stack"')
    if "shift" in states and "anchor" not in states:
        fields.wrong("shift", "counts from a day; add one, such as from = 2026-01-01")
    if "anchor" in states and "ends" in states and states["ends"] < states["anchor"]:
        fields.wrong("until", "is before `from`; write a later day")


def _recurrence(fields: Fields) -> Every | Rule | None:
    every, rule = fields.text("every"), fields.any("rule", str)
    if every is not None and rule is not None:
        fields.wrong("rule", "stands beside `every`; keep one of them")
    if every is not None:
        match = _EVERY.fullmatch(every)
        if match is None or not 1 <= int(match[1]) <= GREATEST_INTERVAL:
            fields.wrong("every", 'is no interval; write one like "10 days", "2 weeks", "3 months" or "1 year"')
            return None
        return Every(int(match[1]), _UNITS[match[2]])
    problem = None if rule is None else rule_problem(rule)
    if problem is not None:
        fields.wrong("rule", problem)
    return None if rule is None or problem is not None else Rule(rule.upper())


def _meter(fields: Fields) -> MeterRule | None:
    told = fields.any("meter", dict)
    if told is None:
        return None
    inner = fields.inner(told, "meter")
    inner.only(("key", "every", "from", "ahead"))
    key, interval = inner.text("key"), _decimal(inner, "every")
    if key is None and "key" not in inner:
        inner.wrong("key", "is missing; name the meter")
    if interval is None or interval < LEAST_INTERVAL:
        inner.wrong("every", "is no number above 0; write how many units there are between two times")
        return None
    start, ahead = _decimal(inner, "from"), _decimal(inner, "ahead")
    return None if key is None else MeterRule(key, interval, start=start, expedite=ahead or Decimal(0))


def _shift(fields: Fields) -> Shift | None:
    told = fields.any("shift", dict)
    if told is None:
        return None
    names = ("late", "early", "tolerance_late", "tolerance_early")
    inner = fields.inner(told, "shift")
    inner.only(names)
    return Shift(**{name: _number(inner, name, 0, _PERCENT_MOST) or 0 for name in names})


def _day(values: Mapping[str, Any], fields: Fields, name: str) -> date | None:
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime) and FIRST_YEAR <= value.year <= LAST_YEAR:
        return value
    fields.wrong(name, f"is no day from {FIRST_YEAR} to {LAST_YEAR}; write one without quotes, as 2026-01-31")
    return None


def _clock(values: Mapping[str, Any], fields: Fields) -> time | None:
    value = values.get("time")
    if value is None or isinstance(value, time):
        return value
    fields.wrong("time", "is no time of day; write one without quotes, as 07:30:00")
    return None


def _word(fields: Fields, name: str, choices: tuple[str, ...]) -> str | None:
    return fields.one_of(name, choices, "") or None


def _number(fields: Fields, name: str, least: int, most: int) -> int | None:
    value = fields.any(name, int)
    if value is not None and not least <= value <= most:
        fields.wrong(name, f"is no number from {least} to {most}")
        return None
    return None if value is None else int(value)


def _decimal(fields: Fields, name: str) -> Decimal | None:
    value = fields.any(name, int, float, str)
    try:
        found = None if value is None else Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if found is not None and (not found.is_finite() or abs(found) > MOST_UNITS):
        fields.wrong(name, 'is no number; write one like 500 or "12.5"')
        return None
    return found


def _seconds(fields: Fields) -> int | None:
    hours = _decimal(fields, "hours")
    if hours is not None and not 0 <= hours <= _HOURS_MOST:
        fields.wrong("hours", f"is no number from 0 to {_HOURS_MOST}")
        return None
    return None if hours is None else int(hours * 3600)


def _keys(fields: Fields, name: str) -> tuple[str, ...] | None:
    told = fields.any(name, list)
    if told is None:
        return None
    for at, key in enumerate(told):
        if not isinstance(key, str) or not key:
            fields.wrong(name, f"is {kind_of(key)}; write keys as strings", at)
    return tuple(key for key in told if isinstance(key, str))
