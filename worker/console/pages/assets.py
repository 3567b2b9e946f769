"""Assets: a list that can be searched, each with the stops of its last 30 days."""

from collections.abc import Mapping, Sequence
from typing import Final, get_args

from markupsafe import Markup
from starlette.responses import Response

from handlers.events import Json
from handlers.model.asset import Status
from handlers.rules.printing import printed
from handlers.store.read_records import Chosen
from handlers.store.read_sites import assets_named
from handlers.store.read_spans import Window, spans_of
from handlers.store.read_uptime import connections_with_assets
from handlers.store.reading import Part
from handlers.store.rowset import Transaction
from handlers.store.searching import Search
from worker.console.api import paging
from worker.console.ask import Ask, Page
from worker.console.look import page
from worker.console.pages._asked import ROWS, choices, counted, page_of
from worker.console.views.strips import LENGTH, small
from worker.report import strips

FILTERS: Final = ("status", "site", "parent")


def listed(ask: Ask) -> Response:
    """The list, by connection and key."""
    after = paging.decode(ask.query.get("cursor"), tuple[str, str])
    filters = {name: ask.query[name] for name in FILTERS if name in ask.query}
    search = Search.of_records()
    chosen = Chosen(ask.query.get("connection"), filters=filters, part=Part(after, ROWS + 1, search))
    found = map(printed, assets_named(ask.house.database, chosen, ask.query.get("q", "")))
    rows, following = page_of(found, lambda row: (row["connection"], row["key"]), search=search)
    return page(
        ask,
        "assets.html",
        rows=list(zip(rows, _strips(ask, rows), strict=True)),
        following=following,
        search=search,
        days=LENGTH.days,
        statuses=get_args(Status),
        states=strips.STATES,
        swatch=strips.swatch,
        choices=choices(ask, counted(ask, connections_with_assets(ask.house.database))),
    )


def _strips(ask: Ask, rows: Sequence[Mapping[str, Json]]) -> list[Markup]:
    """Those of the rows, from one reading."""
    now = ask.house.now()
    keys = [(str(row["connection"]), str(row["key"])) for row in rows]
    with ask.house.database.read() as session:
        spans = spans_of(Transaction(session), keys, Window(now - LENGTH, now, now))
    return [small(key[1], spans.get(key, ()), now) for key in keys]


PAGES: Final = (Page("/assets", listed),)
