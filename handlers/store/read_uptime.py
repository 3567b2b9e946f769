"""Figures of assets in a window, asset by asset, with how far the facts behind them reach."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa

from handlers.rules.calendars import Calendar
from handlers.rules.facts import Key
from handlers.rules.figures import Figures, figures
from handlers.store.engine import Database
from handlers.store.read_looks import Look, Looked, Looker, looked
from handlers.store.read_members import OWN, Reach
from handlers.store.read_spans import Window
from handlers.store.reading import Readable, connection_ids
from handlers.store.schema import assets, events


class AssetFigures(msgspec.Struct, frozen=True):
    """One asset's figures.

    Attributes:
        connection: whose it is.
        asset: its key.
        site: key of its site; None where nobody said.
        observed_from: when its first known fact happened; None where it was only named by facts that left it since.
        figures: what the window comes to; in operating time where it was looked at with a calendar.
        look: how it was looked at.
        elapsed: with a calendar, the same as if it operated always.
        linked: what it is linked to, and stands for.
    """

    connection: str
    asset: str
    site: str | None
    observed_from: datetime | None
    figures: Figures
    look: Look
    elapsed: Figures | None = None
    linked: tuple[Key, ...] = ()


def connections_with_assets(database: Database) -> list[str]:
    """Every connection that has an asset."""
    return connection_ids(database, assets.c.connection_id)


def data_as_of(database: Readable, connections: Sequence[str]) -> dict[str, datetime]:
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
    database: Readable,
    connection: str,
    look: Window | Looker,
    asset: str | None = None,
    *,
    reach: Reach = OWN,
    after: str = "",
) -> Iterator[AssetFigures]:
    """The figures of a connection's assets, by key; deleted ones and those that were only named among them.

    Args:
        database: to read from; each group of assets on one snapshot.
        connection: whose assets.
        look: how each asset is looked at; a window alone is that one, in UTC and without a calendar, for all.
        asset: only the one of that key.
        reach: what counts as an asset's own.
        after: begins behind the asset of that key.
    """
    for page, _ in looked(
        database, connection, _looker(look), lambda _tx, _page: None, asset, reach=reach, after=after
    ):
        for each in page:
            yield AssetFigures(
                connection=connection,
                asset=each.key,
                site=each.site,
                observed_from=each.observed_from,
                figures=_figures(each, each.look.calendar),
                look=each.look,
                linked=each.linked,
                elapsed=None if each.look.calendar is None else _figures(each, None),
            )


def _looker(look: Window | Looker) -> Looker:
    if isinstance(look, Window):
        alike = Look(look)
        return lambda _key, _site: alike
    return look


def _figures(asset: Looked, calendar: Calendar | None) -> Figures:
    return figures(
        asset.spans,
        *asset.look.window,
        in_service=asset.in_service,
        decommissioned=asset.decommissioned,
        calendar=calendar,
    )
