"""The kept occurrences of preventive maintenance: of some days, and of one asset."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.rules.occurrence import STATES
from handlers.store.engine import Database
from handlers.store.reading import Readable, connection_ids
from handlers.store.schema import pm_occurrences, pm_plans

TOLD: Final = (
    "connection_id",
    "plan_key",
    "due_key",
    "asset_key",
    "site_key",
    "due_date",
    "due_until",
    "is_estimated",
    "state",
    "reason",
    "work_order_key",
    "completed_at",
    "on_time",
    "crew_hours",
)
SETTLED: Final = frozenset({"completed", "missed", "skipped", "covered", "excluded", "skipped_by_jump"})
MOST_OF_ASSET: Final = 50
"""Times that are read of one asset."""


Place = tuple[str, str, str, str]
"""The day on which something is due, its connection, its plan, and which of the plan's times it is."""


class Due(msgspec.Struct, frozen=True):
    """One time that a plan is due, as the scheduler last found it; members as in `pm_occurrences`.

    Attributes:
        plan_name: what people call the plan; None where upstream did not say.
    """

    connection_id: str
    plan_key: str
    due_key: str
    asset_key: str | None
    site_key: str | None
    due_date: str | None
    due_until: datetime | None
    is_estimated: bool
    state: str
    reason: str | None
    work_order_key: str | None
    completed_at: datetime | None
    on_time: bool | None
    crew_hours: str | None
    plan_name: str | None


class Days(NamedTuple):
    """Which occurrences are wanted.

    Attributes:
        since: due from this day on.
        until: due before this one.
        site: only of this site.
    """

    since: date
    until: date
    site: str | None = None


def connections_with_occurrences(database: Database) -> list[str]:
    """Every connection that has any."""
    return connection_ids(database, pm_occurrences.c.connection_id)


def due_by_day(database: Readable, connections: Sequence[str], days: Days) -> Counter[tuple[str, str, bool | None]]:
    """How many are due on some days, by day, state and whether they were done in time."""
    each = pm_occurrences.c
    columns = (each.due_date, each.state, each.on_time)
    statement = sa.select(*columns, sa.func.count().label("number")).group_by(*columns)
    with database.read() as connection:
        rows = connection.execute(_between(statement, connections, days)).all()
    return Counter({(row.due_date, row.state, row.on_time): row.number for row in rows})


def due_between(
    database: Readable, connections: Sequence[str], days: Days, most: int, after: Place | None = None
) -> list[Due]:
    """So many at most of those due on some days, by day, connection and plan; behind a place, if one is given."""
    each = pm_occurrences.c
    order = (each.due_date, each.connection_id, each.plan_key, each.due_key)
    statement = _between(_selected(), connections, days).order_by(*order).limit(most)
    if after is not None:
        last = [sa.literal(value, column.type) for value, column in zip(after, order, strict=True)]
        statement = statement.where(sa.tuple_(*order) > sa.tuple_(*last))
    return _read(database, statement)


def place(due: Due) -> Place:
    """Where one of these stands among them."""
    return due.due_date or "", due.connection_id, due.plan_key, due.due_key


def due_now(database: Readable, connections: Sequence[str], site: str | None, most: int) -> list[Due]:
    """So many at most of those that are overdue or due, the oldest first."""
    each = pm_occurrences.c
    statement = _selected().where(each.connection_id.in_(connections), each.state.in_(("overdue", "due")))
    if site is not None:
        statement = statement.where(each.site_key == site)
    return _read(database, statement.order_by(each.due_date, each.connection_id, each.plan_key).limit(most))


def due_of_asset(database: Readable, connection: str, asset: str) -> list[Due]:
    """What is due on an asset or still to be done, the first first; what is settled is left out."""
    each = pm_occurrences.c
    statement = _selected().where(
        each.connection_id == connection, each.asset_key == asset, each.state.not_in(sorted(SETTLED))
    )
    return _read(database, statement.order_by(each.due_at, each.plan_key, each.due_key).limit(MOST_OF_ASSET))


def _selected() -> sa.Select[Any]:
    plan = sa.and_(
        pm_plans.c.connection_id == pm_occurrences.c.connection_id, pm_plans.c.key == pm_occurrences.c.plan_key
    )
    columns = (*(pm_occurrences.c[name] for name in TOLD), pm_plans.c.name.label("plan_name"))
    return sa.select(*columns).join_from(pm_occurrences, pm_plans, plan, isouter=True)


def _between(statement: sa.Select[Any], connections: Sequence[str], days: Days) -> sa.Select[Any]:
    """All states are named, since the index has them before the days."""
    each = pm_occurrences.c
    found = statement.where(
        each.connection_id.in_(connections),
        each.state.in_(STATES),
        each.due_date >= days.since.isoformat(),
        each.due_date < days.until.isoformat(),
    )
    return found if days.site is None else found.where(each.site_key == days.site)


def _read(database: Readable, statement: sa.Select[Any]) -> list[Due]:
    with database.read() as connection:
        return [Due(**row._mapping) for row in connection.execute(statement)]  # noqa: SLF001  # a row's columns, public
