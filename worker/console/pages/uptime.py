"""Figures by site: at once what the scheduler last reckoned, and for any period, asset and customer on demand."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import islice
from typing import Final

from starlette.responses import Response

from handlers.rules.times import kept_instant
from handlers.store import kept_gauges
from handlers.store.kept_gauges import Sample
from handlers.store.read_members import Reach
from handlers.store.read_uptime import asset_figures, connections_with_assets, data_as_of
from worker import scope
from worker.console.ask import Ask, Page
from worker.console.look import page
from worker.console.pages._asked import known
from worker.console.refusals import malformed
from worker.shapes.uptime import NAMED, SITE, Row, rows
from worker.windows import asked, looker

MOST: Final = 2_000
"""Rows on one page; the command line prints all."""
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


def show(ask: Ask) -> Response:
    """The page; without a period what is kept, which costs nothing."""
    since, until = ask.query.get("from"), ask.query.get("to")
    period, by = ask.query.get("period"), ask.query.get("by", SITE)
    if by not in NAMED:
        raise malformed(f"by: one of {', '.join(NAMED)}; not {by!r}")
    if (since, until, period) == (None, None, None):
        families, taken_at = kept_gauges.kept(ask.house.database)
        found = _by_site(families)
        return page(
            ask, "uptime.html", by=by, kept=found, taken_at=taken_at, rows=None, told="", connections=sorted(known(ask))
        )
    time = asked(since, until, period, kept_instant(ask.house.now()))
    every = connections_with_assets(ask.house.database)
    named = ask.query.get("connection")
    counted = [named] if named is not None else scope.apart(every, known(ask))[0]
    reach = Reach(frozenset(counted))
    assets = (
        held
        for each in counted
        for held in asset_figures(ask.house.database, each, looker(each, known(ask), time, None), reach=reach)
    )
    found_rows: list[Row] = list(islice(rows(assets, data_as_of(ask.house.database, counted), known(ask), by), MOST))
    found_rows.sort(key=lambda row: (row.figures.availability is None, row.figures.availability or 0.0))
    return page(
        ask,
        "uptime.html",
        by=by,
        kept=None,
        taken_at=None,
        rows=found_rows,
        told=time.text,
        connections=sorted(known(ask)),
    )


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
