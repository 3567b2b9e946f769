"""Records of every kind: a list and one, made from what `worker.shapes.kinds` says of each."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response

from handlers.rules.occurrence import Occurrence
from handlers.store.read_records import FILTERS, FLAGS
from handlers.store.searching import Search
from worker.console import links
from worker.console.api.operations import Call
from worker.console.api.records import record, records
from worker.console.ask import Ask, Page, see
from worker.console.look import page
from worker.console.pages._asked import ROWS, known
from worker.console.refusals import RefusalError, malformed, missing
from worker.console.rendering import heading
from worker.console.views.calendar import CLASSES, became
from worker.console.views.showing import sheet, shown
from worker.plans import Plans, Wanted, Worked
from worker.shapes.kinds import COLUMNS, KINDS
from worker.shapes.pm import plan_row

TITLES: Final = {name: heading(name.replace("-", "_")) for name in KINDS}
USUAL: Final = "purchase-orders"
PM_PLAN: Final = "pm_plan"
AHEAD: Final = timedelta(days=366)
"""How far ahead the times of one plan are foreseen."""
MOST_TIMES: Final = 200
MOST_AHEAD: Final = 6


def listed(ask: Ask) -> Response:
    """Records of one kind, by connection and key.

    Raises:
        RefusalError: there is no such kind.
    """
    name = ask.query.get("kind", USUAL)
    if name not in KINDS:
        raise malformed(f"kind: one of {', '.join(KINDS)}; not {name!r}")
    filters = [each.replace("-", "_") for each in FILTERS[KINDS[name]]]
    given: dict[str, Any] = {each: ask.query[each] for each in ("connection", "cursor", *filters) if each in ask.query}
    given |= {each: ask.query[each] == "yes" for each in ("deleted", "below_reorder") if each in ask.query}
    search = Search.of_records()
    found = records(ask.house, KINDS[name], Call(who=ask.who, path={}, query={**given, "limit": ROWS}), search)
    columns = [each for each in COLUMNS[KINDS[name]] if each not in {"connection", "key"}]
    return page(
        ask,
        "records.html",
        name=name,
        kind=KINDS[name],
        titles=TITLES,
        columns=columns,
        rows=[
            (row, [shown(each, row.get(each), row["connection"], KINDS[name]) for each in columns])
            for row in found["items"]
        ],
        following=found["next_cursor"],
        search=search,
        filters=filters,
        flags=[each.replace("-", "_") for each in FLAGS],
        connections=sorted(known(ask)),
    )


def show(ask: Ask) -> Response:
    """One record; of a maintenance plan also each time that it is due.

    Raises:
        RefusalError: there is none.
    """
    kind, connection, key = (ask.query.get(each, "") for each in ("kind", "connection", "key"))
    if kind in links.RECORD_PAGES or kind == "connection":
        return see(links.record(kind, connection, key))
    if kind not in KINDS.values():
        raise missing(f"There is no kind {kind!r}.")
    plan = _plan(ask, connection, key) if kind == PM_PLAN else None
    try:
        found: Any = record(ask.house, kind, connection, key)
    except RefusalError:
        if plan is None:
            raise
        found = {
            "kind": kind,
            "connection": connection,
            "key": key,
            "is_deleted": False,
            "anomalies": [],
            "warnings": [],
        }
    times = [] if plan is None else _near(plan.found)
    return page(
        ask,
        "record.html",
        record=found,
        sheet=sheet(found),
        plan=None if plan is None else plan_row(*plan),
        times=[(each, became(each.state, None if plan is None else each.in_time(plan.plan.grace))) for each in times],
        classes=CLASSES,
        list=next(name for name, each in KINDS.items() if each == kind),
        teller=known(ask).get(connection),
    )


def _plan(ask: Ask, connection: str, key: str) -> Worked | None:
    """A plan as it is understood, with what was due and what will be; None where nobody told of it."""
    now = ask.house.now()
    plans = Plans(ask.house.settings.home, ask.house.database, known(ask))
    worked = plans.worked(Wanted(connection, plan=key), now, until=now.date() + AHEAD, project=True)
    return next(iter(worked), None)


def _near(found: Sequence[Occurrence]) -> list[Occurrence]:
    """The times before the next ones and those, the latest first."""
    ahead = [each for each in found if each.state == "planned"]
    return [*ahead[:MOST_AHEAD][::-1], *[each for each in found if each.state != "planned"][-MOST_TIMES:][::-1]]


PAGES: Final = (Page("/records", listed), Page("/records/show", show))
