"""Bytes of the archive that are old are let go, where an operator wants it so; that a delivery came stays known.

Only of a delivery that is settled: nothing of it is on its way, is an open dead letter, or is distrusted, which makes
its bytes evidence. Whoever calls this has put what it told into the checkpoint, in the same transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from handlers.store import distrust
from handlers.store.dead_letters import OPEN
from handlers.store.events import IDENTITY, Identity
from handlers.store.rowset import Transaction
from handlers.store.schema import checkpoints, dead_letters, deliveries, events, retries

Place = tuple[datetime, str]
"""Of a delivery in the archive's order: when it was received, and its id."""

_OLD = deliveries.c
_PLACE = (_OLD.received_at, _OLD.delivery_id)
_IS_SETTLED = sa.and_(
    _OLD.purged_at.is_(None),
    _OLD.distrusted_at.is_(None),
    ~sa.exists().where(retries.c.delivery_id == _OLD.delivery_id),
    ~sa.exists().where(dead_letters.c.delivery_id == _OLD.delivery_id, dead_letters.c.state == OPEN),
)


class Old(NamedTuple):
    """A delivery whose bytes may go, if what it told can be kept; its members are its columns."""

    received_at: datetime
    delivery_id: str
    connection_id: str
    body_bytes: int


class Looked(NamedTuple):
    """A part of the archive that was looked through.

    Attributes:
        old: what of it may go, in the archive's order.
        last: the delivery that was looked at last; None where there was none.
    """

    old: list[Old]
    last: Place | None


def look(tx: Transaction, after: Place | None, before: datetime, limit: int) -> Looked:
    """Looks through the next deliveries of the archive; however many of them are purged, it reads no more than that.

    Args:
        tx: the transaction.
        after: the delivery that was looked at last; None begins with the oldest.
        before: only those received before then (UTC).
        limit: how many to look at.
    """
    part = sa.select(_OLD.received_at, _OLD.delivery_id).where(_OLD.received_at < before)
    if after is not None:
        last_looked = (sa.literal(value, column.type) for value, column in zip(after, _PLACE, strict=True))
        part = part.where(sa.tuple_(*_PLACE) > sa.tuple_(*last_looked))
    looked = part.order_by(*_PLACE).limit(limit).cte("looked")
    is_looked = sa.and_(_OLD.received_at == looked.c.received_at, _OLD.delivery_id == looked.c.delivery_id)
    last = sa.select(looked).order_by(looked.c.received_at.desc(), looked.c.delivery_id.desc()).limit(1)
    end = tx.connection.execute(last).one_or_none()
    wanted = sa.select(*(_OLD[name] for name in Old._fields)).join_from(deliveries, looked, is_looked)
    old = tx.connection.execute(wanted.where(_IS_SETTLED).order_by(*_PLACE))
    return Looked([Old(*row) for row in old], None if end is None else (end.received_at, end.delivery_id))


def hold(tx: Transaction, ids: Iterable[str]) -> set[str]:
    """Locks those of some deliveries that may go still, and that nobody else has at work; returns their ids."""
    wanted = sa.select(_OLD.delivery_id).where(_OLD.delivery_id.in_(sorted(ids)), _IS_SETTLED).order_by(*_PLACE)
    return set(tx.connection.execute(wanted.with_for_update(of=deliveries, skip_locked=True)).scalars())


def trusted(tx: Transaction, connection_id: str, address: str, ids: Iterable[str]) -> set[str]:
    """Those of some deliveries to an address that are in a connection's set, or whose part of it that is."""
    wanted = sa.select(_OLD.delivery_id).where(_OLD.delivery_id.in_(sorted(ids)))
    return set(tx.connection.execute(wanted.where(distrust.in_set(connection_id, [address]))).scalars())


def told(tx: Transaction, identities: Iterable[Identity]) -> dict[Identity, datetime]:
    """Those of some events that are recorded, with when each first came (UTC)."""
    wanted = [dict(zip(IDENTITY, each, strict=True)) for each in sorted(set(identities))]
    rows = tx.select(events, wanted, (*IDENTITY, "received_at"))
    return {(row.connection_id, row.event_id, row.digest): row.received_at for row in rows}


