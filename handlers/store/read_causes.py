"""The causes of stops: what an order, or whoever told of a stop, gave as the reason for it."""

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from handlers.store.downtime import INTERVAL, WORK_ORDER
from handlers.store.rowset import Transaction
from handlers.store.schema import downtime, work_orders

STOP = ("connection_id", "origin", "key")
VARIANT = "failure cause of the work order, else the stop's reason code, reason, or class of cause"
"""Which of the causes that may be known of one stop counts: the most exact that somebody chose from a list."""


def causes_of(tx: Transaction, connection: str, refs: Iterable[str]) -> Mapping[str, str]:
    """The causes of a connection's stops by their `ref` (`handlers.store.read_spans`); nothing for those without any.

    A status stream tells no cause.

    Args:
        tx: to read in.
        connection: whose stops.
        refs: of intervals, orders and runs of a status stream; those of an asset that is linked across connections
            have the other connection before them (`handlers.rules.reach`).
    """
    named = {stop_key(connection, ref): ref for ref in set(refs)}
    wanted = [dict(zip(STOP, key, strict=True)) for key in sorted(named) if key[1] in {INTERVAL, WORK_ORDER}]
    if not wanted:
        return {}
    source = tx.rows(downtime, STOP)
    statement = (
        sa.select(
            *(downtime.c[name] for name in STOP),
            downtime.c.cause,
            downtime.c.reason,
            downtime.c.fields,
            work_orders.c.fields.label("order_fields"),
        )
        .join_from(
            source,
            downtime,
            sa.and_(*(downtime.c[name] == source.c[name] for name in STOP)),
        )
        .outerjoin(
            work_orders,
            sa.and_(
                work_orders.c.connection_id == downtime.c.connection_id,
                work_orders.c.key == downtime.c.work_order_key,
                sa.not_(work_orders.c.is_deleted),
            ),
        )
    )
    told = ((named[row.connection_id, row.origin, row.key], _cause(row)) for row in tx.run(statement, wanted))
    return {ref: cause for ref, cause in told if cause is not None}


def stop_key(connection: str, ref: str) -> tuple[str, str, str]:
    """Whose a stop is, what made it, and its key."""
    head, _, key = ref.partition(":")
    other, _, origin = head.rpartition(" ")
    return other or connection, origin, key


def _cause(row: sa.Row[Any]) -> str | None:
    order = row.order_fields or {}
    stated = (order.get("failure") or {}).get("cause") or {}
    given = (stated.get("label"), stated.get("code"), row.fields.get("reason_code"), row.reason, row.cause)
    return next((each for each in given if each), None)
