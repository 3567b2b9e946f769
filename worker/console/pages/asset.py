"""One asset: its strip, its figures, its trend, what is open on it, what measures it, and all that happened to it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import dropwhile, islice
from typing import Any, Final

from starlette.responses import Response

from handlers.connections.zones import site_zone, zones_of
from handlers.rules.facts import Key
from handlers.rules.period import Period, stretch
from handlers.rules.printing import printed
from handlers.rules.times import kept_instant, parse_instant
from handlers.store.asset_links import groups
from handlers.store.read_history import Line
from handlers.store.read_meters import kept_meters
from handlers.store.read_occurrences import due_of_asset
from handlers.store.read_open_orders import Wanted, open_orders
from handlers.store.read_records import Chosen, kept_records
from handlers.store.read_report import Asked, Told, told_of
from handlers.store.read_timeline import timeline
from handlers.store.reading import Part
from handlers.store.rowset import Transaction
from worker import scope
from worker.console.api import paging
from worker.console.ask import Ask, Page
from worker.console.look import page
from worker.console.pages._asked import known, page_of
from worker.console.refusals import malformed, missing
from worker.console.views import reliability, stops
from worker.console.views.showing import sheet
from worker.report import strips
from worker.shapes import history

WINDOWS: Final = (7, 30, 90, 365)
"""Days."""
USUAL: Final = 90
TREND_MONTHS: Final = 12
MOST_STOPS: Final = 100
"""Rows of the table of stops, the newest."""
MOST_ORDERS: Final = 20
MOST_METERS: Final = 20
LINES_FIRST: Final = 15
LINES: Final = 100
"""Lines of the timeline on the asset's page, and on its own."""
ELSEWHERE: Final = frozenset({"name", "status", "description", "criticality"})
_MICROSECOND: Final = timedelta(microseconds=1)
MAX_SKEW: Final = timedelta(minutes=5)
"""So far ahead of our clock a fact may be told (design, section 3)."""

Place = tuple[str, str, str, str, str]


def show(ask: Ask) -> Response:
    """The page of an asset.

    Raises:
        RefusalError: there is none, or no such window.
    """
    database, now, asset = ask.house.database, ask.house.now(), _named(ask)
    days = _days(ask)
    record = _record(ask, asset)
    told, trend = (_told(ask, asset, each, now) for each in (stretch(now - timedelta(days=days), now), _year(now)))
    found = stops.stops(told)
    zones = zones_of(known(ask))
    orders = open_orders(database, [asset[0]], Wanted(asset=asset[1]), (now, zones), Part(size=MOST_ORDERS + 1))
    opened, more_orders = page_of(orders, lambda row: row[0], MOST_ORDERS)
    measuring = Chosen(asset[0], filters={"asset": asset[1]}, part=Part(size=MOST_METERS))
    meters = islice(kept_meters(database, measuring, judged=False), MOST_METERS)
    lines, more_lines = page_of(_lines(ask, asset, None, LINES_FIRST), _place, LINES_FIRST)
    with database.read() as session:
        linked = [each for each in groups(Transaction(session)).of(asset) if each != asset]
    return page(
        ask,
        "asset.html",
        record=record,
        sheet=sheet(record, ELSEWHERE),
        told=told,
        days=days,
        windows=WINDOWS,
        zone=str(told.sums.zone),
        strip=stops.strip(told, found),
        states=strips.STATES,
        swatch=strips.swatch,
        stops=found[::-1][:MOST_STOPS],
        more_stops=max(0, len(found) - MOST_STOPS),
        cards=reliability.figures(told, reliability.CARDS),
        figures=reliability.figures(told, reliability.MORE),
        months=reliability.months(trend),
        orders=[printed(kept) for _, kept in opened],
        more_orders=more_orders is not None,
        meters=list(map(printed, meters)),
        due=due_of_asset(database, *asset),
        lines=_shown(ask, lines),
        more_lines=more_lines is not None,
        linked=linked,
        teller=known(ask).get(asset[0]),
    )


def happened(ask: Ask) -> Response:
    """The timeline of an asset, the newest first, a page at a time."""
    asset = _named(ask)
    record = _record(ask, asset)
    after = paging.decode(ask.query.get("cursor"), tuple[str, str, str, str, str])
    lines, following = page_of(_lines(ask, asset, after, LINES), _place, LINES)
    return page(ask, "asset_timeline.html", record=record, lines=_shown(ask, lines), following=following)


def _named(ask: Ask) -> Key:
    return ask.query.get("connection", ""), ask.query.get("key", "")


def _days(ask: Ask) -> int:
    given = ask.query.get("days", str(USUAL))
    if given not in map(str, WINDOWS):
        raise malformed(f"days: one of {', '.join(map(str, WINDOWS))}; not {given!r}")
    return int(given)


def _record(ask: Ask, asset: Key) -> dict[str, Any]:
    found = next(kept_records(ask.house.database, "asset", Chosen(*asset, part=Part(size=1))), None)
    if found is None:
        raise missing(f"{asset[0]} has no asset {asset[1]!r}.")
    return printed(found)


def _year(now: datetime) -> Period:
    """This month and those before it, as many as a trend shows."""
    months = now.year * 12 + now.month - TREND_MONTHS
    return stretch(date(months // 12, months % 12 + 1, 1), now.astimezone(UTC))


def _told(ask: Ask, asset: Key, period: Period, now: datetime) -> Told:
    connection = known(ask).get(asset[0])
    counted, _ = scope.counted(ask.house.database, known(ask), None)
    asked = Asked(
        connection=asset[0],
        customer=asset[0] if connection is None else connection.customer,
        period=period,
        as_of=now,
        zone_of=lambda site: site_zone(connection, site),
        counted=frozenset({*counted, asset[0]}),
        asset=asset[1],
    )
    return next(told_of(ask.house.database, asked))


def _lines(ask: Ask, asset: Key, after: Place | None, size: int) -> Iterator[Line]:
    """The newest lines, behind the one that a page before ended with; what is only planned is no history."""
    if after is None:
        return timeline(ask.house.database, *asset, None, ask.house.now() + MAX_SKEW, newest=size + 1)
    try:
        last = parse_instant(after[0])
    except ValueError:
        last = None
    if last is None:
        raise malformed("cursor: give the one of the page before, unchanged")
    found = timeline(ask.house.database, *asset, None, last + _MICROSECOND, newest=size + 1)
    return dropwhile(lambda line: (line.occurred_at, *_place(line)[1:]) >= (last, *after[1:]), found)


def _place(line: Line) -> Place:
    return kept_instant(line.occurred_at), line.stamp, line.subject_kind, line.subject_key, line.connection


def _shown(ask: Ask, lines: list[Line]) -> list[history.HistoryLine]:
    return [history.told(line, known(ask).get(line.connection)) for line in lines]


PAGES: Final = (Page("/assets/show", show), Page("/assets/timeline", happened))
