"""Plans and orders as upstream records tell them, read into what scheduling asks for.

What a record does not say of a plan nobody guesses: `problems` says what is missing, and `pm_plans.toml` can add it.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Any, Final

from handlers.events import Json
from handlers.rules import exact
from handlers.rules.occurrence import Order
from handlers.rules.order import EPOCH, occurred_at, word
from handlers.rules.pm_plan import FIRST_YEAR, LAST_YEAR, LEAST_INTERVAL, MOST_UNITS, Basis, MeterRule, Mode
from handlers.rules.recurrence import GREATEST_INTERVAL, Every, Recurrence, Rule, Unit, local_day
from handlers.rules.registers import Record, ref_key
from handlers.rules.times import is_date, parse_instant

BASES: Final[Mapping[str, Basis]] = {
    "time": "calendar",
    "meter": "meter",
    "time_or_meter": "calendar_or_meter",
    "time_and_meter": "calendar_and_meter",
}
MODES: Final[Mapping[str, Mode]] = {"fixed": "fixed", "floating": "completion"}
UNITS: Final[Mapping[str, Unit]] = {"day": "day", "week": "week", "month": "month", "year": "year"}
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
SECONDS_A_DAY = 86_400
LONGEST_LEAD = 3_660
"""Days."""
TOUCHED = frozenset({"in_progress", "on_hold", "completed", "closed"})
CANCELLED = frozenset({"cancelled"})
DONE = frozenset({"completed", "closed"})
REASONS = ("cancel_reason", "cancellation_reason")
"""Custom fields that say why an order was cancelled: the unified model has no field for it."""


def plan_fields(record: Record, zone: tzinfo) -> dict[str, Any]:
    """What a plan's registers say, by the names of `Plan`; what they do not say is left out.

    Args:
        record: the plan's registers.
        zone: of its site, in which instants are days.
    """
    problems: list[str] = []
    recurrence = _recurrence(record, problems)
    meter = _meter(record)
    basis = BASES.get(str(record.read("trigger_kind")))
    if basis is None:
        basis = "meter" if meter is not None and recurrence is None else "calendar"
    next_due, lead = record.read("next_due_at"), record.read("lead_time_days")
    found: dict[str, Any] = {
        "name": _text(record.read("name")),
        "is_active": word(record.read("status")) in {None, "active", "unknown"}
        and record.fields.get("is_deleted") is not True,
        "basis": basis,
        "mode": MODES.get(str(record.read("recurrence_basis")), "fixed"),
        "recurrence": recurrence,
        "meter": meter,
        "assets": tuple(key for each in _list(record.read("asset_refs")) if (key := ref_key(each)) is not None),
        "anchor": _day(record.read("start_date"), zone),
        "stated_next": _day(next_due, zone),
        "is_extended": record.read("next_due_overridden") is True,
        "last_completed": _day(record.read("last_completed_at"), zone),
        "ends": _day(record.read("end_date"), zone),
        "clock": _clock(next_due, zone),
        "lead_days": lead if isinstance(lead, int) and lead <= LONGEST_LEAD else None,
        "duration_s": record.read("estimated_duration"),
    }
    if recurrence is None and basis != "meter" and not problems:
        problems.append("nobody said how often: no cycle and no days of the week")
    if meter is None and basis != "calendar":
        problems.append("nobody said which meter, or every how many units")
    if recurrence is not None and basis != "meter" and found["anchor"] is None and found["stated_next"] is None:
        problems.append("nobody said from when: no start_date and no next_due_at")
    return {**{name: value for name, value in found.items() if value is not None}, "problems": tuple(problems)}


def order_of(record: Record, key: str, zone: tzinfo) -> Order:
    """A work order's registers, as scheduling asks for them; days are days of a zone."""
    status = word(record.read("status"))
    cancelled = status == "cancelled"
    done_at = _instant(record.read("completed_at")) or _instant(record.read("closed_at"))
    due = _day(record.read("due_at"), zone) or _day(record.read("due_date"), zone)
    starts = (_day(record.read(name), zone) for name in ("planned_start_at", "scheduled_start_at"))
    reasons = (_text(record.custom_fields.get(name)) for name in REASONS)
    return Order(
        key=key,
        status=status,
        made_at=_first_fact(record),
        due=due,
        wanted=due or next((day for day in starts if day is not None), None),
        completed_at=(done_at or _turned(record, DONE)) if status in DONE else None,
        cancelled_at=(_instant(record.read("cancelled_at")) or _turned(record, CANCELLED)) if cancelled else None,
        cancel_reason=next((reason for reason in reasons if reason), None),
        touched=status in TOUCHED,
    )


