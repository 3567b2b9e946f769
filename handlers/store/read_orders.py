"""Reading work orders back, each with what its whole life tells: times, rework, and whether it is late by now."""

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from handlers.connections.zones import Zones
from handlers.rules.lateness import lateness
from handlers.rules.order import word
from handlers.rules.printing import Kept
from handlers.rules.work_figures import Window, WorkFigures, work_figures
from handlers.rules.work_times import work_times
from handlers.store.engine import Database
from handlers.store.read_records import Chosen, kept_records
from handlers.store.reading import Readable
from handlers.store.rowset import Transaction
from handlers.store.schema import assets, work_orders

AT_ONCE = 500
"""Orders whose sites are looked up together."""


def kept_orders(database: Database, chosen: Chosen, zones: Zones, now: datetime) -> Iterator[Kept]:
    """Work orders, by connection and key.

    Args:
        database: to read from.
        chosen: which.
        zones: where a due day ends: at the order's own site, else at its asset's.
        now: up to which what lasts is counted (UTC).
    """
    return judged(database, kept_records(database, "work_order", chosen), zones, now, chosen.part.size or AT_ONCE)


def judged(
    database: Readable, found: Iterator[Kept], zones: Zones, now: datetime, at_once: int = AT_ONCE
) -> Iterator[Kept]:
    """Work orders with what their whole lives tell.

    Args:
        database: to read their sites from.
        found: the orders.
        zones: where a due day ends.
        now: up to which what lasts is counted (UTC).
        at_once: so many sites are looked up together.
    """
    while page := list(itertools.islice(found, at_once)):
        sites = order_sites(database, page)
        for kept, site in zip(page, sites, strict=True):
            late = lateness(kept.record.fields, zones(kept.connection, site), now)
            told = {**work_times(kept.record, now).row(), **late}
            yield Kept(kept.kind, kept.connection, kept.key, kept.record, kept.anomalies, told)


class OrderWork(msgspec.Struct, frozen=True):
    """What one order adds to the figures of work, and what it is counted under.

    Attributes:
        connection: whose it is.
        asset: key of its asset.
        site: its own, else its asset's.
        crew: key of its team.
        type: of what kind the work is.
        figures: the sums.
    """

    connection: str
    asset: str | None
    site: str | None
    crew: str | None
    type: str | None
    figures: WorkFigures


def orders_work(database: Database, chosen: Chosen, zones: Zones, window: Window) -> Iterator[OrderWork]:
    """The work of each order that has any in a window, or is still to be finished.

    Args:
        database: to read from.
        chosen: which orders.
        zones: where weeks begin.
        window: of which time.
    """
    done = work_orders.c.completed_at
    counting = sa.or_(done >= window.since, done.is_(None))
    found = kept_records(database, "work_order", chosen, counting)
    while page := list(itertools.islice(found, AT_ONCE)):
        for kept, site in zip(page, order_sites(database, page), strict=True):
            order = kept.record
            yield OrderWork(
                connection=kept.connection,
                asset=order.ref("asset_ref"),
                site=site,
                crew=order.ref("team_ref"),
                type=word(order.read("type")),
                figures=work_figures(order, window, zones(kept.connection, site)),
            )


def order_sites(database: Readable, orders: Sequence[Kept]) -> list[str | None]:
    """The site of each order: its own, else its asset's; None where neither is known."""
    siteless = {
        (kept.connection, asset)
        for kept in orders
        if kept.record.ref("site_ref") is None and (asset := kept.record.ref("asset_ref")) is not None
    }
    wanted = [{"connection_id": connection, "key": key} for connection, key in sorted(siteless)]
    with database.read() as connection:
        rows = Transaction(connection).select(assets, wanted, ("connection_id", "key", "site_key"))
    of_asset = {(row.connection_id, row.key): row.site_key for row in rows}
    return [
        kept.record.ref("site_ref") or of_asset.get((kept.connection, kept.record.ref("asset_ref"))) for kept in orders
    ]
