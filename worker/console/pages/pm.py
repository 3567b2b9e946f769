"""The calendar of preventive maintenance: what is due in a month, what became of it, how well it is kept to."""

from datetime import date
from typing import Final

from starlette.responses import Response

from handlers.rules.pm_compliance import LATELY
from handlers.rules.pm_schedule import KEPT_AHEAD
from handlers.store.read_gauges import compliant_occurrences
from handlers.store.read_occurrences import Days, connections_with_occurrences, due_between, due_by_day, place
from handlers.store.rowset import Transaction
from worker.console.api import paging
from worker.console.ask import Ask, Page
from worker.console.look import page
from worker.console.pages._asked import ROWS, choices, counted, page_of
from worker.console.refusals import malformed
from worker.console.views import calendar

MOST_NAMED: Final = 300
"""Occurrences that are read for the grid, which names three a day; of the others it has the number."""


def show(ask: Ask) -> Response:
    """A month.

    Raises:
        RefusalError: it is none.
    """
    database, now = ask.house.database, ask.house.now()
    today = now.date()
    first = _month(ask, today)
    connections, site = counted(ask, connections_with_occurrences(database)), ask.query.get("site")
    counts = due_by_day(database, connections, Days(*calendar.ends(first), site))
    named = due_between(database, connections, Days(*calendar.ends(first), site), MOST_NAMED)
    after = paging.decode(ask.query.get("cursor"), tuple[str, str, str, str])
    month = Days(first, calendar.months_on(first, 1), site)
    rows, more = page_of(due_between(database, connections, month, ROWS + 1, after), place)
    due = in_time = 0
    with database.read() as session:
        for each in connections:
            kept = compliant_occurrences(Transaction(session), each, now - LATELY, now)
            due += sum(held[0] for name, held in kept.items() if site in {None, name})
            in_time += sum(held[1] for name, held in kept.items() if site in {None, name})
    return page(
        ask,
        "pm.html",
        first=first,
        previous=_label(first, -1),
        following=_label(first, 1),
        today=today,
        weeks=calendar.weeks(first, counts, named),
        classes=calendar.CLASSES,
        rows=[(each, calendar.became(each.state, each.on_time)) for each in rows],
        more=more,
        compliance=in_time / due if due else None,
        due=due,
        in_time=in_time,
        days=LATELY.days,
        kept_until=today + KEPT_AHEAD,
        choices=choices(ask, connections),
    )


def _month(ask: Ask, today: date) -> date:
    try:
        return calendar.month_of(ask.query.get("month"), today)
    except ValueError:
        raise malformed("month: write it like 2026-10") from None


def _label(first: date, months: int) -> str | None:
    """The month before or after, as the query has it; None where the calendar ends."""
    try:
        return f"{calendar.months_on(first, months):%Y-%m}"
    except ValueError:
        return None


PAGES: Final = (Page("/pm", show),)