def brought(tx: Transaction, ids: Iterable[str]) -> dict[str, set[Identity]]:
    """The events that are recorded from some deliveries."""
    known: dict[str, set[Identity]] = {}
    wanted = [{"delivery_id": each} for each in sorted(ids)]
    for row in tx.select(events, wanted, ("delivery_id", *IDENTITY)):
        known.setdefault(row.delivery_id, set()).add((row.connection_id, row.event_id, row.digest))
    return known


def purge(tx: Transaction, old: Sequence[Old], now: datetime) -> int:
    """Lets the bytes of deliveries go, and notes how far that has come; returns how many bytes those were.

    Bytes that another delivery needs still, which repeats them, are its own from then on.

    Args:
        tx: the transaction, which holds them (`hold`).
        old: which.
        now: the clock.
    """
    ids = [each.delivery_id for each in old]
    tx.connection.execute(sa.update(deliveries).values(purged_at=now).where(_OLD.delivery_id.in_(ids)))
    heirs = _heirs(tx, ids)
    first = deliveries.alias("first")
    for holder, heir in heirs.items():
        bytes_ = sa.select(first.c.body).where(first.c.delivery_id == holder).scalar_subquery()
        tx.connection.execute(sa.update(deliveries).values(body=bytes_).where(_OLD.delivery_id == heir))
    mine = sa.select(_OLD.delivery_id).where(_OLD.delivery_id.in_(ids), _OLD.body.is_not(None))
    gone = set(tx.connection.execute(mine).scalars()) - heirs.keys()
    tx.connection.execute(sa.update(deliveries).values(body=None).where(_OLD.delivery_id.in_(ids)))
    freed = {each.delivery_id: each.body_bytes if each.delivery_id in gone else 0 for each in old}
    for address in sorted({each.connection_id for each in old}):
        _note(tx, [each for each in old if each.connection_id == address], freed, now)
    return sum(freed.values())


def _heirs(tx: Transaction, ids: Sequence[str]) -> dict[str, str]:
    """By delivery that has its bytes and loses them: one that repeats them and is not purged, where there is any.

    What is evidence and no more has them only where nobody else repeats them.
    """
    holder = deliveries.alias("holder")
    heir = sa.func.coalesce(_repeat(holder, is_evidence=False), _repeat(holder, is_evidence=True))
    found = sa.select(holder.c.delivery_id, heir).where(holder.c.delivery_id.in_(ids), holder.c.body.is_not(None))
    return {holder_id: heir_id for holder_id, heir_id in tx.connection.execute(found) if heir_id is not None}


def _repeat(holder: sa.FromClause, *, is_evidence: bool) -> sa.ScalarSelect[str]:
    """A delivery that repeats the bytes of one; any, for of some bytes that come every minute there are many."""
    other = deliveries.alias()
    mark = other.c.distrusted_at
    return (
        sa.select(other.c.delivery_id)
        .where(other.c.connection_id == holder.c.connection_id, other.c.body_digest == holder.c.body_digest)
        .where(other.c.purged_at.is_(None), other.c.body.is_(None))
        .where(mark.is_not(None) if is_evidence else mark.is_(None))
        .limit(1)
        .scalar_subquery()
    )


def _note(tx: Transaction, old: Sequence[Old], freed: dict[str, int], now: datetime) -> None:
    address = old[0].connection_id
    empty = {"connection_id": address, "deliveries": 0, "bytes": 0, "newest": old[0].received_at, "made_at": now}
    tx.insert_missing(checkpoints, [empty])
    newest = max(each.received_at for each in old)
    mine = checkpoints.c
    grown: dict[str, Any] = {
        "deliveries": mine.deliveries + len(old),
        "bytes": mine.bytes + sum(freed[each.delivery_id] for each in old),
        "newest": sa.case((mine.newest < newest, newest), else_=mine.newest),
        "made_at": now,
    }
    tx.connection.execute(sa.update(checkpoints).values(grown).where(mine.connection_id == address))
