"""Counts by site for the page of metrics, each one statement a connection.

Only the leader asks for them, a tenth of the time at most: most of them read a table of records.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import TypeAlias

import sqlalchemy as sa

from handlers.connections.zones import Zones
from handlers.rules.lateness import due_end
from handlers.rules.pm_compliance import NOT_COUNTED
from handlers.rules.times import kept_instant
from handlers.store.conditions import UNFINISHED_ORDER
from handlers.store.engine import Database
from handlers.store.reading import connection_ids
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, pm_occurrences, work_orders

ANY_DAY = timedelta(hours=50)
"""A day that began so long ago is over, wherever it is: it has 26 hours at most, and none begins later than 14 hours
after, nor earlier than 14 before, that of UTC."""

Site: TypeAlias = str | None


def connections(database: Database) -> list[str]:
    """Every connection that anything is counted of, by id."""
    counted = (assets, work_orders, pm_occurrences)
    return sorted({each for table in counted for each in connection_ids(database, table.c.connection_id)})


def orders_by_status(tx: Transaction, connection: str) -> Counter[tuple[str | None, Site]]:
    """Work orders of a connection that are not deleted, by status and site."""
    orders = _sited(connection, sa.not_(work_orders.c.is_deleted), "status").c
    number = sa.func.count().label("number")
    statement = sa.select(orders.status, orders.site, number).group_by(orders.status, orders.site)
    return Counter({(row.status, row.site): row.number for row in tx.connection.execute(statement)})


def overdue_orders(tx: Transaction, connection: str, zones: Zones, now: datetime) -> Counter[Site]:
    """Unfinished work orders of a connection whose due time has passed, by site, as the day's list has them.

    What was due long ago is only counted; when a day of late ends depends on where it is, so those rows are read.
    """
    due, long_ago = work_orders.c.due_at, kept_instant(now - ANY_DAY)
    unfinished = sa.text(UNFINISHED_ORDER)
    site = _sited(connection, sa.and_(unfinished, due < long_ago)).c.site
    counted = sa.select(site, sa.func.count().label("number")).group_by(site)
    found: Counter[Site] = Counter({row.site: row.number for row in tx.connection.execute(counted)})
    recent = sa.and_(unfinished, due >= long_ago, due < kept_instant(now + ANY_DAY))
    for row in tx.connection.execute(sa.select(_sited(connection, recent, "fields"))):
        end = due_end(row.fields, zones(connection, row.site))
        if end is not None and end <= now:
            found[row.site] += 1
    return found


def overdue_occurrences(tx: Transaction, connection: str) -> Counter[Site]:
    """Times that plans of a connection were due and are not done, their grace over, by site."""
    site = pm_occurrences.c.site_key
    statement = (
        sa.select(site, sa.func.count().label("number"))
        .where(pm_occurrences.c.connection_id == connection, pm_occurrences.c.state == "overdue")
        .group_by(site)
    )
    return Counter({row.site_key: row.number for row in tx.connection.execute(statement)})


def compliant_occurrences(
    tx: Transaction, connection: str, since: datetime, until: datetime
) -> dict[Site, tuple[int, int]]:
    """Of what plans of a connection had to have done in a time, by site, how many there were and how many in time.

    By each plan's own grace, as `handlers.rules.pm_compliance` judges it.
    """
    each = pm_occurrences.c
    moment = sa.func.coalesce(each.due_until, each.completed_at)
    in_time = sa.func.sum(sa.case((each.on_time, 1), else_=0))
    statement = (
        sa.select(each.site_key, sa.func.count().label("due"), in_time.label("in_time"))
        .where(
            each.connection_id == connection,
            each.state.not_in(sorted(NOT_COUNTED)),
            moment > since,
            moment <= until,
        )
        .group_by(each.site_key)
    )
    return {row.site_key: (row.due, row.in_time) for row in tx.connection.execute(statement)}


def _sited(connection: str, wanted: sa.ColumnElement[bool], *names: str) -> sa.Subquery:
    """Some work orders of a connection with the `site` of each: its own, else its asset's."""
    order = work_orders.c
    orders = (
        sa.select(order.connection_id, order.asset_key, order.site_key, *(order[name] for name in names))
        .where(order.connection_id == connection, wanted)
        .subquery("o")
    )
    mine = (
        sa.select(assets.c.site_key)
        .where(assets.c.connection_id == orders.c.connection_id, assets.c.key == orders.c.asset_key)
        .scalar_subquery()
    )
    site = sa.func.coalesce(orders.c.site_key, mine).label("site")
    return sa.select(*(orders.c[name] for name in names), site).subquery("s")
