"""Deliveries that are taken out of the set, because somebody else may have signed them; their bytes stay, as evidence.

What has left the set is marked in the archive. A repeat of it that comes once the connection is trusted again is a
delivery of its own, vouched for by the new secret: it is the first of its bytes in the set, and is applied.

A delivery to an address that several connections share stays for the others' sake: the share of the one that is
distrusted leaves the set, by when the delivery was received. Where the address itself is distrusted, all of it leaves.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from handlers.events import Delivery
from handlers.store.dead_letters import DISCARDED, OPEN, REPLAYED
from handlers.store.purged import require_archived
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters, deliveries, distrusts, events, retries

EDITED = "edited by "
"""How the verdict of an operator's corrected copy begins: that operator vouches for it, not the connection's secret."""
CLOCKS_APART = timedelta(seconds=30)
"""How far a receiver's clock may be ahead of the one that says until when: what it stamped before counts as before."""


class Distrust(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when a connection's deliveries are not trusted; its members are its columns.

    Attributes:
        connection_id: whose; or the address that several share.
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
        shared: to an address that is shared, of which the connection's part is in it so far.
        events: recorded from any of them.
        letters: that are open, or were sent on their way again.
        waiting: rows of `retries`.
    """

    deliveries: int
    marked: int
    shared: int
    events: int
    letters: int
    waiting: int


def reach(tx: Transaction, asked: Distrust) -> Reach:
    """What a distrust would take out, as things stand.

    Raises:
        PermanentError: of code `purged`: some of it cannot be taken out any more.
    """
    require_archived(tx, asked.connection_id, asked.since, asked.until)
    taken = _taken(asked)
    marks = sa.select(sa.func.count(), sa.func.count(deliveries.c.distrusted_at)).where(_of(deliveries, taken))
    [(all_, marked)] = tx.connection.execute(marks)
    tables: tuple[tuple[sa.Table, tuple[sa.ColumnElement[bool], ...]], ...]
    tables = ((events, ()), (dead_letters, (_UNSETTLED,)), (retries, ()))
    parts = sa.union(
        *(sa.select(table.c.delivery_id).where(_of_share(table, asked), *more) for table, more in tables)
    ).subquery()
    shared = tx.connection.execute(sa.select(sa.func.count()).select_from(parts)).scalar_one()
    counts = [
        tx.connection.execute(
            sa.select(sa.func.count()).select_from(table).where(_leaves(table, taken, asked), *more)
        ).scalar_one()
        for table, more in tables
    ]
    return Reach(all_ - marked, marked, shared, *counts)


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
    tx.connection.execute(sa.delete(retries).where(_leaves(retries, which, asked)))
    gone = {"state": DISCARDED, "retry_at": None}
    lost = (_leaves(dead_letters, which, asked), _UNSETTLED)
    tx.connection.execute(sa.update(dead_letters).values(gone).where(*lost))
    mark = {"distrusted_at": asked.at, "distrusted_by": asked.who}
    unmarked = deliveries.c.distrusted_at.is_(None)
    tx.connection.execute(sa.update(deliveries).values(mark).where(_of(deliveries, which), unmarked))
    return reached


class Left(NamedTuple):
    """What of a batch is not in the set.

    Attributes:
        deliveries: ids of those that are not at all.
        windows: from when to when members of a shared address are not trusted.
    """

    deliveries: Collection[str] = ()
    windows: Sequence[Distrust] = ()

    def has(self, delivery: Delivery, member: str | None) -> bool:
        """Whether it has a delivery, or a member's part of one."""
        if delivery.delivery_id in self.deliveries:
            return True
        return any(
            each.connection_id == member and _is_of_its_time(delivery, each)
            for each in self.windows
            if member != delivery.connection_id
        )


def left_set(tx: Transaction, batch: Sequence[Delivery], members: Collection[str], now: datetime) -> Left:
    """What of some archived deliveries is not in the set; a delivery that came late to it is marked here.

    Args:
        tx: the transaction that archived them.
        batch: the deliveries.
        members: whose parts there are of those to an address that is shared.
        now: the clock.
    """
    connections = sorted({each.connection_id for each in batch}.union(members))
    known = tx.select(distrusts, [{"connection_id": each} for each in connections], Distrust.__struct_fields__)
    if not known:
        return Left()
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
    return Left(marked | late.keys(), [each for each in windows if each.connection_id in members])


def _is_within(delivery: Delivery, window: Distrust) -> bool:
    return delivery.connection_id == window.connection_id and _is_of_its_time(delivery, window)


def _is_of_its_time(delivery: Delivery, window: Distrust) -> bool:
    return window.since <= delivery.received_at < window.until and not delivery.verdict.startswith(EDITED)


def in_set(connection_id: str, addresses: Collection[str]) -> sa.ColumnElement[bool]:
    """Of a delivery in the archive: that it is in the set, or its connection's part of it is.

    Args:
        connection_id: whose archive is read.
        addresses: where its deliveries came in: its own, and one that it shares with others.
    """
    window = sa.exists().where(
        distrusts.c.connection_id == connection_id,
        distrusts.c.since <= deliveries.c.received_at,
        distrusts.c.until > deliveries.c.received_at,
    )
    is_distrusted_part = sa.and_(deliveries.c.connection_id != connection_id, _IS_NO_COPY, window)
    came_in = deliveries.c.connection_id.in_(sorted(addresses))
    return sa.and_(came_in, deliveries.c.distrusted_at.is_(None), ~is_distrusted_part)


_UNSETTLED = dead_letters.c.state.in_((OPEN, REPLAYED))
_IS_NO_COPY = deliveries.c.verdict.not_like(f"{EDITED}%")


def taken(asked: Distrust, shared: Collection[str]) -> sa.Select[Any]:
    """The ids of the deliveries that it takes out of a connection's archive, whole or as far as they are its own.

    Args:
        asked: which are not trusted.
        shared: addresses that the connection shares, if it is the one that is not trusted.
    """
    own = sa.select(_taken(asked).c.delivery_id)
    parts = sa.select(deliveries.c.delivery_id).where(deliveries.c.connection_id.in_(sorted(shared)), *_time_of(asked))
    return sa.select(own.union_all(parts).subquery().c.delivery_id)


def _taken(asked: Distrust) -> sa.CTE:
    """The ids of what is taken out: deliveries of the time, and the corrected copies of any that is taken out."""
    own = sa.select(deliveries.c.delivery_id).where(deliveries.c.connection_id == asked.connection_id, *_time_of(asked))
    of_parts = sa.select(dead_letters.c.edited_into).where(
        _of_share(dead_letters, asked), dead_letters.c.edited_into.is_not(None)
    )
    both = own.union_all(of_parts).subquery()
    first = sa.select(both.c.delivery_id).cte("taken", recursive=True)
    copies = (
        sa.select(dead_letters.c.edited_into)
        .join(first, dead_letters.c.delivery_id == first.c.delivery_id)
        .where(dead_letters.c.edited_into.is_not(None))
    )
    return first.union(copies)


def _time_of(asked: Distrust) -> tuple[sa.ColumnElement[bool], ...]:
    return deliveries.c.received_at >= asked.since, deliveries.c.received_at < asked.until, _IS_NO_COPY


def _leaves(table: sa.Table, taken: sa.CTE, asked: Distrust) -> sa.ColumnElement[bool]:
    """Of a row about a delivery: that this leaves the set, or the part that the row is about."""
    return sa.or_(_of(table, taken), _of_share(table, asked))


def _of_share(table: sa.Table, asked: Distrust) -> sa.ColumnElement[bool]:
    """Of a row: that it is about the connection's part of a delivery of that time to an address that is shared."""
    there = sa.select(deliveries.c.delivery_id).where(
        deliveries.c.connection_id != asked.connection_id, *_time_of(asked)
    )
    return sa.and_(table.c.connection_id == asked.connection_id, table.c.delivery_id.in_(there))


def _of(table: sa.Table, taken: sa.CTE) -> sa.ColumnElement[bool]:
    column: sa.Column[Any] = table.c.delivery_id
    return column.in_(sa.select(taken.c.delivery_id))
