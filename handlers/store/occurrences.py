"""Occurrences written where they differ from what stands; whoever writes them, and however often, they are the same."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from handlers.rules.occurrence import Occurrence
from handlers.rules.pm_plan import Plan
from handlers.store.rowset import Transaction
from handlers.store.schema import pm_occurrences

KEY = ("connection_id", "plan_key", "due_key")
LOCK = 0x6F63637572
"""Advisory lock on PostgreSQL of whoever writes occurrences: the letters `occur`."""
Row = Mapping[str, Any]


def row_of(plan: Plan, each: Occurrence) -> dict[str, Any]:
    """The row of an occurrence."""
    return {
        "connection_id": each.connection,
        "plan_key": each.plan,
        "due_key": each.due_key,
        "asset_key": each.asset,
        "site_key": each.site,
        "due_date": None if each.due is None else each.due.isoformat(),
        "due_at": each.due_at,
        "due_until": each.limits.get(plan.grace),
        "threshold": None if each.threshold is None else f"{each.threshold:f}",
        "is_estimated": each.is_estimated,
        "called_on": None if each.called_on is None else each.called_on.isoformat(),
        "state": each.state,
        "reason": each.reason,
        "work_order_key": each.order,
        "completed_at": each.completed_at,
        "on_time": each.in_time(plan.grace),
        "covered_by": each.covered_by,
        "crew_hours": None if each.crew_hours is None else f"{each.crew_hours.normalize():f}",
    }


def differing(tx: Transaction, connection: str, plans: Sequence[str], rows: Sequence[Row]) -> "Change":
    """What of the rows that stand for some plans of a connection has to change."""
    wanted = [{"connection_id": connection, "plan_key": key} for key in sorted(plans)]
    standing = {
        tuple(getattr(row, name) for name in KEY): row._mapping  # noqa: SLF001  # public, for all its underscore
        for row in tx.select(pm_occurrences, wanted, pm_occurrences.c.keys())
    }
    anew = {tuple(row[name] for name in KEY): row for row in rows}
    return Change(
        new=[anew[key] for key in sorted(anew.keys() - standing.keys())],
        changed=[anew[key] for key in sorted(anew.keys() & standing.keys()) if dict(standing[key]) != dict(anew[key])],
        gone=[dict(zip(KEY, key, strict=True)) for key in sorted(standing.keys() - anew.keys())],
    )


class Change:
    """What has to be written.

    Args:
        new: rows to insert.
        changed: rows to write over those of their keys.
        gone: keys of rows to delete.
    """

    def __init__(self, new: list[Row], changed: list[Row], gone: list[dict[str, Any]]) -> None:
        self.new, self.changed, self.gone = new, changed, gone

    def __len__(self) -> int:
        return len(self.new) + len(self.changed) + len(self.gone)

    def write(self, tx: Transaction) -> None:
        """Writes it."""
        tx.insert_missing(pm_occurrences, self.new)
        tx.update(pm_occurrences, self.changed, KEY)
        tx.delete(pm_occurrences, self.gone)


def lock(tx: Transaction) -> None:
    """Has one writer after the other; SQLite has but one anyway."""
    if tx.connection.dialect.name == "postgresql":
        tx.connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def others(tx: Transaction, connection: str, plans: Collection[str]) -> list[str]:
    """The plans of a connection that have occurrences and are not among those given."""
    named = sa.select(pm_occurrences.c.plan_key).where(pm_occurrences.c.connection_id == connection).distinct()
    return sorted(set(tx.connection.execute(named).scalars()) - set(plans))


def forget(tx: Transaction, connection: str, plans: Sequence[str]) -> int:
    """Deletes the occurrences of plans that are no more; returns of how many plans."""
    tx.delete(pm_occurrences, [{"connection_id": connection, "plan_key": key} for key in plans])
    return len(plans)
