"""Rows of figures: an asset, a site or a customer each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

import msgspec

from handlers.connections import Connection
from handlers.rules.facts import Key
from handlers.rules.figures import Figures, FiguresRow, pool
from handlers.rules.times import kept_instant
from handlers.store.read_spans import Window
from handlers.store.read_uptime import AssetFigures
from worker.shapes.scalars import Instant

ASSET, SITE, CUSTOMER = "asset", "site", "customer"
NAMED = {ASSET: "asset_key", SITE: "site", CUSTOMER: "customer"}
"""What a row is about, by `--by`."""
OPERATING, ELAPSED = "operating", "elapsed"
"""What required time is: a row is of the one or of the other."""


class Row(msgspec.Struct, frozen=True):
    """Figures with what they are about.

    Attributes:
        name: of the asset, site or customer; None for assets whose site nobody said.
        connection: whose they are; None where a customer's come from several.
        observed_from: when the first known fact about any of it happened.
        data_as_of: when the newest fact of the connection happened; of several, of the one that is furthest behind.
        figures: the sums.
        window: of the figures; of assets in several zones from the first start to the last end.
        calendars: the names of those that required time follows; none where it is 24x7.
        elapsed: with a calendar, the sums as if all operated always.
        linked: the assets that one stands for beside itself.
    """

    name: str | None
    connection: str | None
    observed_from: datetime | None
    data_as_of: datetime | None
    figures: Figures
    window: Window
    calendars: tuple[str, ...] = ()
    elapsed: Figures | None = None
    linked: tuple[Key, ...] = ()


def rows(
    assets: Iterable[AssetFigures], newest: Mapping[str, datetime], known: Mapping[str, Connection], by: str
) -> Iterator[Row]:
    """The rows, streamed where each is one asset; sites are told apart by connection, customers are not."""
    groups: dict[tuple[str | None, str | None, bool], list[Row]] = {}
    for held in assets:
        known_until = [newest[each] for each, _ in ((held.connection, ""), *held.linked) if each in newest]
        row = _row(held, min(known_until, default=None))
        if by == ASSET:
            yield row
            continue
        connection = known.get(held.connection)
        customer = held.connection if connection is None else connection.customer
        group = (held.connection, held.site) if by == SITE else (None, customer)
        groups.setdefault((*group, row.elapsed is None), []).append(row)
    for (_, name, _), held_rows in groups.items():
        yield _joined(name, held_rows)


def _row(held: AssetFigures, newest: datetime | None) -> Row:
    return Row(
        name=held.asset,
        connection=held.connection,
        observed_from=held.observed_from,
        data_as_of=newest,
        figures=held.figures,
        window=held.look.window,
        calendars=() if held.look.calendar is None else (held.look.calendar.name,),
        elapsed=held.elapsed,
        linked=held.linked,
    )


def _joined(name: str | None, group: Sequence[Row]) -> Row:
    connections = {each.connection for each in group}
    windows = {each.window for each in group}
    elapsed = [each.elapsed for each in group if each.elapsed is not None]
    return Row(
        name=name,
        connection=group[0].connection if len(connections) == 1 else None,
        observed_from=min((each.observed_from for each in group if each.observed_from is not None), default=None),
        data_as_of=min((each.data_as_of for each in group if each.data_as_of is not None), default=None),
        figures=pool(each.figures for each in group),
        window=Window(min(each.since for each in windows), max(each.until for each in windows), group[0].window.as_of),
        calendars=tuple(sorted({name for each in group for name in each.calendars})),
        elapsed=pool(elapsed) if elapsed else None,
    )


class Linked(TypedDict):
    """An asset that one stands for beside itself."""

    connection: str
    asset_key: str


class _More(TypedDict, total=False):
    linked: list[Linked]
    required_time: str
    calendars: list[str]
    elapsed: FiguresRow | None
    roll_up: str


class _About(TypedDict, total=False):
    asset_key: str | None
    site: str | None
    customer: str | None


_Cut = TypedDict(
    "_Cut",
    {
        "connection": str | None,
        "from": Instant,
        "to": Instant,
        "as_of": Instant,
        "observed_from": Instant | None,
        "data_as_of": Instant | None,
    },
)


class Uptime(_About, _Cut, FiguresRow, _More):
    """Figures of an asset, a site or a customer, as `uptime --json` prints them."""


def told(row: Row, by: str, *, by_calendar: bool) -> dict[str, Any]:
    """A row under the contract's names (section 6); by calendar with what required time is, and the figures of 24x7."""
    window: _Cut = {
        "connection": row.connection,
        "from": kept_instant(row.window.since),
        "to": kept_instant(row.window.until),
        "as_of": kept_instant(row.window.as_of),
        "observed_from": None if row.observed_from is None else kept_instant(row.observed_from),
        "data_as_of": None if row.data_as_of is None else kept_instant(row.data_as_of),
    }
    more: _More = {}
    if row.linked:
        more["linked"] = [{"connection": connection, "asset_key": key} for connection, key in row.linked]
    if by_calendar:
        more["required_time"] = ELAPSED if row.elapsed is None else OPERATING
        more["calendars"] = list(row.calendars)
        more["elapsed"] = None if row.elapsed is None else row.elapsed.printed()
    return {NAMED[by]: row.name, **window, **row.figures.printed(), **more}
