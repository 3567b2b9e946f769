"""Today's board: the day's work as `today` prints it, and the preventive maintenance that is due, to hang on a wall."""

from typing import Final

from starlette.responses import Response

from handlers.connections.zones import zones_of
from handlers.rules.today import Wanted, days_work
from handlers.store.read_occurrences import due_now
from handlers.store.read_today import connections_with_work, day
from worker.console.ask import Ask, Page
from worker.console.beginning import is_new
from worker.console.look import page
from worker.console.pages._asked import choices, counted, known
from worker.console.views import board

MOST_DUE: Final = 60
"""Occurrences that are shown."""


def show(ask: Ask) -> Response:
    """The board."""
    database, now = ask.house.database, ask.house.now()
    every = connections_with_work(database)
    connections = counted(ask, every)
    zones = zones_of(known(ask))
    wanted = Wanted(ask.query.get("site"), ask.query.get("crew"))
    found = day(database, connections, zones, now)
    orders = ((each, zones(each.connection, each.site)) for each in found.orders)
    lines = days_work(found.stops, orders, found.assets, wanted, now)
    due = due_now(database, connections, wanted.site, MOST_DUE + 1)
    return page(
        ask,
        "today.html",
        columns=board.columns(lines, now),
        due=due[:MOST_DUE],
        more_due=len(due) > MOST_DUE,
        is_new=not every and is_new(ask.house),
        choices=choices(ask, connections),
    )


PAGES: Final = (Page("/today", show),)
