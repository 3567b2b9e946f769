"""What happened to an asset, and what its time came to."""

import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from handlers.connections.calendar_file import Calendars
from handlers.rules.reach import ROLLED_UP
from handlers.store.read_history import Line
from handlers.store.read_members import Reach
from handlers.store.read_timeline import timeline
from handlers.store.read_uptime import asset_figures, data_as_of
from worker import scope
from worker.console.api import paging
from worker.console.api.common import AS_OF, BOOLEAN, CONNECTION, FROM, PAGE, TO, all_of, between, choice, limit
from worker.console.api.operations import Call, Operation, Param
from worker.console.api.paging import BAD_CURSOR
from worker.console.house import House
from worker.console.refusals import malformed, missing
from worker.shapes import history
from worker.shapes.uptime import ASSET, NAMED, Uptime, rows, told
from worker.windows import asked, looker

Place = tuple[str, str, str, str, str]
PERIOD: Final = Param("period", "In place of from and to: 2026, 2026-Q3, 2026-10, 2026-W40, cut where each site is.")
CALENDAR: Final = Param("calendar", "Required time is operating time, of assets with a calendar.", BOOLEAN)
ROLL_UP: Final = Param("roll_up", "With everything below it.", BOOLEAN)
WINDOW: Final = (FROM, TO, PERIOD, AS_OF, CALENDAR)


def lines(house: House, call: Call) -> dict[str, Any]:
    """A page of an asset's timeline, oldest first."""
    connection, asset = call.path["connection"], call.path["key"]
    since, until = between(call, ("from", "to"))
    last = paging.decode(call.text("cursor"), tuple[Place, int])
    if last is not None:
        since = _read_at(last[0])
    known = house.registry.all()
    found = _counted(timeline(house.database, connection, asset, since, until))
    behind = found if last is None else itertools.dropwhile(lambda each: (each[0], each[1]) <= last, found)
    return paging.paged(
        behind,
        limit(call),
        lambda each: history.told(each[2], known.get(each[2].connection)),
        lambda each: (each[0], each[1]),
    )


def figures(house: House, call: Call) -> dict[str, Any]:
    """The figures of one asset, or of what it is linked to.

    Raises:
        RefusalError: nothing was ever said of it.
    """
    found = next(_rows(house, call, call.path["connection"], call.path["key"], by=ASSET), None)
    if found is None:
        raise missing(f"{call.path['connection']} has no asset {call.path['key']!r}.")
    return found


def all_figures(house: House, call: Call) -> dict[str, Any]:
    """The figures of every asset, a page at a time; or of all sites or customers, each the sum of its assets."""
    by = call.text("by") or ASSET
    if by == ASSET:
        last = paging.decode(call.text("cursor"), tuple[str, str])
        found = _rows(house, call, call.text("connection"), None, by=by, last=last)
        return paging.paged(found, limit(call), lambda each: each, lambda each: (each["connection"], each["asset_key"]))
    if call.flag("roll_up"):
        raise malformed("roll_up: by asset alone; otherwise it would count what is below twice")
    if call.text("cursor"):
        raise malformed("cursor: by asset alone; sites and customers are one page")
    return all_of(list(_rows(house, call, call.text("connection"), None, by=by)))


def _rows(
    house: House,
    call: Call,
    connection: str | None,
    asset: str | None,
    *,
    by: str,
    last: tuple[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of figures, by connection and asset where they are of assets.

    Args:
        house: what the console works with.
        call: what is asked.
        connection: of one connection.
        asset: of one asset of it.
        by: what a row is about.
        last: begins behind that asset.
    """
    time = asked(call.text("from"), call.text("to"), call.text("period"), call.text("as_of"))
    known = house.registry.all()
    calendars = Calendars(house.settings.calendars_path) if call.flag("calendar") else None
    counted, _ = scope.counted(house.database, known, connection)
    newest = data_as_of(house.database, counted)
    reach = Reach(frozenset(counted), call.flag("roll_up"))
    begin, after = last or ("", "")
    assets = (
        held
        for each in sorted(counted)
        if each >= begin
        for held in asset_figures(
            house.database,
            each,
            looker(each, known, time, calendars),
            asset,
            reach=reach,
            after=after if each == begin else "",
        )
    )
    more = {"roll_up": ROLLED_UP} if call.flag("roll_up") else {}
    return (told(row, by, by_calendar=calendars is not None) | more for row in rows(assets, newest, known, by))


def _counted(found: Iterable[Line]) -> Iterator[tuple[Place, int, Line]]:
    """Lines with their place in the order, and how many stood there before them.

    The time in a place is written so that its text sorts as it does; a kept one leaves out a fraction that is zero.
    """
    for place, group in itertools.groupby(found, key=_place):
        yield from ((place, number, line) for number, line in enumerate(group))


def _place(line: Line) -> Place:
    return (
        line.occurred_at.isoformat(timespec="microseconds"),
        line.stamp,
        line.subject_kind,
        line.subject_key,
        line.connection,
    )


def _read_at(place: Place) -> datetime:
    try:
        found = datetime.fromisoformat(place[0])
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise malformed(BAD_CURSOR)
    return found


OPERATIONS: Final = (
    Operation(
        path="/assets/{connection}/{key}/history",
        name="asset_history",
        summary="What happened to an asset, oldest first.",
        does=lines,
        params=(FROM, TO, *PAGE),
        answer=history.HistoryLine,
        is_list=True,
        tag="assets",
    ),
    Operation(
        path="/assets/{connection}/{key}/uptime",
        name="asset_uptime",
        summary="Availability, down time, failures, MTBF and MTTR of an asset in a window.",
        does=figures,
        params=(*WINDOW, ROLL_UP),
        answer=Uptime,
        statuses=(404,),
        tag="assets",
    ),
    Operation(
        path="/uptime",
        name="uptime",
        summary=(
            "The same of every asset by connection and key, or of all sites or customers on one page. A sandbox counts"
            " only when it is named."
        ),
        does=all_figures,
        params=(*WINDOW, ROLL_UP, CONNECTION, choice("by", "What an item is about.", *NAMED), *PAGE),
        answer=Uptime,
        is_list=True,
        tag="assets",
    ),
)
