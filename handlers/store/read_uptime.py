"""Figures of assets in a window, asset by asset, with how far the facts behind them reach."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from handlers.rules.figures import Figures, figures
from handlers.rules.times import parse_moment
from handlers.store.engine import Database
from handlers.store.read_spans import Window, spans_of
from handlers.store.reading import connection_ids
from handlers.store.rowset import Transaction
from handlers.store.schema import asset_history, assets, events

ASSETS_AT_ONCE = 100
"""Assets whose spans are read together: few enough for memory, enough to spare round trips."""


class AssetFigures(msgspec.Struct, frozen=True):
    """One asset's figures.

    Attributes:
        connection: whose it is.
        asset: its key.
        site: key of its site; None where nobody said.
        observed_from: when its first known fact happened; None where it was only named by facts that left it since.
        figures: what the window comes to.
    """

    connection: str
    asset: str
    site: str | None
    observed_from: datetime | None
    figures: Figures


def connections_with_assets(database: Database) -> list[str]:
    """Every connection that has an asset."""
    return connection_ids(database, assets.c.connection_id)


def data_as_of(database: Database, connections: Sequence[str]) -> dict[str, datetime]:
    """When the newest fact of each connection happened; connections without any are left out."""
    newest = sa.select(sa.func.max(events.c.occurred_at))
    found = {}
    with database.read() as connection:
        for each in connections:
            moment = connection.execute(newest.where(events.c.connection_id == each)).scalar()
            if moment is not None:
                found[each] = moment
    return found


def asset_figures(
    database: Database, connection: str, window: Window, asset: str | None = None
) -> Iterator[AssetFigures]:
    """The figures of a connection's assets, by key; deleted ones and those that were only named among them.

    Args:
        database: to read from; each group of assets on one snapshot.
        connection: whose assets.
        window: of which time, as known when.
        asset: only the one of that key.
    """
    after = ""
    while True:
        with database.read() as plain:
            tx = Transaction(plain)
            page = plain.execute(_page(connection, asset, after)).all()
            spans = spans_of(tx, [(connection, row.key) for row in page], window)
        for row in page:
            yield AssetFigures(
                connection=connection,
                asset=row.key,
                site=row.site_key,
                observed_from=row.observed_from,
                figures=figures(
                    spans.get((connection, row.key), ()),
                    window.since,
                    window.until,
                    window.as_of,
                    in_service=parse_moment(row.fields.get("in_service_date")),
                    decommissioned=parse_moment(row.fields.get("decommissioned_date")),
                ),
            )
        if len(page) < ASSETS_AT_ONCE:
            return
        after = page[-1].key


def _page(connection: str, asset: str | None, after: str) -> sa.Select[Any]:
    history = asset_history
    observed_from = (
        sa.select(sa.func.min(history.c.occurred_at))
        .where(history.c.connection_id == assets.c.connection_id, history.c.asset_key == assets.c.key)
        .scalar_subquery()
    )
    statement = (
        sa.select(assets.c.key, assets.c.site_key, assets.c.fields, observed_from.label("observed_from"))
        .where(assets.c.connection_id == connection, assets.c.key > after)
        .order_by(assets.c.key)
        .limit(ASSETS_AT_ONCE)
    )
    return statement if asset is None else statement.where(assets.c.key == asset)
