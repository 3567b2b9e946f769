"""`figures`: every figure of availability and reliability, each under the name of its variant."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any

import msgspec
import typer

from handlers.connections import Connection
from handlers.errors import ConfigurationError
from handlers.rules.confidence import TWO_SIDED, mtbf_bounds
from handlers.rules.figures import pool
from handlers.rules.reliability import Reliability, pool_reliability
from handlers.rules.reporting import CAUSE, AssetSums, grouped
from handlers.rules.times import kept_instant
from handlers.store.read_members import Reach
from handlers.store.read_reliability import AssetReliability, asset_reliability
from worker import scope
from worker.cli import given, looking, looks, output
from worker.cli.roles import Home

NAMED: Mapping[str, str] = {
    "asset": "asset_key",
    "class": "class",
    "site": "site",
    "customer": "customer",
    CAUSE: CAUSE,
}
"""What a row is about, by `--by`."""
COLUMNS: Mapping[str, str] = {
    "all": "availability",
    "unplanned only": "availability_unplanned",
    "restoration": "availability_restoration",
    "failures": "failures_effective",
    "MTBF h": "mtbf_s",
    "from h": "mtbf_lower_s",
    "to h": "mtbf_upper_s",
    "MTTR h": "mttr_restore_s",
    "repair h": "mttr_repair_s",
    "active h": "mttr_active_s",
    "MDT h": "mdt_s",
    "MTTA h": "mtta_s",
    "per 1000 h": "failure_rate_per_h",
}
"""Columns for people, and which figure stands in each."""
VARIANTS = (
    "availability: all = up / required, unplanned only = planned stops count as up, restoration = up / (up + unplanned"
    " down); MTBF: uptime / failures, from and to its bounds at {confidence:.0%}; MTTR: unplanned down time / failures,"
    " repair = from detection, active = in progress; MDT: down time / outages; MTTA: report to first action"
)
SECOND = timedelta(seconds=1)


class Held(msgspec.Struct, frozen=True):
    """What one row is made of.

    Attributes:
        name: of what it is about; None where nobody said.
        connection: whose it is; None where it may be of several.
        parts: assets, all with a calendar or all without one.
    """

    name: str | None
    connection: str | None
    parts: list[AssetReliability]


def figures(
    asset: Annotated[str | None, typer.Argument(metavar="ASSET", help="Key of one asset; all otherwise.")] = None,
    *,
    period: looks.Of = None,
    since: looks.Since = None,
    until: looks.Until = None,
    as_of: looks.AsOf = None,
    connection: looking.Of = None,
    by: Annotated[str, typer.Option(metavar="|".join(NAMED), help="What a line is about.")] = "asset",
    by_calendar: looks.ByCalendar = False,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.999999, help="Of the bounds on MTBF.")] = TWO_SIDED,
    home: Home = None,
    as_json: looking.Json = False,
) -> None:
    """Print every figure of availability and reliability of a window.

    A period is cut in the zone of each site, dates are midnights UTC. Bounds on MTBF are two-sided; without a failure
    there is one from below, one-sided. Means of repair are over the failures of which the time is known, and --json
    says of how many. Causes are in elapsed time always.

    Example: `maintenworks figures --period 2026-10 --by class`

    Example: `maintenworks figures PUMP-7 --period 2026 --confidence 0.95 --json`
    """
    if by not in NAMED:
        raise ConfigurationError([f"--by: one of {', '.join(NAMED)}; not {by!r}"])
    if by == CAUSE and by_calendar:
        raise ConfigurationError(["--calendar: causes are in elapsed time always; leave it out"])
    time = looks.asked(since, until, period, as_of)
    with looking.opened(home) as (settings, database):
        known = given.registry(settings).all()
        calendars = given.calendars(settings, known) if by_calendar else None
        counted, left_out = scope.counted(database, known, connection)
        reach = Reach(frozenset(counted))
        assets = (
            held
            for each in counted
            for held in asset_reliability(
                database, each, looks.looker(each, known, time, calendars), asset, reach=reach
            )
        )
        found = _by_cause(list(assets), confidence) if by == CAUSE else _rows(assets, known, by, confidence)
        if as_json:
            count = looking.json_lines(row | {"as_of": kept_instant(time.as_of)} for row in found)
        else:
            lines = ((row["connection"], row[NAMED[by]], *_cells(row)) for row in found)
            count = looking.rows(("connection", by, *COLUMNS), lines, right=tuple(COLUMNS))
    if count == 0:
        looking.nothing(scope.nobody(asset, connection, left_out))
    if not as_json:
        output.note(f"{time.text}, as of {kept_instant(time.as_of)}; {VARIANTS.format(confidence=confidence)}")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(rich_help_panel="Looking")(figures)


def _rows(
    assets: Iterable[AssetReliability], known: Mapping[str, Connection], by: str, confidence: float
) -> Iterator[dict[str, Any]]:
    """The rows, streamed where each is one asset."""
    groups: dict[tuple[str | None, str | None, bool], Held] = {}
    for each in assets:
        connection, name = _group(each, known, by)
        if by == "asset":
            yield _row(Held(name, connection, [each]), by, confidence)
            continue
        key = (connection, name, each.look.calendar is not None)
        groups.setdefault(key, Held(name, connection, [])).parts.append(each)
    for held in groups.values():
        yield _row(held, by, confidence)


def _group(each: AssetReliability, known: Mapping[str, Connection], by: str) -> tuple[str | None, str | None]:
    """Keys of assets and sites are told apart by connection; classes and customers are not."""
    if by == "asset":
        return each.connection, each.asset
    if by == "site":
        return each.connection, each.site
    if by == "class":
        return None, each.asset_class
    connection = known.get(each.connection)
    return None, each.connection if connection is None else connection.customer


def _row(held: Held, by: str, confidence: float) -> dict[str, Any]:
    told: Reliability = pool_reliability(each.told for each in held.parts)
    return {
        NAMED[by]: held.name,
        "connection": held.connection,
        **_window(held.parts),
        "assets": len(held.parts),
        "required_time": "operating" if told.by_calendar else "elapsed",
        **told.row(confidence),
    }


def _by_cause(assets: list[AssetReliability], confidence: float) -> Iterator[dict[str, Any]]:
    """A row a cause, the one that took most first; uptime is that of all, for what runs is at risk from every cause."""
    uptime_s = pool(each.told.figures for each in assets).uptime / SECOND
    for row in grouped([_sums(each) for each in assets], CAUSE):
        failures = row.values["failures_effective"]
        bounds = mtbf_bounds(uptime_s, int(failures or 0), confidence)
        yield {
            CAUSE: row.group[1],
            "connection": None,
            **_window(assets),
            "assets": row.assets,
            "required_time": "elapsed",
            **row.values,
            "mttr_restore_s": row.values["mttr_s"],
            "failure_rate_per_h": None if not uptime_s else (failures or 0) * 3600 / uptime_s,
            "confidence": confidence,
            "mtbf_lower_s": bounds.lower_s,
            "mtbf_upper_s": bounds.upper_s,
        }


def _sums(each: AssetReliability) -> AssetSums:
    return AssetSums(
        connection=each.connection,
        key=each.asset,
        customer=each.connection,
        zone=str(each.look.zone),
        since=each.look.window.since,
        until=each.look.window.until,
        told=each.told,
        causes=each.causes,
    )


def _window(parts: list[AssetReliability]) -> dict[str, str]:
    """From when to when; of assets in several zones from the first start to the last end."""
    windows = [each.look.window for each in parts]
    return {
        "from": kept_instant(min(each.since for each in windows)),
        "to": kept_instant(max(each.until for each in windows)),
    }


def _cells(row: Mapping[str, Any]) -> Iterator[str | int | None]:
    """Figures for people: ratios as percentages, times in hours, a rate per thousand hours."""
    for name in COLUMNS.values():
        value = row.get(name)
        if value is None or isinstance(value, int):
            yield value
        elif name.startswith("availability"):
            yield f"{value:.3%}"
        elif name == "failure_rate_per_h":
            yield f"{value * 1000:,.4g}"
        else:
            yield f"{value / 3600:,.2f}"
