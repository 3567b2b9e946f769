"""`get work-orders --figures`: what the work of the chosen orders comes to, each figure under its variant."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from handlers.connections.zones import zones_of
from handlers.errors import ConfigurationError
from handlers.rules.times import kept_instant
from handlers.rules.work_figures import Window, WorkFigures, pool_work
from handlers.store.engine import Database
from handlers.store.read_orders import OrderWork, orders_work
from handlers.store.read_records import Chosen
from handlers.store.read_today import connections_with_work
from worker import scope
from worker.cli import given, looking, output
from worker.settings import WorkerSettings

EVER = datetime(1, 1, 1, tzinfo=UTC)
ALL = "all"
NAMED: Mapping[str, str] = {ALL: ALL, "site": "site", "asset": "asset_key", "crew": "crew", "type": "type"}
"""What a row is about, by `--by`."""
COLUMNS: Mapping[str, str] = {
    "finished": "orders_finished",
    "work h": "work_h",
    "planned": "planned_maintenance_ratio",
    "corrective": "corrective_ratio",
    "rework": "rework_ratio",
    "scheduled": "scheduled",
    "kept": "schedule_compliance",
    "ready": "ready_orders",
    "ready h": "ready_h",
    "backlog weeks": "ready_backlog_weeks",
}
"""Columns for people, and which figure stands in each."""
VARIANTS = (
    "planned: hours of planned types / hours of all but projects; corrective: corrective / corrective and planned;"
    " rework: hours of reopened corrective orders / hours of all; kept: finished in the week for which they were"
    " scheduled when it began / scheduled; backlog: ready hours / crew hours of a week (crew_hours)"
)
Group = tuple[str | None, str | None]
_GROUPS: Mapping[str, Callable[[OrderWork], Group]] = {
    ALL: lambda _: (None, None),
    "site": lambda order: (order.connection, order.site),
    "asset": lambda order: (order.connection, order.asset),
    "crew": lambda order: (None, order.crew),
    "type": lambda order: (None, order.type),
}


class Asked(msgspec.Struct, frozen=True):
    """What figures are asked for.

    Attributes:
        chosen: of which orders.
        since: start of the window, as given; None for the beginning.
        until: its end; None for now.
        by: what a row is about, of `NAMED`.
    """

    chosen: Chosen
    since: str | None
    until: str | None
    by: str


def figures(settings: WorkerSettings, database: Database, asked: Asked, *, as_json: bool) -> int:
    """Prints the figures; returns how many rows there were."""
    if asked.by not in NAMED:
        raise ConfigurationError([f"--by: one of {', '.join(NAMED)}; not {asked.by!r}"])
    start, end = looking.bounds(asked.since, asked.until, ("--from", "--to"))
    now = datetime.now(UTC)
    window = Window(start or EVER, end or now, now)
    rows = list(_rows(settings, database, asked, window))
    if as_json:
        return looking.json_lines(rows)
    lines = [
        (row["connection"], row.get(NAMED[asked.by]), *map(_cell, COLUMNS.values(), map(row.get, COLUMNS.values())))
        for row in rows
    ]
    count = looking.rows(("connection", asked.by, *COLUMNS), lines, right=tuple(COLUMNS))
    if count:
        output.note(VARIANTS)
    return count


def _rows(settings: WorkerSettings, database: Database, asked: Asked, window: Window) -> Iterator[dict[str, Any]]:
    known = given.registry(settings).all()
    named = asked.chosen.connection
    counted = [named] if named else scope.apart(connections_with_work(database), known)[0]
    held: dict[Group, list[WorkFigures]] = {}
    for each in counted:
        for order in orders_work(database, asked.chosen._replace(connection=each), zones_of(known), window):
            held.setdefault(_GROUPS[asked.by](order), []).append(order.figures)
    for group in sorted(held, key=lambda each: tuple((name is None, name or "") for name in each)):
        yield {
            **({} if asked.by == ALL else {NAMED[asked.by]: group[1]}),
            "connection": group[0] or named,
            "from": None if asked.since is None else kept_instant(window.since),
            "to": kept_instant(window.until),
            **pool_work(held[group]).row(_capacity(settings.crew_hours, asked, group[1])),
        }


def _capacity(crews: Mapping[str, float], asked: Asked, name: str | None) -> float | None:
    """Hours a week of a crew, or of all together; None of a part of the work that no crew is known to do."""
    if asked.by == "crew":
        return None if name is None else crews.get(name)
    whole = asked.by == ALL and not asked.chosen.filters and asked.chosen.connection is None
    return sum(crews.values()) if crews and whole else None


def _cell(name: str, value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    return f"{value:.1%}" if name.endswith(("_ratio", "_compliance")) else f"{value:,.1f}"
