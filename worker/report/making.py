"""Puts a report together: what is asked about each connection, read on one snapshot, compared with what was closed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from handlers.connections import Connection
from handlers.connections.zones import site_zone
from handlers.rules.figures import Figures, pool
from handlers.rules.period import Period
from handlers.rules.reporting import CAUSE, AssetSums, Change, Group, Row, changes, grouped, whole
from handlers.rules.times import kept_instant
from handlers.store.read_report import Asked, Told, told_of
from handlers.store.reading import Readable
from handlers.store.snapshots import Closing, published


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is asked.

    Attributes:
        period: of what time.
        by: what a row is about.
        as_of: the time of knowledge (UTC): everything is cut there.
        connections: whose assets, by id; None for what the registry does not know.
        time_zone: in which the period is cut; None for each site's own.
    """

    period: Period
    by: str
    as_of: datetime
    connections: Mapping[str, Connection | None]
    time_zone: str | None = None


class Restated(msgspec.Struct, frozen=True, kw_only=True):
    """What was published of the period, and what differs from it.

    Attributes:
        closings: those that the report is compared with.
        rows: the differences of each row that can be compared, none where it stands.
        total: the same of all assets together; None where it cannot be compared.
        gone: rows that were published and are no more, with what they were.
        problems: why something is not compared, in words.
    """

    closings: Sequence[Closing] = ()
    rows: Mapping[Group, Mapping[str, Change]] = {}
    total: Mapping[str, Change] | None = None
    gone: Sequence[Row] = ()
    problems: Sequence[str] = ()

    def closed_at(self, row: Row) -> datetime | None:
        """When a row's figures were published, the latest of its connections; None where they were not."""
        if row.group not in self.rows:
            return None
        return max(each.computed_at for each in self.closings if each.connection in row.connections)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report, made.

    Attributes:
        wanted: what it answers.
        told: every asset.
        rows: one for each of what was asked by.
        causes: one a cause of down time, the most unplanned down time first.
        total: all assets as one row.
        trend: all assets together in each part of the period, oldest first.
        restated: against what was published.
    """

    wanted: Wanted
    told: Sequence[Told]
    rows: Sequence[Row]
    causes: Sequence[Row]
    total: Row
    trend: Sequence[tuple[str, Figures]]
    restated: Restated


def read(database: Readable, wanted: Wanted, advance: Callable[[int], None]) -> Iterator[Told]:
    """Every asset that a report is about.

    Args:
        database: one transaction that is held.
        wanted: what is asked.
        advance: told of each asset that is read.
    """
    for connection, known in wanted.connections.items():
        asked = Asked(
            connection=connection,
            customer=connection if known is None else known.customer,
            period=wanted.period,
            as_of=wanted.as_of,
            zone_of=_zones(known, wanted.time_zone),
            counted=frozenset(wanted.connections),
        )
        for each in told_of(database, asked):
            yield each
            advance(1)


def make(database: Readable, wanted: Wanted, told: Sequence[Told]) -> Report:
    """The report of assets that were read.

    Args:
        database: asked for what was published.
        wanted: what is asked.
        told: at least one asset.
    """
    sums = [each.sums for each in told]
    rows, causes, total = grouped(sums, wanted.by), grouped(sums, CAUSE), whole(sums)
    return Report(
        wanted=wanted,
        told=told,
        rows=rows,
        causes=causes,
        total=total,
        trend=_trend(told),
        restated=_restated(database, wanted, rows, total),
    )


def _zones(known: Connection | None, given: str | None) -> Callable[[str | None], ZoneInfo]:
    if given is None:
        return lambda site: site_zone(known, site)
    zone = ZoneInfo(given)
    return lambda _: zone


def _trend(told: Sequence[Told]) -> list[tuple[str, Figures]]:
    """All assets in each part; parts that are empty wherever an asset is are left out."""
    parts: dict[str, list[Figures]] = {}
    filled = set()
    for asset in told:
        for part, figures in asset.parts:
            parts.setdefault(part.label, []).append(figures)
            if part.since < part.until:
                filled.add(part.label)
    return [(label, pool(parts[label])) for label in sorted(parts) if label in filled]


def _restated(database: Readable, wanted: Wanted, rows: Sequence[Row], total: Row) -> Restated:
    """Compares rows whose every connection was closed in the same zones and before the report's as-of time."""
    closings: list[Closing] = []
    problems: list[str] = []
    then: list[AssetSums] = []
    for closing, assets in published(database, wanted.period.label):
        if closing.connection not in wanted.connections:
            continue
        problem = _not_comparable(closing, wanted)
        if problem is not None:
            problems.append(problem)
            continue
        closings.append(closing)
        then += assets
    closed = frozenset(each.connection for each in closings)
    if not then:
        return Restated(closings=closings, problems=problems)
    known = {row.group: row for row in grouped(then, wanted.by)}
    compared = {row.group: changes(known.get(row.group), row) for row in rows if row.connections <= closed}
    groups = {row.group for row in rows}
    return Restated(
        closings=closings,
        rows=compared,
        total=changes(whole(then), total) if total.connections <= closed else None,
        gone=[row for group, row in known.items() if group not in groups],
        problems=problems,
    )


def _not_comparable(closing: Closing, wanted: Wanted) -> str | None:
    """Why a report cannot be held against a closing; None where it can."""
    named = f"{closing.period} of {closing.connection}, closed at {kept_instant(closing.computed_at)}"
    if closing.time_zone != wanted.time_zone:
        zones = [each or "each site's own zone" for each in (closing.time_zone, wanted.time_zone)]
        return f"{named}, was cut in {zones[0]}, and this report in {zones[1]}: not compared"
    if wanted.as_of < closing.computed_at:
        return f"{named}, is later than the as-of time of this report: not compared"
    return None
