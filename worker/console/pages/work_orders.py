"""Work orders: those that are open by when they are due, all of them by key; and one with its whole life."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from starlette.responses import Response

from handlers.connections.zones import zones_of
from handlers.events import Json
from handlers.model.downtime import ORDER_KEY_PREFIX
from handlers.model.work_order import Status, Type
from handlers.rules.lifecycle import UNFINISHED
from handlers.rules.printing import printed, printed_downtime
from handlers.store.read_downtime import kept_downtime
from handlers.store.read_events import Wanted as WantedEvents
from handlers.store.read_events import listed_events
from handlers.store.read_open_orders import Place, Wanted, open_orders
from handlers.store.read_orders import kept_orders
from handlers.store.read_records import Chosen
from handlers.store.read_today import connections_with_work
from handlers.store.reading import Part
from handlers.store.searching import Search
from worker.console.api import paging
from worker.console.ask import Ask, Page
from worker.console.look import page
from worker.console.pages._asked import ROWS, choices, counted, known, page_of
from worker.console.refusals import malformed, missing
from worker.console.views import orders
from worker.console.views.showing import sheet

OPEN, OVERDUE, ALL = "open", "overdue", "all"
STATES: Final = (OPEN, OVERDUE, ALL)
NARROWING: Final = ("status", "type", "priority", "asset", "site", "crew")
MOST_EVENTS: Final = 100
"""Events of one order that its page shows, the newest."""
ELSEWHERE: Final = frozenset({"title", "description", "status", "priority", "type"})
"""Fields that the page shows at its head."""


def listed(ask: Ask) -> Response:
    """The list. Finished orders stand in it by key alone: an index by anything else would slow every event down."""
    state = ask.query.get("state", OPEN)
    if state not in STATES:
        raise malformed(f"state: one of {', '.join(STATES)}; not {state!r}")
    wanted = {name: ask.query.get(name) for name in NARROWING}
    if state == ALL and wanted["status"] in UNFINISHED:
        state = OPEN  # all of such a status are open, and an index has those
    connections = counted(ask, connections_with_work(ask.house.database))
    search = Search.of_records()
    if state == ALL:
        rows, following = _all(ask, wanted, search)
    else:
        rows, following = _open(ask, connections, wanted, late=state == OVERDUE)
    return page(
        ask,
        "work_orders.html",
        rows=rows,
        following=following,
        search=search,
        states=STATES,
        state=ask.query.get("state", OPEN),
        statuses=get_args(Status),
        types=get_args(Type),
        choices=choices(ask, connections),
    )


def _open(
    ask: Ask, connections: list[str], wanted: Mapping[str, str | None], *, late: bool
) -> tuple[list[Mapping[str, Json]], str | None]:
    zones, now = zones_of(known(ask)), ask.house.now()
    after = paging.decode(ask.query.get("cursor"), tuple[str, str, str])
    asked = Wanted(**wanted, overdue=late)
    found = open_orders(ask.house.database, connections, asked, (now, zones), Part(after, ROWS + 1))
    rows, following = page_of(found, _place)
    return [printed(kept) for _, kept in rows], following


def _place(row: tuple[Place, Any]) -> Place:
    return row[0]


def _all(ask: Ask, wanted: Mapping[str, str | None], search: Search) -> tuple[list[Mapping[str, Json]], str | None]:
    zones, now = zones_of(known(ask)), ask.house.now()
    after = paging.decode(ask.query.get("cursor"), tuple[str, str])
    filters = {name: value for name, value in wanted.items() if value is not None and name != "crew"}
    chosen = Chosen(ask.query.get("connection"), filters=filters, part=Part(after, ROWS + 1, search))
    found = map(printed, kept_orders(ask.house.database, chosen, zones, now))
    rows, following = page_of(found, lambda row: (row["connection"], row["key"]), search=search)
    return list(rows), following


def show(ask: Ask) -> Response:
    """One order.

    Raises:
        RefusalError: there is none.
    """
    database, now = ask.house.database, ask.house.now()
    connection, key = ask.query.get("connection", ""), ask.query.get("key", "")
    chosen = Chosen(connection, key, part=Part(size=1))
    kept = next(kept_orders(database, chosen, zones_of(known(ask)), now), None)
    if kept is None:
        raise missing(f"{connection} has no work order {key!r}.")
    record = printed(kept)
    subject = WantedEvents(connection=connection, subject_kind="work_order", subject_key=key)
    events, _ = page_of(listed_events(database, subject, Part(size=MOST_EVENTS + 1)), lambda _: (), MOST_EVENTS)
    stop = next(kept_downtime(database, Chosen(connection, f"{ORDER_KEY_PREFIX}{key}"), now), None)
    return page(
        ask,
        "work_order.html",
        record=record,
        sheet=sheet(record, ELSEWHERE),
        steps=orders.steps(kept.record, now),
        set_by=orders.set_by(kept.record),
        standing=orders.standing(kept.record),
        events=events,
        stop=None if stop is None else printed_downtime(stop, now),
        teller=known(ask).get(connection),
    )


PAGES: Final = (Page("/work-orders", listed), Page("/work-orders/show", show))
