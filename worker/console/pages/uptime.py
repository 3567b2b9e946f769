"""Figures by site: at once what the scheduler last reckoned, and for any period, asset and customer on demand."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from starlette.responses import Response

from handlers.errors import MaintenworksError
from handlers.rules.times import kept_instant
from handlers.store import kept_gauges
from handlers.store.kept_gauges import Sample
from handlers.store.read_members import Reach
from handlers.store.read_uptime import asset_figures, connections_with_assets, data_as_of
from worker import scope
from worker.console.api import paging
from worker.console.ask import Ask, Page
from worker.console.look import page, sent_as_made
from worker.console.pages._asked import known
from worker.console.refusals import malformed
from worker.shapes.uptime import NAMED, SITE, Row, rows
from worker.windows import Asked, asked, looker

AT_ONCE: Final = 200
"""Rows on one page."""
MONTHS_OFFERED: Final = 3
BY_SITE: Final = (
    "assets",
    "assets_down",
    "work_orders_overdue",
    "pm_overdue",
    "pm_compliance_ratio",
    "mtbf_seconds",
    "mttr_seconds",
)
AVAILABILITY: Final = "asset_availability_ratio"


class Found(NamedTuple):
    """Figures of a period.

    Attributes:
        rows: those on this page.
        first: how many stand before them.
        total: how many there are.
        next: cursor of the next page; None on the last.
        why_not: what kept them from being reckoned; None where nothing did.
    """

    rows: Sequence[Row] = ()
    first: int = 0
    total: int = 0
    next: str | None = None
    why_not: str | None = None


def show(ask: Ask) -> Response:
    """The page; without a period what is kept, which costs nothing."""
    since, until = ask.query.get("from"), ask.query.get("to")
    period, by = ask.query.get("period"), ask.query.get("by", SITE)
    if by not in NAMED:
        raise malformed(f"by: one of {', '.join(NAMED)}; not {by!r}")
    offered: dict[str, Any] = {"by": by, "connections": sorted(known(ask)), "periods": _periods(ask.house.now().date())}
    if (since, until, period) == (None, None, None):
        families, taken_at = kept_gauges.kept(ask.house.database)
        found = _by_site(families)
        return page(ask, "uptime.html", kept=found, taken_at=taken_at, told="", **offered)
    time = asked(since, until, period, kept_instant(ask.house.now()))
    (first,) = paging.decode(ask.query.get("cursor"), tuple[int]) or (0,)
    return sent_as_made(
        ask,
        "uptime.html",
        kept=None,
        figures=partial(_figures, ask, time, by, max(first, 0)),
        told=time.text,
        **offered,
    )


def _figures(ask: Ask, time: Asked, by: str, first: int) -> Found:
    """The figures, the lowest availability first; they take as long as there are assets and stops."""
    database = ask.house.database
    named = ask.query.get("connection")
    try:
        every = connections_with_assets(database)
        counted = [named] if named is not None else scope.apart(every, known(ask))[0]
        reach = Reach(frozenset(counted))
        assets = (
            held
            for each in counted
            for held in asset_figures(database, each, looker(each, known(ask), time, None), reach=reach)
        )
        found = sorted(rows(assets, data_as_of(database, counted), known(ask), by), key=_place)
    except MaintenworksError as error:
        return Found(why_not=str(error))
    behind = first + AT_ONCE
    following = paging.encode((behind,)) if behind < len(found) else None
    return Found(found[first:behind], first, len(found), following)


def _periods(today: date) -> list[str]:
    """Those that are asked for most: this month and the two before it, the quarter, the year and the last one."""
    months = [today.replace(day=1)]
    while len(months) < MONTHS_OFFERED:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    quarter = f"{today.year}-Q{(today.month + 2) // 3}"
    return [*(f"{each:%Y-%m}" for each in months), quarter, str(today.year), str(today.year - 1)]


def _place(row: Row) -> tuple[bool, float, str, str]:
    availability = row.figures.availability
    return (availability is None, availability or 0.0, row.connection or "", row.name or "")


def _by_site(families: Mapping[str, list[Sample]]) -> dict[str, dict[str, float]]:
    """What is kept of each site, by the names of the gauges; availability by its window."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name in BY_SITE:
        for (site, *_), value in families.get(name, ()):
            found[site][name] = value
    for (site, window), value in families.get(AVAILABILITY, ()):
        found[site][window] = value
    return dict(sorted(found.items()))


PAGES: Final = (Page("/uptime", show),)
