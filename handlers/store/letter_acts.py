"""What moves a dead letter out of its state: it is sent on its way again, given up, or corrected.

Rows of `retries` are written before letters are touched, in the order in which a worker takes them.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa

from handlers.errors import PermanentError
from handlers.events import WHOLE_BODY, Delivery
from handlers.store import deliveries, retries
from handlers.store.dead_letters import DISCARDED, IS_OPEN, KEY, OPEN, REPLAYED, SUPERSEDED
from handlers.store.engine import Database
from handlers.store.retries import RowId
from handlers.store.rowset import Transaction
from handlers.store.schema import dead_letters
from handlers.store.schema import retries as retry_rows

POISON = "poison"
"""Code of what has ended workers."""
NOT_OPEN = "not_open"
"""Code of an act on a letter that is not open, or no longer."""


def send_again(tx: Transaction, keys: Iterable[RowId], now: datetime, replay_id: str | None) -> list[RowId]:
    """Sends open letters on their way again: the scheduler rings for them, and a worker reads them anew.

    Args:
        tx: the transaction.
        keys: which; one that is not open, or no longer, stays as it is.
        now: the clock.
        replay_id: of the replay that sends them; None for the scheduler.

    Returns:
        Those that are on their way.
    """
    wanted = _rows(keys)
    columns = (*KEY, "connection_id", "state", "code")
    known = tx.select(dead_letters, wanted, columns)
    is_open = [row for row in known if row.state == OPEN]
    suspects = {(row.delivery_id, row.event_index) for row in is_open if row.code == POISON}
    inserted = ring(tx, [(row.delivery_id, row.event_index, row.connection_id) for row in is_open], now, suspects)
    values = {"state": REPLAYED, "replay_id": replay_id, "retry_at": None}
    sent = _move(tx, [(row.delivery_id, row.event_index) for row in is_open], values)
    retries.finish(tx, sorted(set(inserted) - set(sent)))
    return sent


def ring(
    tx: Transaction, events: Sequence[tuple[str, int, str]], now: datetime, suspects: Collection[RowId] = ()
) -> list[RowId]:
    """Has events (delivery, index, connection) worked on again; one that is on its way already stays so.

    Args:
        tx: the transaction.
        events: which.
        now: the clock.
        suspects: those of them that have ended workers before: nothing runs beside them.

    Returns:
        Those that were not on their way.
    """
    rows = [
        {
            "delivery_id": delivery_id,
            "event_index": index,
            "connection_id": connection,
            "attempt": 0,
            "due_at": now,
            "attempts": [],
            "alone": (delivery_id, index) in suspects,
        }
        for delivery_id, index, connection in sorted(events)
    ]
    return [(row.delivery_id, row.event_index) for row in tx.insert_missing(retry_rows, rows, returning=KEY)]


def send_waiting(
    database: Database,
    connections: Iterable[str],
    now: datetime,
    limit: int,
    members: Iterable[tuple[str, str]] = (),
) -> int:
    """Sends open letters whose time has come by itself: their connection is there, or a clock has been caught up with.

    Args:
        database: to read from; it is written only where there are some.
        connections: those that are there and neither paused nor revoked.
        now: the clock.
        limit: greatest number.
        members: endpoint and external id of those that share an address.

    Returns:
        How many are on their way.

    Raises:
        TransientError: the database is away.
    """
    with database.read() as connection:
        tx = Transaction(connection)
        keys = due_by_itself(tx, connections, now, limit)
        keys += now_known(tx, members, now, limit - len(keys))
    if not keys:
        return 0
    with database.write() as connection:
        return len(send_again(Transaction(connection), keys, now, replay_id=None))


def due_by_itself(tx: Transaction, connections: Iterable[str], now: datetime, limit: int) -> list[RowId]:
    """The letters that `send_waiting` would send."""
    statement = (
        sa.select(dead_letters.c.delivery_id, dead_letters.c.event_index)
        .where(dead_letters.c.connection_id.in_(sorted(connections)))
        .where(IS_OPEN, dead_letters.c.retry_at.is_not(None), dead_letters.c.retry_at <= now)
        .order_by(dead_letters.c.retry_at)
        .limit(limit)
    )
    return [(row.delivery_id, row.event_index) for row in tx.connection.execute(statement)]


def now_known(tx: Transaction, members: Iterable[tuple[str, str]], now: datetime, limit: int) -> list[RowId]:
    """The letters of shared addresses that `send_waiting` would send: what they waited for is registered."""
    rows = [{"connection_id": endpoint, "waits_for": external_id} for endpoint, external_id in sorted(set(members))]
    if not rows or limit <= 0:
        return []
    names = ("connection_id", "waits_for")
    source = tx.rows(dead_letters, names)
    statement = (
        sa.select(dead_letters.c.delivery_id, dead_letters.c.event_index)
        .join_from(dead_letters, source, sa.and_(*(dead_letters.c[name] == source.c[name] for name in names)))
        .where(IS_OPEN, dead_letters.c.retry_at <= now)
        .order_by(dead_letters.c.retry_at)
        .limit(limit)
    )
    return [(row.delivery_id, row.event_index) for row in tx.run(statement, rows)]


def discard(tx: Transaction, keys: Iterable[RowId]) -> list[RowId]:
    """Gives open letters up for good; their bytes stay. Returns those that were open."""
    return _move(tx, keys, {"state": DISCARDED, "retry_at": None})


def correct(tx: Transaction, key: RowId, copy: Delivery, now: datetime) -> None:
    """Puts a corrected copy in an open letter's place: archived as a delivery, on its way, linked.

    Args:
        tx: the transaction.
        key: the letter.
        copy: the corrected bytes; its verdict says who edited them.
        now: the clock.

    Raises:
        PermanentError: of code `not_open`; nothing may be committed then.
    """
    deliveries.archive(tx, [copy], now)
    ring(tx, [(copy.delivery_id, WHOLE_BODY, copy.connection_id)], now)
    if not _move(tx, [key], {"state": SUPERSEDED, "edited_into": copy.delivery_id, "retry_at": None}):
        raise PermanentError(NOT_OPEN, "the letter is not open any more; look at it again")


def _rows(keys: Iterable[RowId]) -> list[dict[str, object]]:
    return [dict(zip(KEY, key, strict=True)) for key in sorted(set(keys))]


def _move(tx: Transaction, keys: Iterable[RowId], values: dict[str, str | None]) -> list[RowId]:
    """Changes the letters among those given that are open; returns them."""
    rows = _rows(keys)
    if not rows:
        return []
    source = tx.rows(dead_letters, KEY)
    statement = (
        sa.update(dead_letters)
        .values(values)
        .where(*(dead_letters.c[name] == source.c[name] for name in KEY), IS_OPEN)
        .returning(dead_letters.c.delivery_id, dead_letters.c.event_index)
    )
    return sorted((row.delivery_id, row.event_index) for row in tx.run(statement, rows))
