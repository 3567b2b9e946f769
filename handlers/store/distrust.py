"""Deliveries that are taken out of the set, because somebody else may have signed them; their bytes stay, as evidence.

What has left the set is marked in the archive. A repeat of it that comes once the connection is trusted again is a
delivery of its own, vouched for by the new secret: it is the first of its bytes in the set, and is applied.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.events import Delivery
from handlers.store.dead_letters import DISCARDED, OPEN, REPLAYED
from handlers.store.reading import Readable, walk
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, deliveries, distrusts, events, retries

EDITED = "edited by "
"""How the verdict of an operator's corrected copy begins: that operator vouches for it, not the connection's secret."""
CLOCKS_APART = timedelta(seconds=30)
"""How far a receiver's clock may be ahead of the one that says until when: what it stamped before counts as before."""


class Distrust(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when a connection's deliveries are not trusted; its members are its columns.

    Attributes:
        connection_id: whose.
        since: deliveries received from then on (UTC).
        until: and before then.
        at: when that was said.
        who: by whom.
        reason: why.
    """

    connection_id: str
    since: datetime
    until: datetime
    at: datetime
    who: str
    reason: str


class Reach(NamedTuple):
    """How much a distrust takes out of the set.

    Attributes:
        deliveries: that are in the set so far.
        marked: that had left it before.
        events: recorded from any of them.
        letters: that are open, or were sent on their way again.
        waiting: rows of `retries`.
    """

    deliveries: int
    marked: int
    events: int
    letters: int
    waiting: int


def reach(tx: Transaction, asked: Distrust) -> Reach:
    """What a distrust would take out, as things stand."""
    taken = _taken(asked)
    marks = sa.select(sa.func.count(), sa.func.count(deliveries.c.distrusted_at)).where(_of(deliveries, taken))
    [(all_, marked)] = tx.connection.execute(marks)
    counts = [
        tx.connection.execute(
            sa.select(sa.func.count()).select_from(table).where(_of(table, taken), *more)
        ).scalar_one()
        for table, more in ((events, ()), (dead_letters, (_UNSETTLED,)), (retries, ()))
    ]
    return Reach(all_ - marked, marked, *counts)


def take_out(tx: Transaction, asked: Distrust) -> Reach:
    """Marks deliveries, gives up what of them could not be applied, and calls back what is on its way.

    Their events are not touched: whoever calls this has the state computed anew, in the same transaction.

    Returns:
        What it reached.
    """
    reached = reach(tx, asked)
    which = _taken(asked)
    row = msgspec.structs.asdict(asked)
    tx.insert_missing(distrusts, [row])
    until = distrusts.c.until
    mine = (distrusts.c.connection_id == asked.connection_id, distrusts.c.since == asked.since, until < asked.until)
    tx.connection.execute(sa.update(distrusts).values(until=asked.until, at=asked.at, who=asked.who).where(*mine))
    tx.connection.execute(sa.delete(retries).where(_of(retries, which)))
    gone = {"state": DISCARDED, "retry_at": None}
    tx.connection.execute(sa.update(dead_letters).values(gone).where(_of(dead_letters, which), _UNSETTLED))
    mark = {"distrusted_at": asked.at, "distrusted_by": asked.who}
    unmarked = deliveries.c.distrusted_at.is_(None)
    tx.connection.execute(sa.update(deliveries).values(mark).where(_of(deliveries, which), unmarked))
    return reached


class Out(NamedTuple):
    """A delivery that was taken out of the set; its members are its columns."""

    received_at: datetime
    delivery_id: str
    connection_id: str
    body_bytes: int
    distrusted_at: datetime
    distrusted_by: str


def listed(
    database: Readable, connection_id: str | None, since: datetime | None, until: datetime | None
) -> Iterator[Out]:
    """The deliveries that were taken out of the set, those that came last first.

    Args:
        database: to read from.
        connection_id: only of that connection.
        since: received from then on (UTC).
        until: received before.
    """
    wanted = sa.select(*(deliveries.c[name] for name in Out._fields)).where(deliveries.c.distrusted_at.is_not(None))
    if connection_id is not None:
        # Kept from the index that begins with it: it has not the order.
        wanted = wanted.where(sa.func.coalesce(deliveries.c.connection_id, "") == connection_id)
    if since is not None:
        wanted = wanted.where(deliveries.c.received_at >= since)
    if until is not None:
        wanted = wanted.where(deliveries.c.received_at < until)
    order = (deliveries.c.received_at, deliveries.c.delivery_id)
    return (Out(**row._mapping) for row in walk(database, wanted, order, newest_first=True))  # noqa: SLF001  # public


def left_set(tx: Transaction, batch: Sequence[Delivery], now: datetime) -> set[str]:
    """Those of some archived deliveries, by id, that are not in the set; one that came late to it is marked here.

    Args:
        tx: the transaction that archived them.
        batch: the deliveries.
        now: the clock.
    """
    connections = sorted({each.connection_id for each in batch})
    known = tx.select(distrusts, [{"connection_id": each} for each in connections], Distrust.__struct_fields__)
    if not known:
        return set()
    windows = [Distrust(**row._mapping) for row in known]  # noqa: SLF001  # the public name of a row's columns
    ids = [
        {"delivery_id": each.delivery_id} for each in batch if each.connection_id in {w.connection_id for w in windows}
    ]
    found = tx.select(deliveries, ids, ("delivery_id", "distrusted_at"))
    marked = {row.delivery_id for row in found if row.distrusted_at is not None}
    late = {
        each.delivery_id: window.who
        for each in batch
        for window in windows
        if each.delivery_id not in marked and _is_within(each, window)
    }
    marks = [{"delivery_id": each, "distrusted_at": now, "distrusted_by": who} for each, who in sorted(late.items())]
    tx.update(deliveries, marks, ("delivery_id",))
    return marked | late.keys()


def _is_within(delivery: Delivery, window: Distrust) -> bool:
    of_it = delivery.connection_id == window.connection_id and not delivery.verdict.startswith(EDITED)
    return of_it and window.since <= delivery.received_at < window.until


_UNSETTLED = dead_letters.c.state.in_((OPEN, REPLAYED))


def taken(asked: Distrust) -> sa.Select[Any]:
    """The ids of the deliveries that it takes out."""
    return sa.select(_taken(asked).c.delivery_id)


def _taken(asked: Distrust) -> sa.CTE:
    """The ids of what is taken out: deliveries of the time, and the corrected copies of any that is taken out."""
    first = (
        sa.select(deliveries.c.delivery_id)
        .where(deliveries.c.connection_id == asked.connection_id)
        .where(deliveries.c.received_at >= asked.since, deliveries.c.received_at < asked.until)
        .where(deliveries.c.verdict.not_like(f"{EDITED}%"))
        .cte("taken", recursive=True)
    )
    copies = (
        sa.select(dead_letters.c.edited_into)
        .join(first, dead_letters.c.delivery_id == first.c.delivery_id)
        .where(dead_letters.c.edited_into.is_not(None))
    )
    return first.union(copies)


def _of(table: sa.Table, taken: sa.CTE) -> sa.ColumnElement[bool]:
    column: sa.Column[Any] = table.c.delivery_id
    return column.in_(sa.select(taken.c.delivery_id))
