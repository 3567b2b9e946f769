"""`uptime`: availability, down time, failures, MTBF and MTTR, by asset, site or customer."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
import typer
from msgspec.structs import replace

from handlers.connections import Connection
from handlers.errors import ConfigurationError
from handlers.rules.facts import Key
from handlers.rules.figures import Figures, pool
from handlers.rules.reach import ROLLED_UP
from handlers.rules.times import kept_instant
from handlers.store.read_members import Reach
from handlers.store.read_spans import Window
from handlers.store.read_uptime import AssetFigures, asset_figures, data_as_of
from worker import scope
from worker.cli import given, looking, looks, output
from worker.cli.roles import Home

ASSET, SITE, CUSTOMER = "asset", "site", "customer"
NAMED = {ASSET: "asset_key", SITE: "site", CUSTOMER: "customer"}
"""What a row is about, by `--by`."""
COLUMNS = (
    "availability",
    "unplanned only",
    "required h",
    "down h",
    "planned h",
    "failures",
    "reported",
    "open",
    "MTBF h",
    "MTTR h",
)
VARIANTS = "MTBF: uptime / failures, > its 90 % lower bound without any; MTTR: unplanned down time / failures"
"""Printed beside the figures: six public formulas give five values for one timeline (`reference/kpi.md`, 0.1)."""

BY_CALENDAR = ("calendar", "24x7")
"""Columns more where required time is by calendar: which, and the availability as if all operated always."""
OPERATING, ELAPSED = "operating", "elapsed"
"""What required time is: a row is of the one or of the other."""


class Row(msgspec.Struct, frozen=True):
    """Figures with what they are about.

    Attributes:
        name: of the asset, site or customer; None for assets whose site nobody said.
        connection: whose they are; None where a customer's come from several.
        observed_from: when the first known fact about any of it happened.
        data_as_of: when the newest fact of the connection happened; of several, of the one that is furthest behind.
        figures: the sums.
        window: of the figures; of assets in several zones from the first start to the last end.
        calendars: the names of those that required time follows; none where it is 24x7.
        elapsed: with a calendar, the sums as if all operated always.
        linked: the assets that one stands for beside itself.
    """

    name: str | None
    connection: str | None
    observed_from: datetime | None
    data_as_of: datetime | None
    figures: Figures
    window: Window
    calendars: tuple[str, ...] = ()
    elapsed: Figures | None = None
    linked: tuple[Key, ...] = ()


def uptime(
    asset: Annotated[str | None, typer.Argument(metavar="ASSET", help="Key of one asset; all otherwise.")] = None,
    *,
    since: looks.Since = None,
    until: looks.Until = None,
    period: looks.Of = None,
    as_of: looks.AsOf = None,
    connection: looking.Of = None,
    by: Annotated[str, typer.Option(metavar="asset|site|customer", help="What a line is about.")] = ASSET,
    by_calendar: looks.ByCalendar = False,
    roll_up: looks.RollUp = False,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print availability, down time, failures, MTBF and MTTR of a window.

    Overlapping down time counts once. Dates are midnights UTC, a period is cut in the zone of each site. Every asset
    that anything was ever said about has a line. A sandbox connection counts only when it is named. With --calendar
    what operates by a calendar and what has none are never in one line. `maintenworks figures` prints more. Assets that
    `assets link` made one have one line.

    Example: `maintenworks uptime --from 2026-03-01 --to 2026-04-01`

    Example: `maintenworks uptime --period 2026-10 --by site --calendar`

    Example: `maintenworks uptime PUMP-7 --connection acme --from 2026-01-01 --to 2027-01-01 --as-of 2026-07-05 --json`
    """
    if by not in NAMED:
        raise ConfigurationError([f"--by: one of {', '.join(NAMED)}; not {by!r}"])
    if roll_up and by != ASSET:
        raise ConfigurationError([f"--roll-up: with --by asset alone; by {by} it would count what is below twice"])
    time = looks.asked(since, until, period, as_of)
    with looking.opened(home) as (settings, database):
        known = given.registry(settings).all()
        calendars = given.calendars(settings, known) if by_calendar else None
        counted, left_out = scope.counted(database, known, connection)
        newest = data_as_of(database, counted)
        reach = Reach(frozenset(counted), roll_up)
        assets = (
            held
            for each in counted
            for held in asset_figures(database, each, looks.looker(each, known, time, calendars), asset, reach=reach)
        )
        found = _rows(assets, newest, known, by)
        if as_json:
            more = {"roll_up": ROLLED_UP} if roll_up else {}
            count = looking.json_lines(_printed(row, by, by_calendar=by_calendar) | more for row in found)
        else:
            columns = (*COLUMNS, *BY_CALENDAR) if by_calendar else COLUMNS
            lines = (_line(row)[: 2 + len(columns)] for row in found)
            count = looking.rows(("connection", by, *columns), lines, right=(*COLUMNS, BY_CALENDAR[1]))
    if count == 0:
        looking.nothing(scope.nobody(asset, connection, left_out))
    if not as_json:
        rolled_up = f"; rolled up in {ROLLED_UP}" if roll_up else ""
        output.note(f"{time.text}, as of {kept_instant(time.as_of)}; {VARIANTS}{rolled_up}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(uptime)


def _rows(
    assets: Iterable[AssetFigures], newest: Mapping[str, datetime], known: Mapping[str, Connection], by: str
) -> Iterator[Row]:
    """The rows, streamed where each is one asset; sites are told apart by connection, customers are not."""
    pools: dict[tuple[str | None, str | None, bool], Row] = {}
    for held in assets:
        known_until = [newest[each] for each, _ in ((held.connection, ""), *held.linked) if each in newest]
        row = _row(held, min(known_until, default=None))
        if by == ASSET:
            yield row
            continue
        connection = known.get(held.connection)
        customer = held.connection if connection is None else connection.customer
        group = (held.connection, held.site) if by == SITE else (None, customer)
        row = replace(row, name=group[1])
        kind = (*group, row.elapsed is None)
        pools[kind] = _joined(pools[kind], row) if kind in pools else row
    yield from pools.values()


def _row(held: AssetFigures, newest: datetime | None) -> Row:
    return Row(
        name=held.asset,
        connection=held.connection,
        observed_from=held.observed_from,
        data_as_of=newest,
        figures=held.figures,
        window=held.look.window,
        calendars=() if held.look.calendar is None else (held.look.calendar.name,),
        elapsed=held.elapsed,
        linked=held.linked,
    )


def _joined(one: Row, other: Row) -> Row:
    starts = [each.observed_from for each in (one, other) if each.observed_from is not None]
    ends = [each.data_as_of for each in (one, other) if each.data_as_of is not None]
    windows = (one.window, other.window)
    return Row(
        name=one.name,
        connection=one.connection if one.connection == other.connection else None,
        observed_from=min(starts, default=None),
        data_as_of=min(ends, default=None),
        figures=pool((one.figures, other.figures)),
        window=Window(min(each.since for each in windows), max(each.until for each in windows), one.window.as_of),
        calendars=tuple(sorted({*one.calendars, *other.calendars})),
        elapsed=None if one.elapsed is None or other.elapsed is None else pool((one.elapsed, other.elapsed)),
    )


def _printed(row: Row, by: str, *, by_calendar: bool) -> dict[str, Any]:
    """A row under the contract's names (section 6); by calendar with what required time is, and the figures of 24x7."""
    told: dict[str, Any] = {
        NAMED[by]: row.name,
        "connection": row.connection,
        "from": kept_instant(row.window.since),
        "to": kept_instant(row.window.until),
        "as_of": kept_instant(row.window.as_of),
        "observed_from": None if row.observed_from is None else kept_instant(row.observed_from),
        "data_as_of": None if row.data_as_of is None else kept_instant(row.data_as_of),
        **row.figures.row(),
    }
    if row.linked:
        told["linked"] = [{"connection": connection, "asset_key": key} for connection, key in row.linked]
    if by_calendar:
        told["required_time"] = ELAPSED if row.elapsed is None else OPERATING
        told["calendars"] = row.calendars
        told["elapsed"] = None if row.elapsed is None else row.elapsed.row()
    return told


def _line(row: Row) -> tuple[object, ...]:
    """A row for people: ratios as percentages, times in hours."""
    figures = row.figures
    told = figures.row()
    bound = figures.mtbf_lower_bound_s
    return (
        row.connection,
        row.name,
        _percent(figures.availability),
        _percent(figures.availability_unplanned),
        _hours(told["required_s"]),
        _hours(told["downtime_s"]),
        _hours(told["planned_downtime_s"]),
        figures.failures_effective,
        figures.failures_reported,
        figures.open_downtimes,
        _hours(figures.mtbf_s) if bound is None else f"> {_hours(bound)}",
        _hours(figures.mttr_s),
        ", ".join(row.calendars),
        _percent((row.elapsed or figures).availability),
    )


def _percent(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio:.3%}"


def _hours(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds / 3600:,.2f}"
