"""The audit log, the newest first; and, when somebody asks, whether its chain is whole."""

from typing import Final

from starlette.responses import Response

from handlers.store import audit as log
from handlers.store.reading import Part
from worker import audit
from worker.console.api import paging
from worker.console.ask import Ask, Page
from worker.console.look import page
from worker.console.pages._asked import ROWS, page_of
from worker.moments import bounds
from worker.shapes.acts import told


def listed(ask: Ask) -> Response:
    """The log."""
    since, until = bounds(ask.query.get("since"), ask.query.get("until"), ("since", "until"))
    wanted = log.Wanted(ask.query.get("who"), ask.query.get("act"), since, until)
    after = paging.decode(ask.query.get("cursor"), tuple[int])
    entries = log.entries(ask.house.database, wanted, newest_first=True, part=Part(after, ROWS + 1))
    rows, following = page_of(entries, lambda entry: (entry.sequence,))
    return page(ask, "audit.html", rows=list(map(told, rows)), following=following, verdict=None)


def verified(ask: Ask) -> Response:
    """What a walk along the whole chain comes to."""
    database = ask.house.database
    noted = log.head(database)
    return page(ask, "audit.html", rows=None, following=None, verdict=audit.verify(log.entries(database), noted))


PAGES: Final = (Page("/audit", listed), Page("/audit/verify", verified))
