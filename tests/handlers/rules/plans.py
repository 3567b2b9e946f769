"""Plans, orders and meters for tests of scheduling, told briefly."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from handlers.rules.occurrence import Occurrence, Order
from handlers.rules.pm_plan import MeterRule, Plan
from handlers.rules.pm_schedule import occurrences
from handlers.rules.recurrence import Every
from handlers.rules.usage import Total

MONTHLY = Every(1, "month")


def at(text: str, hour: int = 12) -> datetime:
    """Noon (UTC) of a day, or another hour."""
    return datetime.combine(date.fromisoformat(text), time(hour), tzinfo=UTC)


def plan(**told: Any) -> Plan:
    """A monthly plan from 1 January 2024 unless told otherwise."""
    usual: dict[str, Any] = {"recurrence": MONTHLY, "anchor": date(2024, 1, 1)}
    return Plan(connection="c", key="P", **{**usual, **told})


def metered(interval: int, **told: Any) -> Plan:
    """A plan of meter M, every so many units from zero unless told otherwise."""
    rule = {name: told.pop(name) for name in ("start", "stated_next", "expedite") if name in told}
    meter = MeterRule("M", Decimal(interval), **{"start": Decimal(0), **rule})
    return Plan(connection="c", key="P", **{"basis": "meter", "meter": meter, **told})


def order(
    key: str,
    wanted: str | None = None,
    *,
    made: str = "2023-12-01",
    done: str | None = None,
    cancelled: str | None = None,
    why: str | None = None,
    begun: bool = False,
) -> Order:
    """An order for a day, at noon of the days given."""
    day = None if wanted is None else date.fromisoformat(wanted)
    status = "completed" if done else "cancelled" if cancelled else "in_progress" if begun else "approved"
    return Order(
        key=key,
        status=status,
        made_at=at(made),
        due=day,
        wanted=day,
        completed_at=None if done is None else at(done),
        cancelled_at=None if cancelled is None else at(cancelled),
        cancel_reason=why,
        touched=begun or done is not None,
    )


def read(*told: tuple[str, int]) -> list[Total]:
    """Totals at noon of days."""
    return [Total(at(day), Decimal(value)) for day, value in told]


def found(
    what: Plan, *orders: Order, now: str, counted: Sequence[Total] = (), until: str | None = None, **told: Any
) -> list[Occurrence]:
    """The occurrences at noon of a day, up to that day unless told otherwise."""
    last = date.fromisoformat(now if until is None else until)
    return occurrences(what, orders, counted, at(now), until=last, **told)


def brief(made: Sequence[Occurrence]) -> list[tuple[str, str]]:
    """What they are named and what became of them."""
    return [(each.due_key, each.state) for each in made]


def days_of(made: Sequence[Occurrence]) -> list[str]:
    """The days on which they are due."""
    return [str(each.due) for each in made]


def later(day: str, days: int) -> str:
    """A day some days on."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
