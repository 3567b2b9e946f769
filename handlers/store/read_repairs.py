"""The work orders behind stops: what an order that keeps its asset down, or the one that a stop names, tells of it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from handlers.rules.repairs import Repair, repair
from handlers.store import records
from handlers.store.downtime import INTERVAL, WORK_ORDER
from handlers.store.read_causes import STOP, stop_key
from handlers.store.rowset import Transaction
from handlers.store.schema import downtime, work_orders


def repairs_of(
    tx: Transaction, connection: str, refs: Iterable[str], horizon: datetime
) -> Mapping[str, tuple[Repair, ...]]:
    """What orders tell of a connection's stops by their `ref` (`handlers.store.read_spans`); nothing where none does.

    A status stream names no order, and a deleted order tells nothing.

    Args:
        tx: to read in.
        connection: whose stops.
        refs: of intervals, orders and runs of a status stream, as `handlers.store.read_causes.causes_of` takes them.
        horizon: up to which work that goes on is counted (UTC).
    """
    named = {stop_key(connection, ref): ref for ref in set(refs)}
    wanted = [dict(zip(STOP, key, strict=True)) for key in sorted(named) if key[1] in {INTERVAL, WORK_ORDER}]
    if not wanted:
        return {}
    source = tx.rows(downtime, STOP)
    stop = sa.and_(*(downtime.c[name] == source.c[name] for name in STOP))
    order = sa.and_(
        work_orders.c.connection_id == downtime.c.connection_id,
        work_orders.c.key == downtime.c.work_order_key,
        sa.not_(work_orders.c.is_deleted),
    )
    told = (work_orders.c.key.label("order_key"), work_orders.c.fields, work_orders.c.registers)
    statement = sa.select(*(downtime.c[name] for name in STOP), *told).join_from(source, downtime, stop)
    found = (
        (row, records.read(row.fields, row.registers)) for row in tx.run(statement.join(work_orders, order), wanted)
    )
    return {
        named[row.connection_id, row.origin, row.key]: (repair(row.order_key, record, horizon),)
        for row, record in found
    }
