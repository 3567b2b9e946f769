"""What is due again: a row each, leased to whoever works on it. Nothing waits in a worker's memory."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.store.rowset import Transaction
from handlers.store.schema import retries

RowId = tuple[str, int]
"""(delivery id, event index)."""
KEY = ("delivery_id", "event_index")


class Due(msgspec.Struct, frozen=True):
    """One row, taken.

    Attributes:
        delivery_id: of the delivery.
        index: the event's place in it.
        attempt: how many attempts were made so far.
        attempts: each of them, as `{"at", "code", "message"}`.
        alone: it is suspected of ending workers.
        deaths: how many workers ended while they worked on it alone.
    """

    delivery_id: str
    index: int
    attempt: int
    attempts: list[dict[str, Any]]
    alone: bool = False
    deaths: int = 0


class Row(msgspec.Struct, frozen=True):
    """One row to be: `attempt` is how many were made, `attempts` tells each as `{"at", "code", "message"}`."""

    delivery_id: str
    index: int
    connection_id: str
    attempt: int
    due_at: datetime
    attempts: list[dict[str, Any]]
    alone: bool = False
    deaths: int = 0


def schedule(tx: Transaction, rows: Sequence[Row], taken: Collection[RowId] = ()) -> None:
    """Writes rows that are due again.

    Args:
        tx: the transaction.
        rows: those.
        taken: the ones that this transaction holds: they are set anew, their lease gone. Any other that stands already
            is on its way, with attempts of its own, and stays as it is.
    """
    written = [
        {
            "delivery_id": row.delivery_id,
            "event_index": row.index,
            "connection_id": row.connection_id,
            "attempt": row.attempt,
            "due_at": row.due_at,
            "attempts": row.attempts,
            "alone": row.alone,
            "deaths": row.deaths,
        }
        for row in sorted(rows, key=lambda row: (row.delivery_id, row.index))
    ]
    tx.insert_missing(retries, written)
    fresh = {"leased_until": None, "started_at": None}
    held = [row for row in written if (row["delivery_id"], row["event_index"]) in taken]
    tx.update(retries, [{**row, **fresh} for row in held], KEY)


def lease_due(
    tx: Transaction, *, now: datetime, lease: timedelta, limit: int, steady_since: datetime | None = None
) -> list[RowId]:
    """Leases rows that are due and held by nobody; the caller rings for them once this has committed.

    A row that was begun on alone and whose lease ran out has ended its worker: that is one death.

    Args:
        tx: the transaction.
        now: the clock.
        lease: for how long.
        limit: how many at most.
        steady_since: since when the database has been there without a break. A lease that ran out before that counts
            as no death: its worker may just have been unable to say that it lives.
    """
    due = (
        sa.select(
            retries.c.delivery_id,
            retries.c.event_index,
            retries.c.leased_until,
            retries.c.started_at,
            retries.c.deaths,
        )
        .where(retries.c.due_at <= now, sa.or_(retries.c.leased_until.is_(None), retries.c.leased_until <= now))
        .order_by(retries.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    found = tx.connection.execute(due).all()
    rows = [
        {
            "delivery_id": row.delivery_id,
            "event_index": row.event_index,
            "leased_until": now + lease,
            "started_at": None,
            "deaths": row.deaths + _died(row.started_at, row.leased_until, steady_since),
        }
        for row in found
    ]
    tx.update(retries, rows, KEY)
    return [(row.delivery_id, row.event_index) for row in found]


def _died(started_at: datetime | None, leased_until: datetime | None, steady_since: datetime | None) -> bool:
    if started_at is None or leased_until is None:
        return False
    return steady_since is None or leased_until >= steady_since


def bring_forward(tx: Transaction, connection_id: str, *, now: datetime, within: timedelta, limit: int) -> int:
    """Makes rows of a connection that are due soon due now.

    Args:
        tx: the transaction.
        connection_id: whose.
        now: the clock.
        within: how soon they would be due by themselves.
        limit: how many at most.

    Returns:
        How many there were.
    """
    soon = (
        sa.select(retries.c.delivery_id, retries.c.event_index)
        .where(retries.c.connection_id == connection_id, retries.c.leased_until.is_(None))
        .where(retries.c.due_at > now, retries.c.due_at <= now + within)
        .order_by(retries.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = [
        {"delivery_id": row.delivery_id, "event_index": row.event_index, "due_at": now}
        for row in tx.connection.execute(soon)
    ]
    tx.update(retries, rows, KEY)
    return len(rows)


def kept_between(tx: Transaction, since: datetime, until: datetime) -> set[str]:
    """The connections of rows that are due then though nothing of them has failed: these only wait for a connection."""
    kept = sa.select(retries.c.connection_id).distinct()
    kept = kept.where(retries.c.due_at > since, retries.c.due_at <= until)
    kept = kept.where(retries.c.attempt == 0, retries.c.leased_until.is_(None))
    return set(tx.connection.execute(kept).scalars())


def suspects(tx: Transaction, ids: Sequence[RowId]) -> set[RowId]:
    """Those of the rows that are worked on alone: each of them is rung for by itself."""
    wanted = [{"delivery_id": each, "event_index": index, "alone": True} for each, index in sorted(set(ids))]
    return {(row.delivery_id, row.event_index) for row in tx.select(retries, wanted, KEY)}


def suspect(tx: Transaction, ids: Sequence[RowId]) -> None:
    """Has rows tried alone from now on, and at once; one that is gone or held by another is left as it is."""
    rows = [
        {"delivery_id": row.delivery_id, "event_index": row.index, "alone": True, "leased_until": None}
        for row in take(tx, ids)
    ]
    tx.update(retries, rows, KEY)


def begin(tx: Transaction, row: RowId, *, now: datetime, lease: timedelta) -> Due | None:
    """Notes, before it is worked on, that a suspect is; None where it is gone, or held by another."""
    taken = take(tx, [row])
    if not taken:
        return None
    begun = {"delivery_id": row[0], "event_index": row[1], "started_at": now, "leased_until": now + lease}
    tx.update(retries, [begun], KEY)
    return taken[0]


def take(tx: Transaction, ids: Sequence[RowId]) -> list[Due]:
    """Locks the rows for this transaction; one that is gone or held by another is left out: nothing to do."""
    if not ids:
        return []
    wanted = sa.tuple_(retries.c.delivery_id, retries.c.event_index).in_(sorted(set(ids)))
    statement = (
        sa.select(
            retries.c.delivery_id,
            retries.c.event_index,
            retries.c.attempt,
            retries.c.attempts,
            retries.c.alone,
            retries.c.deaths,
        )
        .where(wanted)
        .order_by(retries.c.delivery_id, retries.c.event_index)
        .with_for_update(skip_locked=True)
    )
    return [Due(*row) for row in tx.connection.execute(statement)]


def finish(tx: Transaction, ids: Sequence[RowId]) -> None:
    """Deletes rows that are done."""
    tx.delete(retries, [{"delivery_id": each, "event_index": index} for each, index in sorted(set(ids))])