def _recurrence(record: Record, problems: list[str]) -> Recurrence | None:
    cycles = [each for each in (_every(cycle, problems) for cycle in _list(record.read("cycles"))) if each is not None]
    shortest = min(cycles, key=lambda each: each.days, default=None)
    if len(cycles) > 1 and shortest is not None:
        problems.append(f"has {len(cycles)} cycles; the shortest, {shortest.count} {shortest.unit}, counts")
    weekdays = [day for day in _list(record.read("days_of_week")) if isinstance(day, int)]
    if weekdays and (shortest is None or shortest.unit == "week"):
        count = 1 if shortest is None else shortest.count
        names = ",".join(WEEKDAYS[day - 1] for day in sorted(set(weekdays)))
        return Rule(f"FREQ=WEEKLY;INTERVAL={count};BYDAY={names};WKST=MO")
    return shortest


def _every(cycle: Json, problems: list[str]) -> Every | None:
    if not isinstance(cycle, dict):
        return None
    interval, unit = exact.decimal(cycle.get("interval")), cycle.get("unit")
    if interval is not None and unit == "second":
        interval, unit = interval / SECONDS_A_DAY, "day"
    known = UNITS.get(str(unit))
    if interval is None or known is None:
        return None
    if interval != interval.to_integral_value() or not 1 <= interval <= GREATEST_INTERVAL:
        problems.append(f"a cycle of {cycle.get('interval')} {cycle.get('unit')} is no whole number of days or more")
        return None
    return Every(int(interval), known)


def _meter(record: Record) -> MeterRule | None:
    key, interval = record.ref("meter_ref"), exact.decimal(record.read("meter_interval"))
    if key is None or interval is None or not LEAST_INTERVAL <= interval <= MOST_UNITS:
        return None
    following = exact.decimal(record.read("next_meter_value"))
    counts = following is not None and abs(following) <= MOST_UNITS
    return MeterRule(key, interval, stated_next=following if counts else None)


def _first_fact(record: Record) -> datetime:
    """When the first fact of its trail happened: every order that states a status has one."""
    stamps = [stamp for stamp, _ in record.trail] or sorted(record.stamps.values()) or [record.last_stamp]
    return max(min(map(occurred_at, stamps)), EPOCH)


def _turned(record: Record, words: frozenset[str]) -> datetime | None:
    """When it last came to one of some statuses, from another."""
    found, before = None, None
    for stamp, kept in record.trail:
        if "status" not in kept:
            continue
        now = word(kept["status"])
        if now in words and before not in words:
            found = max(occurred_at(stamp), EPOCH)
        before = now
    return found


def _day(value: Json, zone: tzinfo) -> date | None:
    """A day of a zone; None where there is none, and for one so far off that it stands for none (9999-12-31)."""
    if isinstance(value, str) and is_date(value):
        day = date.fromisoformat(value)
        return day if is_in_time(day) else None
    moment = _instant(value)
    return None if moment is None else local_day(moment, zone)


def is_in_time(moment: date) -> bool:
    """Whether a day or a moment is one on which something may be due or done."""
    return FIRST_YEAR <= moment.year <= LAST_YEAR


def _instant(value: Json) -> datetime | None:
    moment = parse_instant(value)
    return moment if moment is not None and is_in_time(moment) else None


def _clock(value: Json, zone: tzinfo) -> time | None:
    moment = _instant(value)
    return None if moment is None else moment.astimezone(zone).time()


def _list(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
