"""What the day holds: what stands, is late, due and under way, and which maintenance comes."""

from typing import Any, Final

from handlers.connections.zones import zones_of
from handlers.rules.pm_records import is_in_time
from handlers.rules.today import TodaysLine, Wanted, days_work
from handlers.store.read_today import connections_with_work, day
from worker import plans, scope
from worker.console.api.common import AS_OF, CONNECTION, all_of, at
from worker.console.api.operations import Call, Operation, Param
from worker.console.house import House
from worker.console.refusals import malformed
from worker.plans import Plans
from worker.shapes import pm as shapes

WITHIN_DAYS: Final = 14
MOST_DAYS: Final = 3_660
SITE: Final = Param("site", "Only of this site.")


def today(house: House, call: Call) -> dict[str, Any]:
    """The day's work."""
    now, connection, known = at(house, call), call.text("connection"), house.registry.all()
    counted = [connection] if connection else scope.apart(connections_with_work(house.database), known)[0]
    zones = zones_of(known)
    found = day(house.database, counted, zones, now)
    orders = ((each, zones(each.connection, each.site)) for each in found.orders)
    lines = days_work(found.stops, orders, found.assets, Wanted(call.text("site"), call.text("crew")), now)
    return all_of([each.row(now) for each in lines])


def due(house: House, call: Call) -> dict[str, Any]:
    """What maintenance is due."""
    now = at(house, call)
    if not is_in_time(now):
        raise malformed("as_of: of no year in which something may be due")
    wanted = plans.Wanted(call.text("connection"), call.text("site"), call.text("asset"), call.text("plan"))
    known = Plans(house.settings.home, house.database, house.registry.all())
    found = plans.due(known, wanted, now, call.number("within", WITHIN_DAYS))
    return all_of([shapes.printed(each.plan, each.time, now) for each in found])


OPERATIONS: Final = (
    Operation(
        path="/today",
        name="today",
        summary="The day's work: assets down, then orders that are overdue, due, and in progress; all of it.",
        does=today,
        answer=TodaysLine,
        is_list=True,
        params=(SITE, Param("crew", "Only for this team or person, by key or name."), CONNECTION, AS_OF),
        tag="today",
    ),
    Operation(
        path="/pm-occurrences",
        name="list_pm_occurrences",
        summary="Maintenance that is overdue, due, called for and coming, the most urgent first; all of it.",
        does=due,
        answer=shapes.DueTime,
        is_list=True,
        params=(
            SITE,
            Param("asset", "Only of this asset."),
            Param("plan", "Only of this plan."),
            CONNECTION,
            Param(
                "within",
                "What is planned in so many days, too.",
                {"type": "integer", "minimum": 0, "maximum": MOST_DAYS, "default": WITHIN_DAYS},
            ),
            AS_OF,
        ),
        tag="today",
    ),
)
